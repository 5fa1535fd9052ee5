"""Streams of a worker under test: their node, a phone, and both event loops."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any

from appliance.catalogue import counters as catalogue
from appliance.catalogue.limit_settings import LimitSettings
from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.sip.parser import SyntaxLimits
from appliance.tls_contexts import TlsContexts
from appliance.transport.flow import TCP, Flow, Outgoing
from appliance.workers.handshakes import Handshakes
from appliance.workers.streams import Streams

PATIENCE_S = 60.0
SYNTAX = SyntaxLimits(message_len_max=20000, header_count_max=50, header_len_max=1024, uri_len_max=512)
LISTENERS = (ListenerSettings(), ListenerSettings(name="six", address="::1"))

Scenario = Callable[["Node"], Coroutine[Any, Any, None]]


def message(call_id: str = "a", body: bytes = b"", via: str = "SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1") -> bytes:
    return (
        f"OPTIONS sip:bob@example.com SIP/2.0\r\nVia: {via}\r\nFrom: <sip:alice@example.com>;tag=1\r\n"
        f"To: <sip:bob@example.com>\r\nCall-ID: {call_id}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def response(via: str) -> bytes:
    return f"SIP/2.0 200 OK\r\nVia: {via}\r\nContent-Length: 0\r\n\r\n".encode()


def accepted(method: str = "REGISTER") -> bytes:
    """What this appliance answers to a request that it accepts."""
    return f"SIP/2.0 200 OK\r\nCSeq: 7 {method}\r\nContent-Length: 0\r\n\r\n".encode()


class Node:
    """The connections of a worker, and what they said."""

    def __init__(self, **limits: int) -> None:
        self.counters = [0] * len(catalogue.COUNTERS)
        self.received: list[tuple[bytes, Flow]] = []
        self.changes = 0
        settings = Settings()
        self.handshakes = Handshakes(TlsContexts(settings), settings.tls, self.counters)
        self.streams = Streams(
            4,
            LISTENERS,
            LimitSettings(**limits),
            SYNTAX,
            self.handshakes,
            self.counters,
            1000,
            self._arrived,
            self._changed,
            lambda step: asyncio.get_running_loop().call_soon(step),
        )
        self.address = ("", 0)
        self.limits = limits

    async def listen(self, listener: int = 0) -> None:
        family = socket.AF_INET6 if ":" in LISTENERS[listener].address else socket.AF_INET
        listening = socket.create_server((LISTENERS[listener].address, 0), family=family)
        self.address = listening.getsockname()[:2]
        await self.streams.listen(listener, TCP, listening)

    def _arrived(self, batch: list[tuple[bytes, Flow]], now: float) -> None:
        self.received += batch

    def _changed(self) -> None:
        self.changes += 1

    async def dial(self) -> Phone:
        return Phone(*await asyncio.open_connection(*self.address))

    async def dial_proven(self) -> Phone:
        """A phone whose request has been accepted."""
        phone = await self.dial()
        before = len(self.received)
        await phone.send(message())
        await until(lambda: len(self.received) > before)
        self.streams.send([Outgoing(accepted(), self.received[-1][1])])
        assert await phone.reader.readexactly(len(accepted())) == accepted()
        return phone


class Phone:
    """The other end of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.address = writer.get_extra_info("sockname")[:2]

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def is_closed(self) -> bool:
        """The peer has closed, with or without a reset; what came before is skipped."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while await self.reader.read(65536):
                    pass
        except ConnectionError:
            pass
        return True


async def until(is_so: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():
            await asyncio.sleep(0.001)
