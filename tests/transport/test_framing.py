"""Framing of streams (RFC 3261 18.3, 7.5; RFC 5626 3.5.1)."""

from __future__ import annotations

import random
import time

import pytest

from appliance.catalogue.transports import TRANSPORTS, Transport
from appliance.sip.parser import SyntaxLimits
from appliance.transport.framers import FRAMERS, framer_of
from appliance.transport.framing import NEVER, PING, StreamFramer

LIMITS = SyntaxLimits(message_len_max=4096, header_count_max=50, header_len_max=1024, uri_len_max=512)


def message(content_length: str = "Content-Length: {}\r\n", body: bytes = b"", call_id: str = "a") -> bytes:
    head = (
        "OPTIONS sip:bob@example.com SIP/2.0\r\n"
        "Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1\r\n"
        "From: <sip:alice@example.com>;tag=1\r\n"
        "To: <sip:bob@example.com>\r\n"
        f"Call-ID: {call_id}\r\n"
        "CSeq: 1 OPTIONS\r\n"
        "Max-Forwards: 70\r\n"
    )
    return (head + content_length.format(len(body)) + "\r\n").encode() + body


def framer() -> StreamFramer:
    return StreamFramer(LIMITS)


def test_one_message_in_one_read() -> None:
    whole = message(body=b"hello")
    assert framer().receive_bytes(whole, 0.0) == [whole]


def test_several_messages_in_one_read() -> None:
    first, second, third = message(body=b"x" * 100), message(call_id="b"), message(body=b"\r\n\r\n", call_id="c")
    assert framer().receive_bytes(first + second + third, 0.0) == [first, second, third]


def test_one_message_byte_by_byte() -> None:
    whole = message(body=b"hello\r\n\r\nworld")
    stream = framer()
    for index in range(len(whole) - 1):
        assert stream.receive_bytes(whole[index : index + 1], 0.0) == []
    assert stream.receive_bytes(whole[-1:], 0.0) == [whole]
    assert stream.buffered_len == 0


def test_the_cuts_between_reads_do_not_matter() -> None:
    sent = [message(body=b"b" * (n * 7 % 300), call_id=str(n)) for n in range(40)]
    sent[10:10] = [PING]
    sent[20:20] = [PING, PING]
    data = b"".join(sent)
    for seed in range(20):
        source = random.Random(seed)
        stream, received, index = framer(), [], 0
        while index < len(data):
            step = source.randint(1, 700)
            received += stream.receive_bytes(data[index : index + step], 0.0)
            index += step
        assert received == sent, f"seed {seed}"


@pytest.mark.parametrize(
    "spelling",
    [
        "Content-Length: {}\r\n",
        "content-length:{}\r\n",
        "CONTENT-LENGTH  :   {}\r\n",
        "l: {}\r\n",
        "L : {}\r\n",
        "Content-Length:\r\n {}\r\n",
        "Content-Length: 000{}\r\n",
        "Content-Length: {}  \r\n",
        "l: {0}\r\nContent-Length: {0}\r\n",
        "X-L: 3\r\nx: 1\r\n l: 4\r\nContent-Length: {}\r\n",
    ],
)
def test_content_length_in_any_spelling(spelling: str) -> None:
    """RFC 3261 7.3.1, 7.3.3, 20.14."""
    whole = message(spelling, b"0123456789")
    assert framer().receive_bytes(whole + b"NEXT", 0.0) == [whole]


def test_crlf_before_a_message_is_ignored() -> None:
    """RFC 3261 7.5."""
    whole = message()
    assert framer().receive_bytes(b"\r\n" + whole + b"\r\n" + whole, 0.0) == [whole, whole]


def test_double_crlf_is_a_ping() -> None:
    """RFC 5626 3.5.1."""
    whole = message()
    stream = framer()
    assert stream.receive_bytes(b"\r\n\r\n", 0.0) == [PING]
    assert stream.receive_bytes(b"\r\n", 0.0) == []
    assert stream.receive_bytes(b"\r", 0.0) == []
    assert stream.receive_bytes(b"\n", 0.0) == [PING]
    assert stream.receive_bytes(b"\r\n\r\n" + whole, 0.0) == [PING, whole]


def test_half_a_ping_is_no_partial_message() -> None:
    stream = framer()
    stream.receive_bytes(b"\r\n\r", 5.0)
    assert stream.partial_since == NEVER


def test_a_partial_message_is_dated_by_its_first_byte() -> None:
    whole = message()
    stream = framer()
    stream.receive_bytes(whole[:10], 1.0)
    stream.receive_bytes(whole[10:20], 2.0)
    assert stream.partial_since == 1.0
    stream.receive_bytes(whole[20:] + whole[:5], 3.0)
    assert stream.partial_since == 3.0
    stream.receive_bytes(whole[5:], 4.0)
    assert stream.partial_since == NEVER


