"""Cutting a byte stream into messages (RFC 3261 18.3, 7.5; RFC 5626 3.5.1).

A stream is header blocks, each ended by an empty line and followed by as many bytes of body as its
Content-Length says, with CRLFs allowed between messages. Every byte is looked at a bounded number
of times however the stream is cut into reads: the search for the empty line goes on where it
stopped, and the length of a message is taken from its header block once.

Once a stream cannot be cut any further there is no way back into step: `fault` says why, what
follows is ignored, and the connection has to be closed.
"""

from __future__ import annotations

import re
from typing import Final

from appliance.sip.errors import MalformedMessage
from appliance.sip.message import Message, Request
from appliance.sip.parser import SyntaxLimits, parse

# RFC 5626 3.5.1: what a client sends to keep its flow alive, and the response it expects.
PING: Final = b"\r\n\r\n"
PONG: Final = b"\r\n"

# Content-Length = ( "Content-Length" / "l" ) HCOLON 1*DIGIT; HCOLON allows folding before the digits.
CONTENT_LENGTH = re.compile(rb"\r\n(?:content-length|l)[ \t]*:((?:[^\r]|\r\n[ \t])*)", re.IGNORECASE)
# More digits than any length we take has; int() of thousands of digits costs time.
DIGITS_MAX: Final = 10

NEVER: Final = -1.0
UNBOUNDED: Final = 1 << 62


class StreamFramer:
    """The bytes of one stream, until they are messages.

    `fault`          why the stream cannot be cut any further, or None. Its `message` is the request
                     to answer with its `status`, where that much was understood.
    `partial_since`  when the first byte of the incomplete message came; -1.0 when there is none.
    `has_more`       the last call stopped at its `messages_max`, and bytes are left to be cut.
    `buffered_len`   bytes kept.
    `is_finished`    has the peer said that nothing follows? It cannot say so in a stream.
    """

    __slots__ = (
        "_buffer",
        "_limits",
        "_need",
        "_scanned",
        "_start",
        "fault",
        "has_more",
        "is_finished",
        "partial_since",
    )

    def __init__(self, limits: SyntaxLimits) -> None:
        self.fault: MalformedMessage | None = None
        self.partial_since = NEVER
        self.has_more = False
        self.is_finished = False
        self._limits = limits
        self._buffer = bytearray()
        # Where the message that is being assembled begins, and how far it was searched for its empty line.
        self._start = 0
        self._scanned = 0
        # Its whole length; 0 while the header block is incomplete.
        self._need = 0

    @property
    def buffered_len(self) -> int:
        """Bytes that wait for the rest of their message."""
        return len(self._buffer)

    def receive_bytes(self, data: bytes, now: float, messages_max: int = UNBOUNDED) -> list[bytes]:
        """Whole messages, and PING for each keep-alive, in their order in the stream.

        At most `messages_max`; where `has_more`, the next call gives the next ones, with no `data` if there is none.
        What was framed before a fault is still returned with it.
        """
        messages: list[bytes] = []
        self.has_more = False
        if self.fault is not None:
            return messages
        self._buffer += data
        try:
            while len(messages) < messages_max:
                message = self._next_message()
                if message is None:
                    break
                messages.append(message)
            else:
                self.has_more = self._start < len(self._buffer)
        except MalformedMessage as fault:
            self.fault = fault
            self._buffer.clear()
            self._start = 0
        self._forget_taken()
        self._note_partial(bool(messages), now)
        return messages

    def _forget_taken(self) -> None:
        if self._start:
            del self._buffer[: self._start]
            self._scanned -= self._start
            self._start = 0

    def _note_partial(self, has_taken: bool, now: float) -> None:
        # A lone CRLF or half a PING is no message that has begun; and whole messages that wait here are not incomplete.
        if self.has_more or not self._buffer or self._buffer[0] == 0x0D:
            self.partial_since = NEVER
        elif has_taken or self.partial_since == NEVER:
            self.partial_since = now

    def _next_message(self) -> bytes | None:
        """The next message or PING; None when bytes are missing. Raises MalformedMessage."""
        if not self._need:
            if self._buffer.startswith(PING, self._start):
                self._start += len(PING)
                return PING
            if not self._skip_line_ends() or not self._find_length():
                return None
        end = self._start + self._need
        if len(self._buffer) < end:
            return None
        message = bytes(self._buffer[self._start : end])
        self._start = end
        self._need = 0
        return message

    def _skip_line_ends(self) -> bool:
        """RFC 3261 7.5: CRLFs before a start line are ignored. False when no message has begun.

        A CRLF alone may be the first half of a PING, so it stays until more is known.
        """
        buffer = self._buffer
        while buffer.startswith(PONG, self._start):
            missing = self._start + len(PING) - len(buffer)
            if missing > 0 and PING.startswith(buffer[self._start :]):
                return False
            self._start += len(PONG)
        if self._start == len(buffer) or (buffer[self._start] == 0x0D and self._start + 1 == len(buffer)):
            return False
        first = buffer[self._start]
        # A start line begins with a token character (RFC 3261 25.1): TLS and the like end here at once.
        if first <= 0x20 or first >= 0x7F:
            raise MalformedMessage(400, "No SIP Message on Stream")
        return True

    def _find_length(self) -> bool:
        """Set the length of the message at the start; False while its header block is incomplete."""
        begin = max(self._start, self._scanned)
        empty_line = self._buffer.find(b"\r\n\r\n", begin)
        if empty_line < 0:
            if len(self._buffer) - self._start > self._limits.message_len_max:
                raise MalformedMessage(513, "Header Block Too Long")
            # The last three bytes may be the beginning of the empty line.
            self._scanned = max(self._start, len(self._buffer) - 3)
            return False
        self._scanned = empty_line
        head = bytes(self._buffer[self._start : empty_line + 4])
        self._need = len(head) + self._content_length(head)
        return True

    def _content_length(self, head: bytes) -> int:
        """The length of the body that follows `head`. Raises MalformedMessage."""
        if len(head) > self._limits.message_len_max:
            raise MalformedMessage(513, "Header Block Too Long")
        lengths = {value.strip() for value in CONTENT_LENGTH.findall(head)}
        if not lengths:
            # RFC 3261 18.3: Content-Length MUST be used with stream oriented transports.
            raise self._fault(400, "Content-Length Missing on Stream", head)
        if len(lengths) > 1:
            raise self._fault(400, "Different Content-Length Values", head)
        text = lengths.pop()
        if not text.isdigit():
            raise self._fault(400, "Content-Length Is Not a Number", head)
        digits = text.lstrip(b"0") or b"0"
        if len(digits) > DIGITS_MAX or len(head) + int(digits) > self._limits.message_len_max:
            raise self._fault(513, "Message Too Large", head)
        return int(digits)

    def _fault(self, status: int, reason: str, head: bytes) -> MalformedMessage:
        """A fault with the request that `head` begins, so that it can be answered."""
        message: Message | None
        try:
            message = parse(head, self._limits)
        except MalformedMessage as malformed:
            message = malformed.message
        return MalformedMessage(status, reason, message if isinstance(message, Request) else None)
