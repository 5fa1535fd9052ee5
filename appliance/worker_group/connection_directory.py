"""Which worker holds the stream connection to a remote address.

A phone that registered over a connection is called over it (RFC 3261 18.1.1, RFC 5923), and so is
a phone that wrote the source port of a connection into its Contact. The call may belong to any worker,
the connection to one. So workers tell each other of their connections: changes as they happen, and
all of them when a worker comes or goes. What is sent is a hint: the holder knows, and a worker that follows
a wrong hint hears of it as of any message that could not be sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from appliance.messages.bus_messages import BusMessage, ConnectionsChanged
from appliance.messages.flow_messages import WorkerConnections
from appliance.transport.flow import NO_CONNECTION, Flow, Way
from appliance.transport.process_id import NO_PROCESS, ProcessId
from appliance.worker_group.address_owners import AddressOwners
from appliance.worker_group.node_connections import NodeConnections

# Connections in one message.
BATCH_MAX: Final = 1000
# When news for which the bus had no room are told again: a sibling that is just being met has a connection then.
AGAIN_S: Final = 0.5


class ConnectionDirectory:
    """The connections of this worker and, by hearsay, of its siblings."""

    __slots__ = (
        "_again_at",
        "_elsewhere",
        "_is_listing_due",
        "_news",
        "_own",
        "_process",
        "_siblings",
        "_untold",
        "nodes",
        "owners",
    )

    def __init__(self, process: ProcessId) -> None:
        self.nodes = NodeConnections(process)
        self.owners = AddressOwners(process, self.nodes)
        self._process = process
        self._own: dict[Way, Flow] = {}
        self._elsewhere: dict[Way, ProcessId] = {}
        self._siblings: tuple[ProcessId, ...] = ()
        self._news: dict[Way, Flow | None] = {}
        self._is_listing_due = False
        self._untold: set[Way] = set()
        self._again_at = 0.0

    def __len__(self) -> int:
        """Connections of siblings that are known of."""
        return len(self._elsewhere)

    def changed(self, opened: Sequence[Flow], closed: Sequence[Flow]) -> None:
        """What has happened to connections of this worker."""
        for flow in closed:
            self.closed(flow)
        for flow in opened:
            self.opened(flow)

    def opened(self, flow: Flow) -> None:
        """A connection of this worker has brought a message, or was opened here."""
        way = flow.way()
        self._own[way] = flow
        self._note(way, flow)
        self.nodes.opened(flow)

    def closed(self, flow: Flow) -> None:
        """A connection of this worker takes no more messages."""
        self.nodes.closed(flow)
        way = flow.way()
        if self._own.get(way) == flow:
            del self._own[way]
            self._note(way, None)

    def _note(self, way: Way, flow: Flow | None) -> None:
        if self._siblings:
            self._news[way] = flow

    def untold(self, message: ConnectionsChanged, now: float) -> None:
        """The bus did not take these news: all hear them again, as they are by then."""
        if not self._untold:
            self._again_at = now + AGAIN_S
        self._untold.update(flow.way() for flow in (*message.opened, *message.closed))

    def set_siblings(self, siblings: Sequence[ProcessId]) -> None:
        """The workers that live: the connections of others are gone, and newcomers know nothing of ours."""
        self._siblings = tuple(siblings)
        self._elsewhere = {way: holder for way, holder in self._elsewhere.items() if holder in self._siblings}
        self._is_listing_due = True

    def receive(self, sender: ProcessId, message: ConnectionsChanged) -> None:
        """What a sibling says of its connections."""
        for flow in message.opened:
            self._elsewhere[flow.way()] = sender
        for flow in message.closed:
            if self._elsewhere.get(flow.way()) == sender:
                del self._elsewhere[flow.way()]

    def open_flow(self, flow: Flow) -> Flow | None:
        """The very connection that a flow names, as far as this worker knows; None where it is not there any more.

        For datagrams their way now (address_owners.py).
        """
        if not flow.is_stream:
            return self.owners.way(flow)
        if self.nodes.is_of_other_node(flow.process):
            return self.nodes.open_flow(flow)
        way = flow.way()
        if flow.process == self._process:
            return flow if self._own.get(way) == flow else None
        return flow if self._elsewhere.get(way) == flow.process else None

    def has_way(self, hop: Flow) -> bool:
        """Is a connection open, here or at a sibling, by which a request for this hop would go?"""
        way = hop.way()
        return way in self._own or way in self._elsewhere

    def by_node(self, hop: Flow) -> Flow:
        """The flow for a request: by a node that has a connection there, where this one has none, or that owns the
        address of its listener.
        """
        if not hop.is_stream:
            return self.owners.way(hop) or hop
        if not self.nodes or not hop.is_stream or hop.connection or hop.process != NO_PROCESS or self.has_way(hop):
            return hop
        return self.nodes.way_by(hop.way()) or hop

    def news_for_nodes(self, now: float) -> list[WorkerConnections]:
        """What other nodes are to be told of the connections of this worker."""
        return self.nodes.news(self._own.values(), now) if self.nodes.is_used else []

    def carrier(self, flow: Flow) -> Flow | None:
        """The connection that a flow names, where it might take a message; a sibling that lives says if it is gone.

        For datagrams their way now (address_owners.py).
        """
        if not flow.is_stream:
            return self.owners.way(flow)
        if self.nodes.is_of_other_node(flow.process):
            return self.nodes.open_flow(flow)
        if flow.process == self._process:
            return flow if self._own.get(flow.way()) == flow else None
        return flow if flow.process in self._siblings else None

    def way_by(self, flow: Flow) -> Flow:
        """The flow to send by: by the sibling who holds a connection there, where we hold none."""
        if not flow.is_stream or flow.connection or flow.process != NO_PROCESS:
            return flow
        way = flow.way()
        holder = NO_PROCESS if way in self._own else self._elsewhere.get(way, NO_PROCESS)
        if holder == NO_PROCESS:
            return flow
        return Flow(flow.transport, flow.listener, flow.remote, holder, NO_CONNECTION, flow.name)

    def messages_to_send(self, now: float) -> list[tuple[ProcessId, BusMessage]]:
        """(sibling, message): the changes since the last call, or all there is."""
        if self._untold and now >= self._again_at:
            for way in self._untold:
                self._note(way, self._own.get(way))
            self._untold = set()
        if not self._news and not self._is_listing_due:
            return []
        opened = [flow for flow in self._news.values() if flow is not None]
        closed = [_flow_of(way) for way, flow in self._news.items() if flow is None]
        if self._is_listing_due:
            opened = list(self._own.values())
        self._news, self._is_listing_due = {}, False
        portions: list[BusMessage] = [ConnectionsChanged([], closed[at : at + BATCH_MAX]) for at in _starts(closed)]
        portions += [ConnectionsChanged(opened[at : at + BATCH_MAX], []) for at in _starts(opened)]
        return [(sibling, portion) for sibling in self._siblings for portion in portions]


def _starts(flows: Sequence[Flow]) -> range:
    return range(0, len(flows), BATCH_MAX)


def _flow_of(way: Way) -> Flow:
    transport, listener, remote, name = way
    return Flow(transport, listener, remote, NO_PROCESS, NO_CONNECTION, name)
