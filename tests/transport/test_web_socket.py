"""WebSocket: handshakes, frames and their bounds (RFC 6455, RFC 7118)."""

from __future__ import annotations

import pytest
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.typing import Origin, Subprotocol
from websockets.uri import parse_uri

from appliance.catalogue import counters as catalogue
from appliance.sip.parser import SyntaxLimits
from appliance.transport.framing import NEVER, PING
from appliance.transport.web_socket import HANDSHAKE_LEN_MAX, WebSocketFault, WebSocketFramer

LIMITS = SyntaxLimits(message_len_max=4096, header_count_max=50, header_len_max=1024, uri_len_max=512)
MESSAGE = b"OPTIONS sip:bob@example.com SIP/2.0\r\nCall-ID: a\r\n\r\n"
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\nSec-WebSocket-Version: 13\r\n"
)


class Browser:
    """A client that has shaken hands with a framer."""

    def __init__(self, origins: tuple[str, ...] = (), origin: str | None = None) -> None:
        self.framer = WebSocketFramer(LIMITS)
        self.framer.origins = origins
        self.end = ClientProtocol(
            parse_uri("ws://example.com/"), subprotocols=[Subprotocol("sip")], origin=Origin(origin) if origin else None
        )
        self.end.send_request(self.end.connect())
        self.framer.receive_bytes(self.sent(), 0.0)
        self.end.receive_data(self.framer.take_replies())
        (self.response,) = self.end.events_received()
        assert isinstance(self.response, Response)

    def sent(self) -> bytes:
        """What it sends now."""
        return b"".join(self.end.data_to_send())

    def got(self, data: bytes) -> list[tuple[Opcode, bytes]]:
        """The frames that it gets by these octets."""
        self.end.receive_data(data)
        frames = [event for event in self.end.events_received() if isinstance(event, Frame)]
        return [(frame.opcode, bytes(frame.data)) for frame in frames]


def frame(data: bytes, opcode: Opcode = Opcode.TEXT, fin: bool = True, mask: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=mask)


def closed_because(framer: WebSocketFramer) -> int:
    assert isinstance(framer.fault, WebSocketFault)
    return framer.fault.counter


def refused(request: bytes, origins: tuple[str, ...] = ()) -> tuple[int, bytes]:
    """Where a handshake is counted that is refused, and what it is answered."""
    framer = WebSocketFramer(LIMITS)
    framer.origins = origins
    assert framer.receive_bytes(request, 0.0) == [] and not framer.is_open
    reply = framer.take_replies()
    assert framer.take_replies() == b"" and framer.receive_bytes(UPGRADE + b"\r\n", 0.0) == []
    return closed_because(framer), reply


# -- handshakes (RFC 6455 4.2, RFC 7118 4) -----------------------------------------------------------


def test_a_handshake_with_the_sub_protocol_sip_is_accepted() -> None:
    """RFC 6455 1.3: this key has this answer. Nothing is compressed, whatever is offered."""
    framer = WebSocketFramer(LIMITS)
    framer.receive_bytes(UPGRADE + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n", 0.0)
    reply = framer.take_replies()
    assert reply.startswith(b"HTTP/1.1 101 ") and reply.endswith(b"\r\n\r\n")
    assert b"\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in reply
    assert b"\r\nSec-WebSocket-Protocol: sip\r\n" in reply and b"deflate" not in reply
    assert framer.is_open and framer.fault is None and framer.partial_since == NEVER


def test_a_handshake_comes_in_any_pieces_and_messages_may_follow_it() -> None:
    framer = WebSocketFramer(LIMITS)
    messages = []
    for octet in UPGRADE + b"\r\n" + frame(MESSAGE) + frame(MESSAGE):
        messages += framer.receive_bytes(bytes([octet]), 1.0)
    assert messages == [MESSAGE, MESSAGE]


def test_a_handshake_that_is_not_whole_ages() -> None:
    framer = WebSocketFramer(LIMITS)
    framer.receive_bytes(UPGRADE[:20], 1.0)
    framer.receive_bytes(UPGRADE[20:40], 2.0)
    assert framer.partial_since == 1.0 and not framer.is_open


@pytest.mark.parametrize(
    ("request_", "status", "counter"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"426", catalogue.WEB_SOCKETS_NOT_UPGRADED),
        (b"GET / HTTP/1.0\r\n\r\n", b"426", catalogue.WEB_SOCKETS_NOT_UPGRADED),
        (b"POST /x HTTP/1.1\r\nHost: a\r\n\r\n", b"426", catalogue.WEB_SOCKETS_NOT_UPGRADED),
        (UPGRADE.replace(b": sip", b": xmpp") + b"\r\n", b"400", catalogue.WEB_SOCKETS_PROTOCOL_REFUSED),
        (UPGRADE.replace(b"Protocol: sip", b"X: y") + b"\r\n", b"400", catalogue.WEB_SOCKETS_PROTOCOL_REFUSED),
        (UPGRADE.replace(b"dGhlIHNhbXBsZSBub25jZQ==", b"short") + b"\r\n", b"400", catalogue.WEB_SOCKETS_REFUSED),
        (UPGRADE.replace(b"Version: 13", b"Version: 8") + b"\r\n", b"4", catalogue.WEB_SOCKETS_REFUSED),
        (UPGRADE + b"Cookie: " + b"c" * HANDSHAKE_LEN_MAX, b"400", catalogue.WEB_SOCKETS_REFUSED),
    ],
    ids=["no upgrade", "HTTP/1.0", "POST", "other protocol", "no protocol", "wrong key", "old version", "giant"],
)
def test_what_is_no_handshake_gets_a_short_answer(request_: bytes, status: bytes, counter: int) -> None:
    """RFC 9110 15.5.22, RFC 6455 4.2.2."""
    found, reply = refused(request_)
    assert found == counter and reply.startswith(b"HTTP/1.1 " + status) and len(reply) < 200
    assert b"\r\nUpgrade: websocket\r\n" in reply and b"\r\nContent-Length: 0\r\n" in reply


