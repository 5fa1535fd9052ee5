"""Virtual addresses that this node gets and loses: what a worker does with their calls (design 4).

The new owner takes the calls of its slots out of the memory in which the replicator has kept copies of the last owner's
calls. It looks again a moment later, for copies that were under way, and when slots move, for a sibling may have died
before it has taken its own. It tells phones that their connections to the last owner are gone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from appliance import clock
from appliance.catalogue.counters import DROPPED_ADDRESS_LOST
from appliance.catalogue.node_settings import addresses_at_places
from appliance.catalogue.settings import Settings
from appliance.messages.address_messages import AddressLost, AddressOwned
from appliance.stack import Stack
from appliance.transport.process_id import ProcessId, node_of
from appliance.workers.connection_probes import ConnectionProbes
from appliance.workers.datagram_sockets import DatagramSockets
from appliance.workers.worker_parts import CopiedCallSource

LATE_S: Final = 0.1
SLOTS_MOVE_S: Final = 5.0


@dataclass(slots=True)
class _TakeOver:
    address: int
    last_owner: int
    until: float


class AddressChanges:
    """`copied_calls`: None for a node without a memory for them. `call_later(seconds, step)` is that of the loop."""

    def __init__(
        self,
        process: ProcessId,
        stack: Stack,
        doors: DatagramSockets,
        settings: Settings,
        copied_calls: CopiedCallSource | None,
        call_later: Callable[[float, Callable[[], None]], object],
    ) -> None:
        self._node = node_of(process)
        self._stack = stack
        self._doors = doors
        self._copied_calls = copied_calls
        self._call_later = call_later
        self._slots: frozenset[int] = frozenset()
        self._take_overs: list[_TakeOver] = []
        self._process = process
        self._live: tuple[ProcessId, ...] = (process,)
        self._probes = ConnectionProbes(stack.counters, call_later)
        self.use(settings)

    def use(self, settings: Settings) -> None:
        """Go by new settings: which listener is at which address."""
        self._listeners, self._addresses = settings.listeners, addresses_at_places(settings)
        at_virtual = (place for place, number in enumerate(self._addresses) if number)
        self._doors.fenced.addresses = {place: self._listeners[place].address for place in at_virtual}
        self._stack.node_flows.owners.use(self._addresses)
        self._stack.takeover.use(self._addresses if self._copied_calls is not None else ())

    def owned(self, news: AddressOwned) -> None:
        """This node owns an address from now on."""
        now = clock.monotonic()
        self._stack.node_flows.owners.gained(news.address)
        is_of_other = news.last_owner != self._node
        self._stack.takeover.owned(news.address, is_of_other, now)
        if is_of_other:
            self._take_overs.append(_TakeOver(news.address, news.last_owner, now + SLOTS_MOVE_S))
            self._take(now)
            self._call_later(LATE_S, self._take_late)
            self._probe_connections(news, now)

    def _probe_connections(self, news: AddressOwned, now: float) -> None:
        """Those of the last owner at the address; each worker takes a part of them."""
        places = [place for place, address in enumerate(self._addresses) if address == news.address]
        lost = self._stack.node_flows.connections.lost_by(news.last_owner, places, now)
        ours = [flow for flow in lost if self._live[flow.connection % len(self._live)] == self._process]
        self._probes.begin(ours, self._listeners)

    def lost(self, news: AddressLost) -> None:
        """This node owns it no more."""
        self._stack.node_flows.owners.lost(news.address)
        self._take_overs = [one for one in self._take_overs if one.address != news.address]
        self._stack.takeover.lost(news.address, clock.monotonic())
        for place, address in enumerate(self._addresses):
            if address == news.address:
                self._probes.stop(self._listeners[place].address)
                # What came before the loss is sent again, to the next owner; what comes later says that we own it anew.
                self._stack.counters[DROPPED_ADDRESS_LOST] += self._doors.discard(place)

    def slots_changed(self, slots: frozenset[int], live: Collection[ProcessId], now: float) -> None:
        """Which slots are this worker's from now on, and which workers there are."""
        self._slots, self._live = slots, tuple(sorted({self._process, *live}))
        self._take(now)

    def _take_late(self) -> None:
        self._take(clock.monotonic())

    def _take(self, now: float) -> None:
        if self._copied_calls is None:
            return
        self._take_overs = [one for one in self._take_overs if one.until > now]
        for one in self._take_overs:
            snapshots = self._copied_calls.take(one.last_owner, one.address, self._slots)
            if snapshots:
                self._stack.takeover.adopt(snapshots, now)
