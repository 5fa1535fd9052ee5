"""Phones that are browsers: the opening handshake, and one SIP message in each WebSocket message (RFC 6455, RFC 7118).

A frame is given to the library when it is whole, so that no more messages are taken than are wanted. What the peer
gets in return (the response to its handshake, Pong, Close) waits in `take_replies`. permessage-deflate is never agreed
upon: a few octets could become a long message.

A frame costs as much as a small message, whatever it brings. For each frame so many octets of messages are in order, or
so much time: a peer with many Pings, or with a message in tiny pieces, is closed.
"""

from __future__ import annotations

import re
from typing import Final

from websockets.exceptions import (
    InvalidMethod,
    InvalidOrigin,
    InvalidProtocol,
    InvalidUpgrade,
    NegotiationError,
    PayloadTooBig,
)
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Origin, Subprotocol

from appliance.catalogue.counters import (
    WEB_SOCKET_FRAMES_MALFORMED,
    WEB_SOCKET_FRAMES_USELESS,
    WEB_SOCKET_MESSAGES_TOO_LONG,
    WEB_SOCKETS_NOT_UPGRADED,
    WEB_SOCKETS_ORIGIN_REFUSED,
    WEB_SOCKETS_PROTOCOL_REFUSED,
    WEB_SOCKETS_REFUSED,
)
from appliance.sip.errors import MalformedMessage
from appliance.sip.parser import SyntaxLimits
from appliance.transport.framing import NEVER, PING, UNBOUNDED

# RFC 7118 4.1
SIP: Final = Subprotocol("sip")
# Octets of an opening handshake: some browsers send long cookies.
HANDSHAKE_LEN_MAX: Final = 1 << 14
REQUEST_LINE: Final = re.compile(rb"[A-Z]{1,20} [!-~]{1,8000} HTTP/1\.[01]")
# RFC 6455 5.2: the second octet of a frame.
MASKED: Final = 0x80
LENGTH_OF_2: Final = 126
LENGTH_OF_8: Final = 127
# What pays for one frame: so many octets of messages, or this part of a second.
OCTETS_PER_FRAME: Final = 64
FRAMES_PER_S: Final = 2.0
FRAMES_UNPAID_MAX: Final = 100.0


class WebSocketFault(MalformedMessage):
    """Why a connection cannot go on. `counter`: where it is counted."""

    def __init__(self, counter: int, reason: str) -> None:
        super().__init__(400, reason)
        self.counter = counter


