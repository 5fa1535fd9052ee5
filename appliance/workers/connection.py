"""One connection of a stream transport on the event loop: bytes in, messages out, bytes that wait (RFC 3261 18.3)."""

from __future__ import annotations

import asyncio
import socket
from typing import Any, Final, Protocol, cast

from appliance import clock
from appliance.catalogue.counters import CONNECTIONS_CLOSED_IDLE
from appliance.messages.worker_requests import ConnectionRow
from appliance.sip.parser import SyntaxLimits
from appliance.transport.flow import Flow, Outgoing
from appliance.transport.framers import Framer, framer_of
from appliance.transport.framing import PONG
from appliance.transport.process_id import ProcessId

NO_REMOTE: Final = ("", 0)


class ConnectionOwner(Protocol):
    """Who hears of a connection: the table of them."""

    syntax: SyntaxLimits
    process: ProcessId
    read_buffer: bytearray
    """Where the octets of one read come; it is free again when the read has been told."""

    def certificate_names(self, connection: Connection) -> tuple[str, ...]:
        """Of these names the certificate of the peer has to prove one; () where it need not."""

    def peer_proved(self, connection: Connection) -> None:
        """Its certificate proves one of those names."""

    def origins(self, connection: Connection) -> tuple[str, ...]:
        """The web pages whose WebSocket connections are accepted; () for any."""

    def count(self, counter: int) -> None:
        """One more of something that befell a connection."""

    def connection_opened(self, connection: Connection, now: float) -> None:
        """It is there; the owner may refuse it by `abort`."""

    def data_arrived(self, connection: Connection, data: bytes, now: float) -> None:
        """What one read brought; the owner has it framed when its turn has come."""

    def keeps(self, connection: Connection, unread_len: int) -> bool:
        """Does the owner keep it although so many octets wait for the peer to read? Else it is closed."""

    def peer_finished(self, connection: Connection, now: float) -> None:
        """The peer will send no more; it may still read."""

    def connection_lost(self, connection: Connection, now: float) -> None:
        """The end; also of a connection that the owner closed or refused."""


