"""What a worker has in common with its siblings: whose calls are whose, and who holds which connection.

All that goes to a sibling leaves by here, and what siblings say of these two is heard here.
"""

from __future__ import annotations

from collections.abc import Sequence

from appliance.catalogue.counters import ADDRESS_OWNER_UNREACHED, HANDED_OVER, SENT_BY_NODE, SENT_ON
from appliance.messages.bus_messages import BusMessage, ConnectionsChanged, HandedOver, SendByConnection
from appliance.messages.flow_messages import SendByNode
from appliance.messages.slots import SlotTable
from appliance.transport.flow import Flow, Outgoing
from appliance.transport.process_id import NO_PROCESS, REPLICATOR, ProcessId, node_of, process_id
from appliance.worker_group.connection_directory import ConnectionDirectory
from appliance.worker_group.slot_ownership import SlotOwnership


class WorkerGroup:
    """The siblings of `process`, as it knows them. `seed`: of the slot hash."""

    __slots__ = ("_counters", "_messages", "_replicator", "connections", "slot_ownership")

    def __init__(self, process: ProcessId, seed: int, counters: list[int]) -> None:
        self.slot_ownership = SlotOwnership(process, seed)
        self.connections = ConnectionDirectory(process)
        self._replicator = process_id(node_of(process), REPLICATOR)
        self._counters = counters
        self._messages: list[tuple[ProcessId, BusMessage]] = []

    # -- what they say -------------------------------------------------------------------------------

    def receive(self, sender: ProcessId, message: BusMessage) -> None:
        """News of a sibling's connections."""
        if isinstance(message, ConnectionsChanged):
            self.connections.receive(sender, message)

    def receive_slots(self, table: SlotTable, live: Sequence[ProcessId]) -> None:
        """Whose the slots are from now on, and who there is."""
        self.slot_ownership.receive(table, live)
        self.connections.set_siblings(self.slot_ownership.siblings)

    # -- what they are told --------------------------------------------------------------------------

    def tell(self, process: ProcessId, message: BusMessage) -> None:
        """A message for one of them."""
        self._messages.append((process, message))

    def tell_all(self, message: BusMessage) -> None:
        """A message for each of them."""
        for worker in self.slot_ownership.siblings:
            self._messages.append((worker, message))

    def hand_over(self, data: bytes, flow: Flow, call_id: bytes | None) -> bool:
        """Pass a message on that belongs to a sibling's slot; once, for the receiver keeps it."""
        owner = self.slot_ownership.owner_of(call_id)
        if owner == self.slot_ownership.process:
            return False
        self._counters[HANDED_OVER] += 1
        self._messages.append((owner, HandedOver(data, flow, self.slot_ownership.epoch)))
        return True

    def direct(self, outgoing: Outgoing) -> bool:
        """Name the connection by which a message goes, if it goes by one: is it a sibling's, or another node's? Of a
        datagram, name the node that owns the address that it leaves from.
        """
        if not outgoing.flow.is_stream:
            way = self.connections.owners.way(outgoing.flow)
            outgoing.flow = way or outgoing.flow
            return way is None or way.process != NO_PROCESS
        outgoing.flow = self.connections.way_by(outgoing.flow)
        return outgoing.flow.process not in (NO_PROCESS, self.slot_ownership.process)

    def pass_on(self, outgoings: Sequence[Outgoing]) -> tuple[list[Outgoing], list[Outgoing]]:
        """Give siblings and other nodes what goes by their connections. Returns what is ours, and what has lost its
        connection. A datagram without an owner that is reached is lost: its transaction sends it again.
        """
        own, stranded = [], []
        for outgoing in outgoings:
            worker = outgoing.flow.process
            if worker in (NO_PROCESS, self.slot_ownership.process):
                own.append(outgoing)
            elif worker in self.slot_ownership.siblings:
                self._counters[SENT_ON] += 1
                self._messages.append((worker, SendByConnection(outgoing)))
            elif self._can_send(outgoing.flow):
                self._counters[SENT_BY_NODE] += 1
                self._messages.append((self._replicator, self._for_node(outgoing)))
            elif outgoing.flow.is_stream:
                stranded.append(outgoing)
            else:
                self._counters[ADDRESS_OWNER_UNREACHED] += 1
        return own, stranded

    def _can_send(self, flow: Flow) -> bool:
        """Can the node of this flow be asked to send by it?"""
        if flow.is_stream:
            return self.connections.nodes.can_reach(flow.process)
        return self.connections.owners.way(flow) is flow

    def _for_node(self, outgoing: Outgoing) -> SendByNode:
        flow = outgoing.flow
        named = self.connections.nodes.named(flow)
        return SendByNode(flow.process, self.slot_ownership.process, named, outgoing.data, outgoing.branch)

    def messages_to_send(self, now: float) -> list[tuple[ProcessId, BusMessage]]:
        """(destination, message) since the last call."""
        if self.slot_ownership.siblings:
            self._messages += self.connections.messages_to_send(now)
        for news in self.connections.news_for_nodes(now):
            self._messages.append((self._replicator, news))
        messages = self._messages
        if messages:
            self._messages = []
        return messages
