"""Virtual addresses that this node takes over, and loses, with the calls that are being set up there (design 4).

The new owner of an address goes on with the calls of the last one, by its copies of their snapshots. The kernel opens
an address before the worker is told: a response or a CANCEL that comes meanwhile waits for its call.

An owner that loses an address keeps the snapshots of its calls for a moment, for the address may return. It sends
nothing for them meanwhile: the other owner has these calls, and requests of this node leave by it (node_flows.py). When
another node has owned the address since, what is here is old. The copies end then, and not before that node has taken
its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from appliance.messages.call_copies import CallCopy
from appliance.proxy.call_transfer import calls_of
from appliance.proxy.environment import KeptCall, ProxyEnvironment
from appliance.proxy.kept_calls import KeptCalls
from appliance.proxy.proxy import Proxy
from appliance.transport.flow import Flow

# A lease that was lost by a moment of loss is back within some heartbeats.
KEPT_S: Final = 5.0


class AddressTakeover:
    """The virtual addresses of this node, as one worker knows them. They have numbers from 1.

    `awaited`: is there a listener at an address that this node does not own, so that what arrives there says that it
    does by now?
    """

    __slots__ = ("_kept_calls", "_left", "_node", "_numbers", "_owned", "_proxy", "awaited")

    def __init__(self, node: ProxyEnvironment, proxy: Proxy, kept_calls: KeptCalls) -> None:
        self._node = node
        self._proxy = proxy
        self._kept_calls = kept_calls
        self._numbers: tuple[int, ...] = ()
        self._owned: set[int] = set()
        # By address that was lost: until when its calls are kept, and the last copy of each.
        self._left: dict[int, tuple[float, list[CallCopy]]] = {}
        self.awaited = False

    def use(self, numbers: Sequence[int]) -> None:
        """Which listener is at which address: by place, the number of a virtual address or 0."""
        self._numbers = tuple(numbers) if any(numbers) else ()
        self._attend()

    def is_virtual(self, listener: int) -> bool:
        """Is the listener at a virtual address?"""
        return self._number_at(listener) != 0

    def is_owned(self, listener: int) -> bool:
        """Is it at one that this node owns?"""
        return self._number_at(listener) in self._owned

    def owned(self, address: int, is_of_other: bool, now: float) -> None:
        """This node owns the address from now on; `is_of_other`: another node was the last to own it."""
        _, left = self._left.pop(address, (0.0, []))
        self._owned.add(address)
        self._attend()
        self._proxy.early.expect(now)
        if is_of_other:
            self._end(left)
        else:
            self._proxy.adopt([snapshot for *_, snapshot in left], now)

    def lost(self, address: int, now: float) -> None:
        """This node does not own the address any more."""
        if address in self._owned:
            self._owned.remove(address)
            calls = [call for call in calls_of(self._node) if self._number_at(call.way_in) == address]
            left = [copy for call in calls if (copy := self._suspend(call, address, now)) is not None]
            self._left[address] = now + KEPT_S, left
        self._attend()

    def _suspend(self, call: KeptCall, address: int, now: float) -> CallCopy | None:
        """End it without a message; what to go on with, should the address return. None where there is nothing."""
        try:
            copy = call.key, call.call_id, address, call.snapshot()
            call.relinquish(now)
        except Exception as error:
            self._node.faults.note("a call of an address that was lost", call.call_id, error, now)
            return None
        return copy if copy[3] else None

    def _end(self, left: Sequence[CallCopy]) -> None:
        """Other nodes need no copies of these, but of those that have begun anew at this one."""
        here = self._node.transactions.servers
        self._kept_calls.end_copies([copy for copy in left if copy[0] not in here])

    def adopt(self, snapshots: Sequence[bytes], now: float) -> None:
        """Go on with calls that the last owner of an address was setting up."""
        self._proxy.adopt(snapshots, now, is_of_other_node=True)

    def note_arrivals(self, batch: Sequence[tuple[bytes, Flow]], now: float) -> None:
        """Messages that came in: a datagram may say that an address is here, of which no news has come yet.

        What a connection brings says nothing: it may have waited in this process since before the address was lost.
        """
        for _, flow in batch:
            if not flow.is_stream and self._is_awaited_at(flow.listener):
                self._owned.add(self._number_at(flow.listener))
                self._node.connections.owners.gained(self._number_at(flow.listener))
                self._attend()
                self._proxy.early.expect(now)

    def tidy(self, now: float) -> None:
        """End the calls of addresses that have not returned."""
        for address, (until, left) in list(self._left.items()):
            if until <= now:
                del self._left[address]
                self._end(left)

    def _attend(self) -> None:
        """Copies are made of the calls at addresses that are here."""
        self._kept_calls.addresses = tuple(number if number in self._owned else 0 for number in self._numbers)
        self.awaited = any(self._is_awaited_at(place) for place in range(len(self._numbers)))

    def _is_awaited_at(self, place: int) -> bool:
        number = self._number_at(place)
        return number != 0 and number not in self._owned

    def _number_at(self, place: int) -> int:
        return self._numbers[place] if place < len(self._numbers) else 0
