"""Requests that leave by a connection of another node, and the responses that come back by it (design 4).

    phone       node A, holds the connection        node B, has the call
      |                |   SendByNode                  |   our Via names B's worker
      |<---------------|<------------------------------|
      |  200           |   ResponseReturned            |
      |--------------->|------------------------------>|   as if it had come here

Node A keeps nothing: it goes by the Via, and passes a response on only where the branch is sealed by our key. Datagrams
from a virtual address that node A owns go the same way (worker_group/address_owners.py): the responses arrive there.
"""

from __future__ import annotations

from appliance.catalogue.counters import NODE_CONNECTIONS_REFUSED, NODE_RESPONSES_REFUSED, RETURNED_TO_NODE
from appliance.messages.bus_messages import SendFailed
from appliance.messages.flow_messages import (
    ConnectionsWanted,
    FlowMessage,
    ResponseReturned,
    SendByNode,
    SendByNodeFailed,
    WorkerConnections,
)
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.proxy import Proxy
from appliance.security.keys import period_of, upstream_of_via
from appliance.sip.errors import MalformedMessage
from appliance.sip.message import Response
from appliance.sip.names import VIA
from appliance.sip.via import parse_via
from appliance.sip.writer import write
from appliance.transport.asking_worker import asker_of, asker_of_request
from appliance.transport.flow import UDP, Flow, Outgoing
from appliance.transport.process_id import REPLICATOR, ProcessId, node_of, process_id
from appliance.worker_group.worker_group import WorkerGroup

# Nothing of a response is read from the flow that it came by.
FROM_OTHER_NODE = Flow(UDP, 0, ("0.0.0.0", 0))


class NodeFlows:
    """The flows of other nodes, for one worker."""

    def __init__(self, node: ProxyEnvironment, proxy: Proxy, group: WorkerGroup) -> None:
        self._node = node
        self._proxy = proxy
        self._group = group
        self.connections = group.connections.nodes
        self.owners = group.connections.owners

    def receive(self, message: FlowMessage | SendFailed, now: float) -> bytes:
        """What the replicator says, or a sibling that could not send. Returns a response that is to be handled as if it
        had come here; else b"".
        """
        if isinstance(message, WorkerConnections):
            self._node.counters[NODE_CONNECTIONS_REFUSED] += self.connections.receive(message, now)
            if message.is_gone:
                self._fail_all_by(message.process, now)
        elif isinstance(message, SendFailed):
            self._proxy.fail(message.branch, now)
        elif isinstance(message, ConnectionsWanted):
            self.connections.list_anew()
        elif isinstance(message, SendByNode):
            self._send_for(message)
        elif isinstance(message, SendByNodeFailed):
            if not self._proxy.fail(message.branch, now):
                self._group.tell_all(SendFailed(message.branch))
        elif isinstance(message, ResponseReturned):
            if message.data.startswith(b"SIP/2.0 "):
                return message.data
            self._node.counters[NODE_RESPONSES_REFUSED] += 1
        return b""

    def _send_for(self, message: SendByNode) -> None:
        """A worker of another node has something to send by a connection of this one, or from an address of it.

        If this node does not own the address, its kernel refuses the datagram.
        """
        flow = self.connections.own_flow(message.flow)
        if flow is not None and self._node.next_hops.is_way(flow):
            self._node.transactions.outbox.append(Outgoing(message.data, flow, message.branch))
        elif message.branch:
            self._tell_replicator(SendByNodeFailed(message.asker, message.branch))

    def _fail_all_by(self, process: ProcessId, now: float) -> None:
        """A node is gone: what was sent by it may never have left."""
        clients = self._node.transactions.clients
        # A datagram is sent again, by the next owner of its address.
        lost = [name for name, client in clients.items() if client.flow.process == process and client.flow.is_stream]
        for branch in lost:
            self._proxy.fail(branch, now)

    def send_failed(self, outgoing: Outgoing) -> None:
        """What another worker wanted to be sent could not be sent: tell the one that its Via names, or all siblings."""
        asker = asker_of_request(outgoing.data)
        if self.connections.can_reach(asker):
            self._tell_replicator(SendByNodeFailed(asker, outgoing.branch))
        else:
            self._group.tell_all(SendFailed(outgoing.branch))

    def returns(self, response: Response, now: float) -> bool:
        """Pass a response on to the node that its Via names: is it another one's, to a request that we have sent?"""
        if not self.connections.is_used:
            return False
        via = response.read_top_via()
        asker = asker_of(via.text)
        if not self.connections.can_reach(asker) or not self._is_own(response, via.branch, now):
            return False
        self._node.counters[RETURNED_TO_NODE] += 1
        self._tell_replicator(ResponseReturned(asker, write(response)))
        return True

    def _is_own(self, response: Response, branch: bytes, now: float) -> bool:
        """Is the branch sealed with our key, together with the Via below it?"""
        try:
            values = response.values(VIA)
            upstream = upstream_of_via(parse_via(values[1])) if len(values) > 1 else b""
        except MalformedMessage:
            return False
        return bool(upstream) and self._node.keys.is_own_branch(branch, upstream, period_of(self._node.wall_time(now)))

    def _tell_replicator(self, message: FlowMessage) -> None:
        self._group.tell(process_id(node_of(self._node.process), REPLICATOR), message)