@pytest.mark.parametrize(
    ("spelling", "status", "reason"),
    [
        ("", 400, "Content-Length Missing on Stream"),
        ("Content-Length: five\r\n", 400, "Content-Length Is Not a Number"),
        ("Content-Length: -5\r\n", 400, "Content-Length Is Not a Number"),
        ("Content-Length: 5, 5\r\n", 400, "Content-Length Is Not a Number"),
        ("Content-Length:\r\n", 400, "Content-Length Is Not a Number"),
        ("Content-Length: 5\r\nl: 6\r\n", 400, "Different Content-Length Values"),
        ("Content-Length: 5000\r\n", 513, "Message Too Large"),
        ("Content-Length: 4294967301\r\n", 513, "Message Too Large"),
        ("Content-Length: " + "9" * 900 + "\r\n", 513, "Message Too Large"),
    ],
)
def test_a_message_of_unknown_length_ends_the_stream(spelling: str, status: int, reason: str) -> None:
    """RFC 3261 18.3: without a length the start of the next message is not known."""
    stream = framer()
    assert stream.receive_bytes(message(spelling), 0.0) == []
    assert stream.fault is not None
    assert (stream.fault.status, stream.fault.reason) == (status, reason)


def test_the_request_of_a_fault_can_be_answered() -> None:
    stream = framer()
    stream.receive_bytes(message("Content-Length: 5000\r\n", call_id="fault-1"), 0.0)
    assert stream.fault is not None and stream.fault.message is not None
    assert stream.fault.message.read_call_id() == b"fault-1"


def test_what_was_framed_before_a_fault_is_not_lost() -> None:
    whole = message()
    stream = framer()
    assert stream.receive_bytes(whole + message(""), 0.0) == [whole]
    assert stream.fault is not None


def test_nothing_is_read_after_a_fault() -> None:
    stream = framer()
    stream.receive_bytes(message(""), 0.0)
    assert stream.receive_bytes(message(), 0.0) == []
    assert stream.buffered_len == 0


@pytest.mark.parametrize("garbage", [b"\x16\x03\x01\x02\x00", b"\x00", b"\xff\xfe", b" x", b"\rX", b"\n"])
def test_a_stream_that_is_not_sip_ends_at_once(garbage: bytes) -> None:
    stream = framer()
    stream.receive_bytes(garbage, 0.0)
    assert stream.fault is not None and stream.fault.message is None


def test_a_header_block_without_end_is_bounded() -> None:
    stream = framer()
    for _ in range(100):
        stream.receive_bytes(b"X-Filler: " + b"x" * 90, 0.0)
    assert stream.fault is not None and stream.fault.status == 513
    assert stream.buffered_len == 0


def test_a_large_message_in_small_pieces_costs_linear_time() -> None:
    """A drip of single bytes must not make the framer look at the beginning again and again."""
    limits = SyntaxLimits(message_len_max=1 << 20, header_count_max=9999, header_len_max=1 << 20, uri_len_max=512)

    def seconds_for(size: int) -> float:
        stream = StreamFramer(limits)
        data = b"A" * size
        begin = time.process_time()
        for index in range(size):
            stream.receive_bytes(data[index : index + 1], 0.0)
        return time.process_time() - begin

    small, large = seconds_for(20_000), seconds_for(160_000)
    # Eight times the bytes: eight times the work, with room for a noisy machine; quadratic would be 64.
    assert large < 30 * small + 0.05


@pytest.mark.parametrize("row", [row for row in TRANSPORTS if row.is_stream], ids=lambda row: row.name)
def test_every_stream_transport_has_a_framer(row: Transport) -> None:
    assert type(framer_of(row.number, LIMITS)) is FRAMERS[row.framing]


def test_a_datagram_needs_no_framer() -> None:
    assert not any(row.framing for row in TRANSPORTS if not row.is_stream)


def test_no_more_messages_than_are_wanted() -> None:
    """The rest is cut by later calls; while whole messages wait, none is incomplete."""
    stream, whole = framer(), message()
    assert stream.receive_bytes(whole * 3 + PING + whole[:10], 1.0, 2) == [whole, whole]
    assert stream.has_more and stream.partial_since == NEVER
    assert stream.receive_bytes(b"", 2.0, 0) == []
    assert stream.has_more
    assert stream.receive_bytes(b"", 3.0, 5) == [whole, PING]
    assert not stream.has_more and stream.partial_since == 3.0
    assert stream.receive_bytes(whole[10:], 4.0, 1) == [whole]
    assert not stream.has_more and stream.partial_since == NEVER


def test_a_fault_is_found_when_its_turn_has_come() -> None:
    stream, whole = framer(), message()
    assert stream.receive_bytes(whole + message(""), 0.0, 1) == [whole]
    assert stream.fault is None and stream.has_more
    assert stream.receive_bytes(b"", 0.0, 1) == []
    assert stream.fault is not None and not stream.has_more
