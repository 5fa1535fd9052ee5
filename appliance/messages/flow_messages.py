"""What leaves by another node of the cluster: by a connection that it holds, or from an address that it owns.

They travel from a worker to the replicator of its node, by a link to that of the other node, and on to a worker there.
Places of listeners differ between nodes, so a listener is named.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from appliance.messages.bus_messages import BusMessage
from appliance.transport.process_id import ProcessId


class FlowMessage(BusMessage):
    """The base of these."""

    __slots__ = ()


@dataclass(slots=True)
class NamedFlow:
    """A connection: transport, name of the listener, remote address and port, its number at its worker, 0 for none;
    `name` as in a Flow.
    """

    transport: int
    listener: str
    host: str
    port: int
    connection: int
    name: str = ""


@dataclass(slots=True)
class WorkerConnections(FlowMessage):
    """The connections that `process` has opened, and the numbers of those it has closed.

    `is_anew`: what was told of it before is void. `is_gone`: its node cannot be reached, what was sent to it may be
    lost.
    """

    kind = 240
    process: ProcessId
    opened: list[NamedFlow] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)
    is_anew: bool = False
    is_gone: bool = False


@dataclass(slots=True)
class ConnectionsWanted(FlowMessage):
    """From the replicator to a worker: tell me all your connections."""

    kind = 241


@dataclass(slots=True)
class SendByNode(FlowMessage):
    """Send this by a connection of `process`; a datagram, which has no connection, from an address of its node.

    `asker`: the worker that wants it sent; `branch` as in an Outgoing.
    """

    kind = 242
    process: ProcessId
    asker: ProcessId
    flow: NamedFlow
    data: bytes
    branch: bytes


@dataclass(slots=True)
class SendByNodeFailed(FlowMessage):
    """To the worker that wanted it sent: what has this branch could not be sent (RFC 3261 18.4)."""

    kind = 243
    process: ProcessId
    branch: bytes


@dataclass(slots=True)
class ResponseReturned(FlowMessage):
    """A response that came to the sender, to a request of `process`."""

    kind = 244
    process: ProcessId
    data: bytes