class WebSocketFramer:
    """The octets of one connection, until they are messages; as StreamFramer (framing.py), and:

    `origins`      those that are accepted, () for any (RFC 6455 10.2); it counts when the handshake comes.
    `is_open`      the handshake is done: messages may be sent.
    `is_finished`  the peer has sent Close.
    """

    __slots__ = (
        "_buffer",
        "_limits",
        "_paid_at",
        "_parts",
        "_protocol",
        "_replies",
        "_unpaid",
        "fault",
        "has_more",
        "is_finished",
        "is_open",
        "origins",
        "partial_since",
    )

    def __init__(self, limits: SyntaxLimits) -> None:
        self.fault: MalformedMessage | None = None
        self.partial_since = NEVER
        self.has_more = False
        self.is_open = False
        self.is_finished = False
        self.origins: tuple[str, ...] = ()
        self._limits = limits
        self._protocol: ServerProtocol | None = None
        self._buffer = bytearray()
        self._parts: list[bytes] = []
        self._replies = b""
        self._unpaid = 0.0
        self._paid_at = 0.0

    def receive_bytes(self, data: bytes, now: float, messages_max: int = UNBOUNDED) -> list[bytes]:
        """Whole messages, and PING for each keep-alive of RFC 5626 3.5.1, at most `messages_max`."""
        messages: list[bytes] = []
        self.has_more = False
        if self.fault is not None or self.is_finished:
            return messages
        self._buffer += data
        self._unpaid = max(0.0, self._unpaid - (now - self._paid_at) * FRAMES_PER_S)
        self._paid_at = now
        try:
            self._take(messages, messages_max)
        except WebSocketFault as fault:
            self.fault = fault
        if self.fault is not None or self.is_finished:
            self._buffer.clear()
            self._parts.clear()
        self._note_partial(bool(messages), now)
        return messages

    def take_replies(self) -> bytes:
        """What the peer has to get; b"" after."""
        replies, self._replies = self._replies, b""
        return replies

    def framed(self, message: bytes) -> bytes:
        """A message as it is sent; b"" where none can be sent any more (RFC 7118 4.2, 5)."""
        protocol = self._protocol
        if protocol is None or protocol.state is not State.OPEN:
            return b""
        try:
            message.decode()
        except UnicodeDecodeError:
            protocol.send_binary(message)
        else:
            protocol.send_text(message)
        return b"".join(protocol.data_to_send())

    def ping(self) -> bytes:
        """RFC 6455 5.5.2: a frame that the peer answers at once; b"" where none may be sent."""
        protocol = self._protocol
        if protocol is None or protocol.state is not State.OPEN:
            return b""
        protocol.send_ping(b"")
        return b"".join(protocol.data_to_send())

    def closing(self) -> bytes:
        """RFC 6455 7.1.1: the Close frame to send before the connection is closed; b"" where there is none."""
        protocol = self._protocol
        if protocol is None or protocol.state is not State.OPEN:
            return b""
        protocol.send_close(CloseCode.GOING_AWAY)
        return b"".join(protocol.data_to_send())

    def _note_partial(self, has_taken: bool, now: float) -> None:
        if self.has_more or not (self._buffer or self._parts):
            self.partial_since = NEVER
        elif has_taken or self.partial_since == NEVER:
            self.partial_since = now

    def _take(self, messages: list[bytes], messages_max: int) -> None:
        """What the buffer has. Raises WebSocketFault."""
        if self._protocol is None and not self._has_shaken_hands():
            return
        while frame_len := self._next_frame_len():
            if len(messages) >= messages_max:
                self.has_more = True
                return
            frame = bytes(self._buffer[:frame_len])
            del self._buffer[:frame_len]
            message = self._receive_frame(frame)
            if message is not None:
                messages.append(message)
            if self.is_finished:
                return

    # -- the handshake -------------------------------------------------------------------------------

    def _has_shaken_hands(self) -> bool:
        """RFC 6455 4.2: is the handshake done? It is answered when it is whole. Raises WebSocketFault."""
        buffer = self._buffer
        line_end, end = buffer.find(b"\r\n"), buffer.find(b"\r\n\r\n")
        is_http = REQUEST_LINE.fullmatch(buffer, 0, line_end) if line_end >= 0 else b"A" <= buffer[:1] <= b"Z"
        if buffer and not is_http:
            raise WebSocketFault(WEB_SOCKETS_REFUSED, "No HTTP")
        if len(buffer) > HANDSHAKE_LEN_MAX and not 0 <= end <= HANDSHAKE_LEN_MAX:
            raise self._refused(400, b"Bad Request", WEB_SOCKETS_REFUSED)
        if end < 0:
            return False
        head = bytes(buffer[: end + 4])
        del buffer[: end + 4]
        self._answer_handshake(head)
        return True

    def _answer_handshake(self, head: bytes) -> None:
        origins = [Origin(origin) for origin in self.origins]
        protocol = ServerProtocol(
            # A peer that is no browser need not have one (RFC 6455 4.1).
            origins=[*origins, None] if origins else None,
            subprotocols=[SIP],
            max_size=self._limits.message_len_max,
        )
        protocol.receive_data(head)
        events = protocol.events_received()
        if not events:
            # Its header fields are none of HTTP.
            raise self._refused(400, b"Bad Request", WEB_SOCKETS_REFUSED)
        request = events[0]
        assert isinstance(request, Request)
        response = protocol.accept(request)
        if response.status_code != 101:
            raise self._refusal_for(protocol.handshake_exc)
        protocol.send_response(response)
        self._protocol = protocol
        self._replies = b"".join(protocol.data_to_send())
        self.is_open = True

    def _refusal_for(self, reason: Exception | None) -> WebSocketFault:
        if isinstance(reason, (InvalidMethod, InvalidProtocol, InvalidUpgrade)):
            return self._refused(426, b"Upgrade Required", WEB_SOCKETS_NOT_UPGRADED)
        if isinstance(reason, InvalidOrigin):
            return self._refused(403, b"Forbidden", WEB_SOCKETS_ORIGIN_REFUSED)
        counter = WEB_SOCKETS_PROTOCOL_REFUSED if isinstance(reason, NegotiationError) else WEB_SOCKETS_REFUSED
        return self._refused(400, b"Bad Request", counter)

    def _refused(self, status: int, phrase: bytes, counter: int) -> WebSocketFault:
        """RFC 9110 15.5.22, RFC 6455 4.4: as short as it may be, for strangers get it."""
        self._replies = (
            b"HTTP/1.1 %d %s\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\nSec-WebSocket-Version: 13\r\n"
            b"Content-Length: 0\r\n\r\n" % (status, phrase)
        )
        return WebSocketFault(counter, phrase.decode())

    # -- frames --------------------------------------------------------------------------------------

    def _next_frame_len(self) -> int:
        """The length of the frame that the buffer begins with; 0 while it is not whole. Raises WebSocketFault."""
        buffer = self._buffer
        if len(buffer) < 2:
            return 0
        if not buffer[1] & MASKED:
            # RFC 6455 5.1: the library closes it, however long the frame is.
            return len(buffer)
        length, header_len = buffer[1] & ~MASKED, 6
        if length >= LENGTH_OF_2:
            octets = 2 if length == LENGTH_OF_2 else 8
            if len(buffer) < 2 + octets:
                return 0
            length, header_len = int.from_bytes(buffer[2 : 2 + octets], "big"), 6 + octets
        if length > self._limits.message_len_max:
            self._fail(CloseCode.MESSAGE_TOO_BIG)
            raise WebSocketFault(WEB_SOCKET_MESSAGES_TOO_LONG, "Message Too Long")
        whole_len = header_len + length
        return whole_len if len(buffer) >= whole_len else 0

    def _receive_frame(self, data: bytes) -> bytes | None:
        """The message that a whole frame ends, if there is one. Raises WebSocketFault."""
        protocol = self._protocol
        assert protocol is not None
        protocol.receive_data(data)
        self._replies += b"".join(protocol.data_to_send())
        fault = protocol.parser_exc
        if isinstance(fault, PayloadTooBig):
            raise WebSocketFault(WEB_SOCKET_MESSAGES_TOO_LONG, "Message Too Long")
        if fault is not None:
            raise WebSocketFault(WEB_SOCKET_FRAMES_MALFORMED, "Malformed WebSocket Frame")
        self._pay()
        for frame in protocol.events_received():
            assert isinstance(frame, Frame)
            if frame.opcode is Opcode.CLOSE:
                self.is_finished = True
            elif frame.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                return self._part(bytes(frame.data), frame.fin)
        return None

    def _part(self, data: bytes, is_last: bool) -> bytes | None:
        self._parts.append(data)
        if not is_last:
            return None
        message = data if len(self._parts) == 1 else b"".join(self._parts)
        self._parts.clear()
        self._unpaid = max(0.0, self._unpaid - len(message) / OCTETS_PER_FRAME)
        # Empty lines are no message (RFC 3261 7.5); two of them want an answer.
        return message if message == PING or message.strip(b"\r\n") else None

    def _pay(self) -> None:
        self._unpaid += 1.0
        if self._unpaid > FRAMES_UNPAID_MAX:
            self._fail(CloseCode.POLICY_VIOLATION)
            raise WebSocketFault(WEB_SOCKET_FRAMES_USELESS, "Too Many WebSocket Frames")

    def _fail(self, code: CloseCode) -> None:
        assert self._protocol is not None
        self._protocol.fail(code)
        self._replies += b"".join(self._protocol.data_to_send())
