"""A node that listens by WebSocket, with and without TLS, and a phone at the other end."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Any

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from appliance.catalogue.limit_settings import LimitSettings
from appliance.catalogue.settings import ListenerSettings
from appliance.catalogue.transports import WS, WSS
from appliance.tls_contexts import TlsContexts
from tests.certificate_authority import CertificateAuthority
from tests.workers.streams_bench import Node, Phone
from tests.workers.tls_bench import secure_settings


class WebSocketNode(Node):
    """A node whose listener has transport ws, or wss where there is an authority."""

    def __init__(
        self, authority: CertificateAuthority | None = None, origins: tuple[str, ...] = (), **limits: int
    ) -> None:
        super().__init__(**limits)
        self.authority = authority
        listeners = (ListenerSettings(transports=(WS,), origins=origins),)
        if authority is not None:
            settings = secure_settings(authority, transports=(WSS,), origins=origins)
            listeners = settings.listeners
            self.handshakes.reconfigure(TlsContexts(settings), settings.tls)
        self.streams.reconfigure(listeners, LimitSettings(**limits), self.streams.syntax)

    async def listen(self, listener: int = 0) -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        self.address = listening.getsockname()[:2]
        await self.streams.listen(listener, WSS if self.authority else WS, listening)

    async def dial(self, buffer_len: int = 0) -> Phone:
        """A connection without a handshake of WebSocket. `buffer_len`: what its kernel takes unread, if not 0."""
        end = socket.socket()
        if buffer_len:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_len)
        end.setblocking(False)
        await asyncio.get_running_loop().sock_connect(end, self.address)
        if self.authority is None:
            return Phone(*await asyncio.open_connection(sock=end))
        context = ssl.create_default_context(cafile=str(self.authority.trust))
        return Phone(*await asyncio.open_connection(sock=end, ssl=context, server_hostname="proxy.example"))

    async def browse(self, buffer_len: int = 0, **options: Any) -> Browser:
        """A phone whose handshake is done."""
        browser = Browser(await self.dial(buffer_len), **options)
        assert await browser.shake_hands() == 101
        return browser


class Browser:
    """A phone that is a browser."""

    def __init__(self, phone: Phone, **options: Any) -> None:
        self.phone = phone
        self.end = ClientProtocol(parse_uri("ws://proxy.example/"), subprotocols=[Subprotocol("sip")], **options)
        self._events: list[object] = []

    async def shake_hands(self) -> int:
        """The status of the answer."""
        self.end.send_request(self.end.connect())
        await self.flush()
        response = await self._next_event()
        assert isinstance(response, Response)
        return response.status_code

    async def send(self, data: bytes) -> None:
        self.end.send_text(data)
        await self.flush()

    async def flush(self) -> None:
        for data in self.end.data_to_send():
            if data:
                await self.phone.send(data)

    async def next_frame(self) -> tuple[Opcode, bytes]:
        event = await self._next_event()
        assert isinstance(event, Frame)
        return event.opcode, bytes(event.data)

    async def _next_event(self) -> object:
        while not self._events:
            data = await self.phone.reader.read(65536)
            assert data, "the connection was closed"
            self.end.receive_data(data)
            self._events += self.end.events_received()
        return self._events.pop(0)
