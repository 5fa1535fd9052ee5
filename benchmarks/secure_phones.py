"""Phones with open connections by TLS or WSS: they register, call each other, or only connect, at a fixed rate.

One event loop on the processor of the load, so that the client is measured apart from the server. Nothing is repeated:
a unit that fails, or that is not over in the end, makes the measurement fail.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import Final

import uvloop
from websockets.client import ClientProtocol
from websockets.frames import Frame
from websockets.http11 import Response
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from benchmarks.cases import Case
from benchmarks.figures import per_unit_us
from benchmarks.phones import EXPIRES_S
from benchmarks.processes import LOOPBACK, BenchmarkFailed
from benchmarks.servers import DOMAIN, Server
from benchmarks.user_agents import Callee, Caller, read_message, transport_parameter, value_of

PAIRS: Final = 100
GRACE_S: Final = 10.0
# The number of the REGISTER that comes after all others.
LAST: Final = 1_000_000
# Phones that connect at a time, before anything is measured.
WINDOW: Final = 20
CONTENT_LENGTH: Final = re.compile(rb"\r\ncontent-length[ \t]*:[ \t]*(\d+)", re.IGNORECASE)
END: Final = b"\r\n\r\n"


def take_secure_turn(case: Case, server: Server, seconds: float) -> dict[str, float]:
    """Processor time of a unit at the server, and memory of a connection. Raises BenchmarkFailed."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_take_turn(case, server, seconds))


async def _take_turn(case: Case, server: Server, seconds: float) -> dict[str, float]:
    load = SecureLoad(case, server.port_of(case.transport))
    empty = server.memory()
    if not case.is_handshake:
        await load.connect()
    connection_bytes = (server.memory() - empty) / max(1, len(load.phones))
    units = round(case.rate * seconds)
    meter = server.meter()
    await load.run(units)
    cpu_s = sum(meter.seconds_by_process().values())
    await load.close()
    return {"cpu_us": per_unit_us(cpu_s, units), "connection_bytes": connection_bytes}


