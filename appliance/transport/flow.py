"""Flows: the way a message came in, or shall go out (RFC 3261 18).

A datagram flow is a listener and a remote address. A stream flow names a connection as well, and
the worker whose process holds its socket. Flows are values: two that name the same way are equal,
and are never changed, so one object may stand for thousands of datagrams.
"""

from __future__ import annotations

from typing import Final

from appliance.catalogue.transports import TCP as TCP
from appliance.catalogue.transports import TLS as TLS
from appliance.catalogue.transports import TRANSPORTS
from appliance.catalogue.transports import UDP as UDP
from appliance.transport.process_id import NO_PROCESS, ProcessId, node_of, worker_of
from appliance.transport.transport_table import is_known, is_stream

Way = tuple[int, int, tuple[str, int], str]

NO_CONNECTION: Final = 0


class Flow:
    """A way for messages.

    `transport`   its number (appliance/catalogue/transports.py).
    `is_stream`   does the transport carry messages by connections, which repeat what is lost (RFC 3261 17)?
    `listener`    index into settings.listeners: the local address.
    `remote`      (address, port); an IPv6 address without brackets, link-local ones with `%scope`.
    `process`     NO_PROCESS for datagrams, and for a connection that has yet to be opened; else the
                  worker that holds the connection.
    `name`        the domain that the peer has to prove by its certificate before anything is sent (RFC 5922 7.3);
                  "" where the remote address itself was named, and for transports without certificates.
    `connection`  0: use an open connection to `remote`, or open one; else an id that is unique
                  within the life of the worker.
    """

    __slots__ = ("_hash", "_host", "connection", "is_stream", "listener", "name", "process", "remote", "transport")

    def __init__(
        self,
        transport: int,
        listener: int,
        remote: tuple[str, int],
        process: ProcessId = NO_PROCESS,
        connection: int = NO_CONNECTION,
        name: str = "",
    ) -> None:
        self.transport = transport
        self.is_stream = is_stream(transport)
        self.listener = listener
        self.remote = remote
        self.process = process
        self.connection = connection
        self.name = name
        self._hash = 0
        self._host: bytes | None = None

    def host(self) -> bytes:
        """The remote address as it stands in a message, without the scope of a link-local one. Made once."""
        if self._host is None:
            address: str = self.remote[0]
            self._host = address.partition("%")[0].encode()
        return self._host

    def way(self) -> Way:
        """Transport, listener, remote address, name: what all connections that could carry a message have in common."""
        return self.transport, self.listener, self.remote, self.name

    def parts(self) -> tuple[int, int, str, int, ProcessId, int, str]:
        """Transport, listener, remote address and port, process, connection, name: what another process makes it of."""
        host, port = self.remote
        return self.transport, self.listener, host, port, self.process, self.connection, self.name

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Flow):
            return NotImplemented
        return (
            self.connection == other.connection
            and self.process == other.process
            and self.transport == other.transport
            and self.listener == other.listener
            and self.remote == other.remote
            and self.name == other.name
        )

    def __hash__(self) -> int:
        if self._hash == 0:
            self._hash = hash((self.transport, self.listener, self.remote, self.process, self.connection, self.name))
        return self._hash

    def __repr__(self) -> str:
        name = TRANSPORTS[self.transport].name if is_known(self.transport) else self.transport
        way = f"Flow({name} {self.listener} {self.remote[0]} {self.remote[1]}"
        if self.process == NO_PROCESS:
            return way + ")"
        return f"{way} node {node_of(self.process)} worker {worker_of(self.process)} connection {self.connection})"


def is_same_connection(flow: Flow, other: Flow | None) -> bool:
    """Do both name the same connection? Nodes may have its listener at different places."""
    if other is None or flow.connection == NO_CONNECTION:
        return False
    return flow.connection == other.connection and flow.process == other.process


class Outgoing:
    """A whole message for a flow.

    `branch` is the key of the client transaction to which a failure to send is reported (RFC 3261
    18.4); b"" when there is none.
    """

    __slots__ = ("branch", "data", "flow")

    def __init__(self, data: bytes, flow: Flow, branch: bytes = b"") -> None:
        self.data = data
        self.flow = flow
        self.branch = branch

    def __repr__(self) -> str:
        return f"Outgoing({self.data[:40]!r}, {self.flow!r}, {self.branch!r})"