@pytest.mark.parametrize("data", [MESSAGE, b"\x16\x03\x01\x00\x05hello", b"\r\n\r\n", b"GET\r\n", b"\0" * 20000])
def test_what_is_no_http_gets_no_answer(data: bytes) -> None:
    assert refused(data) == (catalogue.WEB_SOCKETS_REFUSED, b"")


def test_only_pages_of_the_list_may_connect() -> None:
    """RFC 6455 10.2; a phone that is no page has no origin."""
    origins = ("https://phone.example.com", "https://other.example.com:8443")
    for origin in (*origins, None):
        assert Browser(origins, origin).framer.is_open
    head = UPGRADE + b"Origin: https://evil.example\r\n\r\n"
    assert refused(head, origins)[0] == catalogue.WEB_SOCKETS_ORIGIN_REFUSED
    assert refused(head, origins)[1].startswith(b"HTTP/1.1 403 ")
    assert Browser((), "https://evil.example").framer.is_open


# -- messages (RFC 7118 4.2, 5) ----------------------------------------------------------------------


def test_a_message_is_a_text_or_binary_message() -> None:
    browser = Browser()
    browser.end.send_text(MESSAGE)
    browser.end.send_binary(MESSAGE + b"\xff")
    assert browser.framer.receive_bytes(browser.sent(), 1.0) == [MESSAGE, MESSAGE + b"\xff"]
    assert browser.got(browser.framer.framed(MESSAGE)) == [(Opcode.TEXT, MESSAGE)]
    assert browser.got(browser.framer.framed(b"\xff")) == [(Opcode.BINARY, b"\xff")]


def test_fragments_with_a_ping_between_are_one_message() -> None:
    """RFC 6455 5.4, 5.5.2: a Pong with the same octets."""
    framer = Browser().framer
    first, last = frame(MESSAGE[:10], fin=False), frame(MESSAGE[10:], Opcode.CONT)
    assert framer.receive_bytes(first + frame(b"12", Opcode.PING), 1.0) == [] and framer.partial_since == 1.0
    assert framer.take_replies() == frame(b"12", Opcode.PONG, mask=False)
    assert framer.receive_bytes(last, 2.0) == [MESSAGE] and framer.partial_since == NEVER


def test_empty_lines_are_keep_alives_or_nothing() -> None:
    """RFC 7118 6, RFC 5626 3.5.1."""
    framer = Browser().framer
    assert framer.receive_bytes(frame(PING) + frame(b"\r\n") + frame(b"") + frame(MESSAGE), 1.0) == [PING, MESSAGE]


def test_no_more_messages_than_are_wanted() -> None:
    framer, whole = Browser().framer, frame(MESSAGE)
    assert framer.receive_bytes(whole * 3 + whole[:9], 1.0, 2) == [MESSAGE, MESSAGE]
    assert framer.has_more and framer.partial_since == NEVER
    assert framer.receive_bytes(b"", 2.0, 2) == [MESSAGE]
    assert not framer.has_more and framer.partial_since == 2.0
    assert framer.receive_bytes(whole[9:], 3.0, 2) == [MESSAGE]


