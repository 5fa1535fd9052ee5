"""WebSocket connections, without TLS and with TLS (RFC 7118, RFC 6455)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.catalogue.counters import (
    CONNECTIONS_CLOSED_IDLE,
    WEB_SOCKETS_OPENED,
    WEB_SOCKETS_TIMED_OUT,
)
from appliance.transport.framing import PONG
from appliance.transport.web_socket import WebSocketFault, WebSocketFramer
from appliance.workers.connection import Connection
from appliance.workers.tls_connection import TlsConnection

if TYPE_CHECKING:
    _Carrier = Connection
else:
    _Carrier = object


class _WebSocket(_Carrier):
    """What WebSocket adds to the connection that carries it."""

    __slots__ = ()

    answers_pings = True

    def _framer(self) -> WebSocketFramer:
        framer = self.framer
        assert isinstance(framer, WebSocketFramer)
        return framer

    def messages_in(self, data: bytes, now: float, messages_max: int) -> list[bytes]:
        framer = self._framer()
        was_open, had_fault = framer.is_open, framer.fault
        if not was_open:
            framer.origins = self.owner.origins(self)
        messages = framer.receive_bytes(data, now, messages_max)
        if framer.is_open and not was_open:
            self.owner.count(WEB_SOCKETS_OPENED)
        if isinstance(framer.fault, WebSocketFault) and had_fault is None:
            self.owner.count(framer.fault.counter)
        replies = framer.take_replies()
        if replies and not self.is_closing:
            # A peer may send many Pings, and read no Pong.
            self.owner.keeps(self, super().write(replies))
        return messages

    def overdue_counter(self, counter: int = CONNECTIONS_CLOSED_IDLE) -> int:
        return super().overdue_counter(counter) if self._framer().is_open else WEB_SOCKETS_TIMED_OUT

    def takes(self, data: bytes) -> bool:
        return self._framer().is_open and super().takes(data)

    def write(self, data: bytes) -> int:
        return super().write(self._framer().framed(data))

    def write_messages(self, messages: list[bytes]) -> int:
        # RFC 7118 4: a message is a frame of its own.
        return super().write(b"".join(map(self._framer().framed, messages)))

    def answer_pings(self, count: int) -> int:
        # Two answers in one message would be another keep-alive.
        for _ in range(count):
            self.write(PONG)
        return self.unread_len()

    def ping(self) -> int:
        return 0 if self.is_closing else super().write(self._framer().ping())

    def close(self) -> None:
        closing = b"" if self.is_closing else self._framer().closing()
        if closing:
            super().write(closing)
        super().close()


class WebSocketConnection(_WebSocket, Connection):
    """WebSocket by TCP."""

    __slots__ = ()


class SecureWebSocketConnection(_WebSocket, TlsConnection):
    """WebSocket by TLS."""

    __slots__ = ()
