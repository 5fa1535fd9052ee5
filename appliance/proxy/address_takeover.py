"""Virtual addresses that this node takes over, and loses, with the calls that are being set up there (design 4).

The new owner of an address goes on with the calls of the last one, by its copies of their snapshots. The kernel opens
an address before the worker is told: a response or a CANCEL that comes meanwhile waits for its call.

An owner that loses an address keeps its calls for a moment, for the address may return. Nothing that they send leaves
the machine meanwhile, and no copies are made. When another node has owned the address since, what is here is old.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

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
        # By address that was lost: until when its calls are kept, and which they are.
        self._left: dict[int, tuple[float, list[KeptCall]]] = {}
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
        _, calls = self._left.pop(address, (0.0, []))
        if is_of_other:
            self._relinquish(calls, now)
        self._owned.add(address)
        self._attend()
        self._proxy.early.expect(now)

    def lost(self, address: int, now: float) -> None:
        """This node does not own the address any more."""
        if address in self._owned:
            self._owned.remove(address)
            calls = [call for call in calls_of(self._node) if self._number_at(call.way_in) == address]
            self._left[address] = now + KEPT_S, calls
        self._attend()

    def adopt(self, snapshots: Sequence[bytes], now: float) -> None:
        """Go on with calls that the last owner of an address was setting up."""
        self._proxy.adopt(snapshots, now, is_of_other_node=True)

    def note_arrivals(self, batch: Sequence[tuple[bytes, Flow]], now: float) -> None:
        """Messages that came in: one of them may say that an address is here, of which no news has come yet."""
        for _, flow in batch:
            if self._is_awaited_at(flow.listener):
                self._owned.add(self._number_at(flow.listener))
                self._node.connections.owners.gained(self._number_at(flow.listener))
                self._attend()
                self._proxy.early.expect(now)

    def tidy(self, now: float) -> None:
        """End without a message the calls of addresses that have not returned."""
        for address, (until, calls) in list(self._left.items()):
            if until <= now:
                self._relinquish(calls, now)
                del self._left[address]
                self._attend()

    def _attend(self) -> None:
        self._kept_calls.addresses = self._numbers
        self._kept_calls.left = {id(call) for _, calls in self._left.values() for call in calls}
        self.awaited = any(self._is_awaited_at(place) for place in range(len(self._numbers)))

    def _is_awaited_at(self, place: int) -> bool:
        number = self._number_at(place)
        return number != 0 and number not in self._owned

    def _number_at(self, place: int) -> int:
        return self._numbers[place] if place < len(self._numbers) else 0

    def _relinquish(self, calls: Sequence[KeptCall], now: float) -> None:
        """End those of them that have not ended by themselves."""
        there = set(map(id, calls_of(self._node)))
        for call in calls:
            try:
                if id(call) in there:
                    call.relinquish(now)
            except Exception as error:
                self._node.faults.note("a call of an address that was lost", call.call_id, error, now)