def new_context() -> ssl.SSLContext:
    """That of a phone; it trusts any certificate, for verifying one is its own work."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


class SecureLoad:
    """The phones of one turn. `grace_s`: how long the last units may take. `pairs`: of phones, one calls the other."""

    def __init__(self, case: Case, port: int, grace_s: float = GRACE_S, pairs: int = PAIRS) -> None:
        self.phones: list[SecurePhone] = []
        self._pairs = pairs
        self._case = case
        self._port = port
        self._grace_s = grace_s
        self._run = f"{time.time_ns():x}"
        self._context = new_context()
        self._open = 0

    async def connect(self) -> None:
        """All phones connect and register."""
        for first in range(0, 2 * self._pairs, WINDOW):
            window = [self._new_phone(number) for number in range(first, min(first + WINDOW, 2 * self._pairs))]
            for phone in await asyncio.gather(*window):
                phone.register(0)
                self.phones.append(phone)
            await self._in_time(lambda: not self._open, "the phones are registered")

    async def run(self, units: int) -> None:
        """So many units at the rate of the case."""
        tasks: list[Awaitable[object]] = []
        begun = time.monotonic()
        for number in range(1, units + 1):
            await asyncio.sleep(max(0.0, begun + number / self._case.rate - time.monotonic()))
            if self._case.is_handshake:
                tasks.append(asyncio.ensure_future(self._connect_once()))
            elif self._case.is_call:
                self.phones[2 * (number % self._pairs)].call(number)
            else:
                self.phones[number % len(self.phones)].register(number)
        await self._in_time(lambda: not self._open, "all units are over")
        await asyncio.gather(*tasks)

    async def close(self) -> None:
        """Remove what was registered, or the next turn would call it as well; then close all connections."""
        for phone in self.phones:
            phone.register(LAST, expires_s=0)
        await self._in_time(lambda: not self._open, "the phones are gone")
        for phone in self.phones:
            phone.close()
        await asyncio.sleep(0.1)

    def begun(self) -> None:
        """A unit begins."""
        self._open += 1

    def over(self) -> None:
        """A unit has ended as it should."""
        self._open -= 1

    async def _new_phone(self, number: int) -> SecurePhone:
        kind = WebSocketPhone if self._case.transport == "wss" else SecurePhone
        loop = asyncio.get_running_loop()
        _, phone = await loop.create_connection(
            lambda: kind(self, number, self._case.transport, self._run),
            LOOPBACK,
            self._port,
            ssl=self._context,
            server_hostname=DOMAIN,
        )
        await asyncio.wait_for(phone.ready, self._grace_s)
        return phone

    async def _connect_once(self) -> None:
        self.begun()
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_connection(
            asyncio.Protocol, LOOPBACK, self._port, ssl=self._context, server_hostname=DOMAIN
        )
        transport.close()
        self.over()

    async def _in_time(self, is_so: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + self._grace_s
        while not is_so():
            if time.monotonic() > deadline:
                waited = f"after {self._grace_s:g} s still not: {what} ({self._open} left)"
                raise BenchmarkFailed(f"{self._case.name}: {waited}")
            await asyncio.sleep(0.01)


class SecurePhone(asyncio.Protocol):
    """One phone: u0, u2, ... call u1, u3, ..."""

    def __init__(self, load: SecureLoad, number: int, transport: str, run: str) -> None:
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._load = load
        self._number = number
        self._transport_name = transport
        self._run = run
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        port: int = transport.get_extra_info("sockname")[1]
        self._port = port
        self._callee = Callee(port, self._transport_name)
        self._caller = Caller(port, 1, f"{self._run}{self._number}", self._transport_name, f"u{self._number + 1}")
        self.connected()

    def connected(self) -> None:
        """TLS is there."""
        self.ready.set_result(None)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(END)) >= 0:
            length = CONTENT_LENGTH.search(self._buffer, 0, end + 2)
            whole = end + len(END) + (int(length[1]) if length else 0)
            if len(self._buffer) < whole:
                return
            message, self._buffer = self._buffer[:whole], self._buffer[whole:]
            self.receive(message)

    def send(self, message: bytes) -> None:
        """One message."""
        self._transport.write(message)

    def close(self) -> None:
        self._transport.close()

    def register(self, number: int, expires_s: int = EXPIRES_S) -> None:
        """One REGISTER of its one contact."""
        self._load.begun()
        name = f"u{self._number}"
        aor, token = f"sip:{name}@{DOMAIN}", self._transport_name.upper()
        contact = f"sip:{name}@{LOOPBACK}:{self._port}{transport_parameter(self._transport_name)}"
        mark = f"{number}{self._run}{self._number}"
        self.send(
            (
                f"REGISTER sip:{DOMAIN} SIP/2.0\r\n"
                f"Via: SIP/2.0/{token} {LOOPBACK}:{self._port};branch=z9hG4bKr{mark}\r\n"
                f"Max-Forwards: 70\r\nFrom: <{aor}>;tag=r{mark}\r\nTo: <{aor}>\r\n"
                f"Call-ID: {self._run}{self._number}@phone.test\r\nCSeq: {number + 1} REGISTER\r\n"
                f"Contact: <{contact}>\r\nExpires: {expires_s}\r\nUser-Agent: benchmark phone\r\n"
                "Content-Length: 0\r\n\r\n"
            ).encode()
        )

    def call(self, number: int) -> None:
        """A call to its neighbor."""
        self._load.begun()
        self.send(self._caller.request(number)[1])

    def receive(self, message: bytes) -> None:
        """One message has come."""
        if not message.startswith(b"SIP/2.0 "):
            for response in self._callee.receive(message)[1]:
                self.send(response)
            return
        first, fields = read_message(message)
        status = int(first.split(b" ", 2)[1])
        if status >= 300:
            raise BenchmarkFailed(f"a request was answered {first.decode()}")
        if value_of(fields, b"cseq").endswith(b"REGISTER"):
            self._load.over()
            return
        _, _, is_over, requests = self._caller.receive(message)
        for request in requests:
            self.send(request)
        if is_over:
            self._load.over()


class WebSocketPhone(SecurePhone):
    """The same by WebSocket (RFC 7118)."""

    def connected(self) -> None:
        self._end = ClientProtocol(parse_uri(f"wss://{DOMAIN}/"), subprotocols=[Subprotocol("sip")])
        self._end.send_request(self._end.connect())
        self._flush()

    def data_received(self, data: bytes) -> None:
        self._end.receive_data(data)
        for event in self._end.events_received():
            if isinstance(event, Response):
                self.ready.set_result(None)
            elif isinstance(event, Frame) and event.data:
                self.receive(bytes(event.data))

    def send(self, message: bytes) -> None:
        self._end.send_text(message)
        self._flush()

    def _flush(self) -> None:
        self._transport.write(b"".join(self._end.data_to_send()))