def test_close_is_answered_and_ends_the_connection() -> None:
    """RFC 6455 5.5.1."""
    browser = Browser()
    browser.end.send_text(MESSAGE)
    browser.end.send_close(1001)
    framer = browser.framer
    assert framer.receive_bytes(browser.sent() + b"rest", 1.0) == [MESSAGE]
    assert framer.is_finished and framer.fault is None
    assert [opcode for opcode, _ in browser.got(framer.take_replies())] == [Opcode.CLOSE]
    assert framer.framed(MESSAGE) == framer.closing() == b""


def test_the_appliance_says_that_it_goes() -> None:
    browser = Browser()
    assert [opcode for opcode, _ in browser.got(browser.framer.closing())] == [Opcode.CLOSE]
    assert browser.framer.closing() == b""
    fresh = WebSocketFramer(LIMITS)
    assert fresh.closing() == fresh.framed(MESSAGE) == b""


# -- bad input ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        frame(MESSAGE, mask=False),
        frame(b"", mask=False)[:2],
        b"\xf1" + frame(MESSAGE)[1:],
        b"\x83" + frame(MESSAGE)[1:],
        b"\x09" + frame(b"", Opcode.PING)[1:],
        frame(MESSAGE, Opcode.CONT),
        frame(MESSAGE, fin=False) + frame(MESSAGE),
    ],
    ids=["not masked", "not masked, cut", "reserved bits", "opcode", "Ping in fragments", "no beginning", "two"],
)
def test_a_malformed_frame_ends_the_connection(data: bytes) -> None:
    """RFC 6455 5.1, 5.2, 5.4, 5.5, 7.1.7: with Close and 1002."""
    browser = Browser()
    assert browser.framer.receive_bytes(data, 1.0) == []
    assert closed_because(browser.framer) == catalogue.WEB_SOCKET_FRAMES_MALFORMED
    ((opcode, reason),) = browser.got(browser.framer.take_replies())
    assert (opcode, reason[:2]) == (Opcode.CLOSE, b"\x03\xea")


def test_what_came_before_a_malformed_frame_is_a_message() -> None:
    framer = Browser().framer
    assert framer.receive_bytes(frame(MESSAGE) + frame(MESSAGE, mask=False) + frame(MESSAGE), 1.0) == [MESSAGE]
    assert closed_because(framer) == catalogue.WEB_SOCKET_FRAMES_MALFORMED


@pytest.mark.parametrize(
    "data",
    [
        frame(b"x" * 5000),
        b"\x81\xff" + b"\xff" * 8,
        b"\x81\xfe\xff\xff",
        frame(b"x" * 2100, fin=False) + frame(b"x" * 2100, Opcode.CONT, fin=False),
    ],
    ids=["whole", "of 16 exbibytes", "announced", "in fragments"],
)
def test_a_giant_message_ends_the_connection_when_it_is_announced(data: bytes) -> None:
    browser = Browser()
    assert browser.framer.receive_bytes(data, 1.0) == []
    assert closed_because(browser.framer) == catalogue.WEB_SOCKET_MESSAGES_TOO_LONG
    ((opcode, reason),) = browser.got(browser.framer.take_replies())
    assert (opcode, reason[:2]) == (Opcode.CLOSE, b"\x03\xf1")


@pytest.mark.parametrize(
    "data",
    [
        frame(b"", Opcode.PING) * 101,
        frame(b"", Opcode.PONG) * 101,
        frame(b"x" * 3) * 120,
        frame(b"", fin=False) + frame(b"", Opcode.CONT, fin=False) * 101,
    ],
    ids=["Pings", "Pongs", "tiny messages", "tiny fragments"],
)
def test_many_frames_with_nothing_in_them_end_the_connection(data: bytes) -> None:
    framer = Browser().framer
    framer.receive_bytes(data, 1.0)
    assert closed_because(framer) == catalogue.WEB_SOCKET_FRAMES_USELESS


def test_pings_of_a_patient_phone_and_fragments_of_long_messages_are_in_order() -> None:
    framer = Browser().framer
    for second in range(1000):
        framer.receive_bytes(frame(b"", Opcode.PING), float(second))
    for _ in range(20):
        pieces = frame(b"x" * 100, fin=False) + frame(b"x" * 100, Opcode.CONT, fin=False) * 30
        assert len(framer.receive_bytes(pieces + frame(b"x", Opcode.CONT), 1000.0)) == 1
    assert framer.fault is None