class Connection(asyncio.BufferedProtocol):
    """`is_opened_here`: we connected. `is_ending`: nothing new may go this way.

    `unanswered`: requests that it has brought and that have no final response yet, as far as this end can tell.
    `aliases`: the ways, besides that of `flow`, that lead by it (connection_aliases.py).
    `unsent`: what its owner will send by it before this turn ends.
    `source`: what it is counted by, "" when it is not. `is_proven`: its peer was accepted (connection_sources.py).
    `holds`: how many siblings have too much of it to do (stream_reading.py).
    """

    __slots__ = (
        "aliases",
        "flow",
        "framer",
        "has_spoken",
        "holds",
        "is_ending",
        "is_opened_here",
        "is_paused",
        "is_proven",
        "owner",
        "source",
        "transport",
        "unanswered",
        "unsent",
    )

    identities: frozenset[str] = frozenset()
    """The domains that the peer, who opened the connection, has proved by its certificate (RFC 5922 7.1)."""
    is_authenticated = False
    """Has it opened the connection, and shown a certificate that is trusted?"""
    answers_pings = False
    """Has its transport a frame that the peer answers by itself?"""

    def __init__(
        self, owner: ConnectionOwner, transport: int, listener: int, number: int, is_opened_here: bool, name: str = ""
    ) -> None:
        self.owner = owner
        self.flow = Flow(transport, listener, NO_REMOTE, owner.process, number, name)
        self.framer: Framer = framer_of(transport, owner.syntax)
        self.transport: asyncio.Transport | None = None
        self.is_opened_here = is_opened_here
        self.has_spoken = is_opened_here
        self.is_proven = is_opened_here
        self.source = ""
        self.is_ending = False
        self.is_paused = False
        self.holds = 0
        self.unanswered = 0
        self.unsent: list[Outgoing] = []
        self.aliases: list[Flow] = []

    def proves(self, names: tuple[str, ...]) -> bool:
        """Has the peer proved one of these names, where its transport has certificates?"""
        return True

    def proves_address(self) -> bool:
        """Does the certificate of the peer prove the address that it has?"""
        return False

    async def ready(self) -> None:
        """Wait until messages may be sent. Raises OSError."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.know_remote(transport)
        self.owner.connection_opened(self, clock.monotonic())

    def know_remote(self, transport: asyncio.BaseTransport) -> None:
        """The connection has its transport, and so its remote address."""
        # Not every event loop's transports are of asyncio's classes.
        self.transport = cast(asyncio.Transport, transport)
        flow = self.flow
        remote = remote_of(self.transport.get_extra_info("peername"))
        self.flow = Flow(flow.transport, flow.listener, remote, flow.process, flow.connection, flow.name)

    def get_buffer(self, sizehint: int) -> bytearray:
        return self.owner.read_buffer

    def buffer_updated(self, nbytes: int) -> None:
        if not self.is_ending or self.framer.fault is None:
            self.owner.data_arrived(self, bytes(memoryview(self.owner.read_buffer)[:nbytes]), clock.monotonic())

    def eof_received(self) -> bool:
        self.owner.peer_finished(self, clock.monotonic())
        # The answers to what the peer sent last still have to go out.
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self.owner.connection_lost(self, clock.monotonic())

    def messages_in(self, data: bytes, now: float, messages_max: int) -> list[bytes]:
        """The next messages, and PING, of what came; see Framer."""
        return self.framer.receive_bytes(data, now, messages_max)

    def overdue_counter(self, counter: int = CONNECTIONS_CLOSED_IDLE) -> int:
        """Where it is counted that nothing came any more; `counter` where its transport has no other word for it."""
        return counter

    @property
    def is_closing(self) -> bool:
        """Is nothing more to be read?"""
        return self.transport is None or self.transport.is_closing()

    def pause(self) -> None:
        """Read no more: the peer's TCP slows it down. Where the peer has sent all there is nothing to read."""
        if not (self.is_paused or self.is_closing or self.is_ending):
            assert self.transport is not None
            self.transport.pause_reading()
            self.is_paused = True

    def resume(self) -> None:
        """Read on."""
        if self.is_paused and not self.is_closing:
            assert self.transport is not None
            self.transport.resume_reading()
            self.is_paused = False

    def takes(self, data: bytes) -> bool:
        """May this message still go this way? One that is ending takes answers only; one that is closing, nothing."""
        assert self.transport is not None
        return not self.transport.is_closing() and (not self.is_ending or data.startswith(b"SIP/2.0 "))

    def write(self, data: bytes) -> int:
        """Send; returns how many bytes the peer has not taken yet."""
        assert self.transport is not None
        self.transport.write(data)
        return self.unread_len()

    def write_messages(self, messages: list[bytes]) -> int:
        """Send whole messages, by one system call if the peer takes them; as `write`."""
        return self.write(b"".join(messages))

    def answer_pings(self, count: int) -> int:
        """RFC 5626 3.5.1: answer so many keep-alives; as `write`."""
        return self.write(PONG * count)

    def ping(self) -> int:
        """Send that frame, where its transport has it; as `write`."""
        return 0

    def unread_len(self) -> int:
        """Octets that the peer has not taken yet."""
        assert self.transport is not None
        return self.transport.get_write_buffer_size()

    def close(self) -> None:
        """Send what waits, then close."""
        assert self.transport is not None
        self.transport.close()

    def abort(self) -> None:
        """Close at once; what waits is lost."""
        assert self.transport is not None
        self.transport.abort()


def remote_of(name: Any) -> tuple[str, int]:
    """(address, port) of a peer name; a link-local IPv6 address gets its scope; NO_REMOTE when it has gone."""
    if not name:
        return NO_REMOTE
    address: str = name[0]
    if len(name) > 3 and name[3] and "%" not in address:
        address += f"%{name[3]}"
    return address, name[1]


def socket_name(remote: tuple[str, int]) -> tuple[str, int] | tuple[str, int, int, int]:
    """What connect(2) takes. Raises OSError when that is no address: names are not looked up here."""
    address, _, scope = remote[0].partition("%")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        socket.inet_pton(family, address)
        number = int(scope) if scope.isdigit() else socket.if_nametoindex(scope) if scope else 0
    except (UnicodeEncodeError, ValueError) as fault:
        raise OSError(f"{remote[0]!r} is no address") from fault
    if not 0 < remote[1] < 65536:
        raise OSError(f"{remote[1]} is no port")
    return (address, remote[1], 0, number) if family == socket.AF_INET6 else (address, remote[1])


def connection_row(connection: Connection) -> ConnectionRow:
    """The connection as an operator sees it."""
    flow = connection.flow
    return ConnectionRow(
        connection=flow.connection,
        listener=flow.listener,
        remote=f"{flow.remote[0]}:{flow.remote[1]}",
        opened_by="us" if connection.is_opened_here else "peer",
        state="ending" if connection.is_ending else "open" if connection.has_spoken else "silent",
        proven=connection.is_proven,
    )
