"""Properties of the syntax floor, on octets that hypothesis invents and on torture messages that it damages."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.sip.errors import MalformedMessage
from appliance.sip.names import CONTENT_LENGTH
from appliance.sip.parser import parse
from appliance.sip.writer import write
from tests.effort import examples
from tests.fuzz.syntax_target import LIMITS, consume, consume_value

MESSAGES = sorted(path.read_bytes() for path in (Path(__file__).parents[1] / "torture" / "messages").glob("*.sip"))
BOUNDED = settings(max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.too_slow])
# Pieces that matter to the grammar, besides octets at random.
PIECES = st.sampled_from(
    [
        *(b"\r\n", b"\r\n ", b"\n", b"\r", b'"', b"<", b">", b",", b";", b":", b"@", b"%", b"%4", b"%00", b"[", b"]"),
        *(b"=", b"?", b"/", b"\\", b"\x00", b"\xff", b" ", b"\t", b"*", b"sip:", b"tel:", b"SIP/2.0", b"Via: "),
        *(b"Contact: ", b"\r\n\r\n", b"Content-Length: 3", b"9" * 30, b"z9hG4bK", b";rport", b";q=2"),
        *(b";expires=x", b";tag=", b"ACK", b";lr=%"),
    ]
)
TEXT = st.lists(st.one_of(PIECES, st.binary(max_size=4)), max_size=40).map(b"".join)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A torture message with a few stretches cut out, doubled or overwritten."""
    data = draw(st.sampled_from(MESSAGES))
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 12)))
        middle = draw(st.one_of(PIECES, st.binary(max_size=3), st.just(data[start:end] * 2)))
        data = data[:start] + middle + data[end:]
    return data


@BOUNDED
@given(damaged())
def test_damaged_messages_raise_nothing_else(data: bytes) -> None:
    consume(data)


@BOUNDED
@given(TEXT)
def test_any_octets_raise_nothing_else(data: bytes) -> None:
    consume(data)


@BOUNDED
@given(TEXT)
def test_any_value_raises_nothing_else(value: bytes) -> None:
    consume_value(value)


@BOUNDED
@given(st.sampled_from([b"sip:", b"sips:", b"tel:", b"x:"]), TEXT)
def test_any_uri_raises_nothing_else(scheme: bytes, rest: bytes) -> None:
    consume_value(scheme + rest)


@BOUNDED
@given(st.sampled_from(MESSAGES), st.binary(max_size=30))
def test_octets_after_the_body_change_nothing(data: bytes, noise: bytes) -> None:
    """RFC 3261 18.3: what follows Content-Length octets of a datagram is dropped."""
    try:
        message = parse(data, LIMITS)
    except MalformedMessage:
        return
    if message.count(CONTENT_LENGTH):
        assert write(parse(data + noise, LIMITS)) == write(message)
