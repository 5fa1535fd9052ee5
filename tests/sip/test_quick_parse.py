"""A request at a glance, and what is refused by it, held against what the parser and the writer make of it."""

from __future__ import annotations

import pytest

from appliance.sip.parser import UNBOUNDED, parse
from appliance.sip.quick_parse import glance_at, has_tag, refusal_of
from appliance.sip.writer import write_response

INVITE = (
    b"INVITE sip:bob@example.com SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1\r\n"
    b"v: SIP/2.0/TCP 192.0.2.9;branch=z9hG4bK0\r\n"
    b"Max-Forwards: 70\r\n"
    b"From: <sip:alice@example.com>;tag=a\r\n"
    b"To: <sip:bob@example.com>\r\n"
    b"Contact: <sip:alice@192.0.2.1>\r\n"
    b"i: call-1\r\n"
    b"CSeq: 1 INVITE\r\n"
    b"Timestamp: 54\r\n"
    b"Content-Length: 3\r\n"
    b"\r\n"
    b"v=0"
)


def test_what_is_read() -> None:
    glance = glance_at(INVITE)
    assert glance is not None
    assert (glance.method, glance.has_to_tag) == (b"INVITE", False)
    assert glance.top_via == b"SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1"
    assert glance.call_id == b"i: call-1\r\n"


def test_a_refusal_is_what_the_writer_makes() -> None:
    """RFC 3261 8.2.6.2."""
    glance = glance_at(INVITE)
    assert glance is not None
    refusal = refusal_of(glance, b"SIP/2.0 503 No\r\n", glance.top_via, b"here", (b"Retry-After: 5\r\n",))
    request = parse(INVITE, UNBOUNDED)
    expected = parse(write_response(request, 503, b"No", (b"Retry-After: 5\r\n",), to_tag=b"here"), UNBOUNDED)
    written = parse(refusal, UNBOUNDED)
    assert sorted(written.lines) == sorted(expected.lines)
    assert written.values(1) == expected.values(1)
    assert written.read_to_tag() == b"here"


def test_the_top_via_is_replaced_and_those_on_its_line_stay() -> None:
    data = INVITE.replace(b"z9hG4bK1\r\n", b"z9hG4bK1 , SIP/2.0/UDP 192.0.2.5;branch=z9hG4bK9\r\n")
    glance = glance_at(data)
    assert glance is not None
    assert glance.top_via == b"SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1"
    stamped = glance.top_via + b";received=192.0.2.7"
    refusal = parse(refusal_of(glance, b"SIP/2.0 503 No\r\n", stamped, b"t", ()), UNBOUNDED)
    assert refusal.read_top_via().received == b"192.0.2.7"
    assert [b"192.0.2.5" in refusal.values(1)[1], len(refusal.values(1))] == [True, 3]


def test_a_tag_that_is_there_stays() -> None:
    glance = glance_at(INVITE.replace(b"To: <sip:bob@example.com>", b"To: <sip:bob@example.com> ; TAG = x"))
    assert glance is not None
    assert glance.has_to_tag
    assert b"tag=here" not in refusal_of(glance, b"SIP/2.0 503 No\r\n", glance.top_via, b"here", ())


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"To: <sip:b@h>;tag=1\r\n", True),
        (b"To: <sip:b@h>;x=y; tag\t=1\r\n", True),
        (b"To: <sip:b@h>;tags=1\r\n", False),
        (b"To: <sip:vintage@h>\r\n", False),
        (b"To: <sip:b@h>;tag\r\n", False),
        (b"To: <sip:b@h>;", False),
    ],
)
def test_tags(line: bytes, expected: bool) -> None:
    assert has_tag(line) is expected


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"INVITE sip", b"SIP/2.0 200 sip"),
        (b" SIP/2.0\r\nVia", b" SIP/3.0\r\nVia"),
        (b"Max-Forwards: 70\r\n", b"Max-Forwards:\r\n 70\r\n"),
        (b"From: <sip:alice@example.com>;tag=a\r\n", b""),
        (b"CSeq: 1 INVITE\r\n", b"CSeq: 1 INVITE\r\nCSeq: 1 INVITE\r\n"),
        (b"z9hG4bK1\r\n", b'z9hG4bK1;x="a,b"\r\n'),
        (b"CSeq: 1 INVITE\r\n", b"CSeq: 1 INVITE\n"),
        (b";tag=a\r\n", b";tag=a\rX: y\r\n"),
        (b"\r\n\r\nv=0", b"\r\n"),
    ],
)
def test_what_has_to_be_parsed(old: bytes, new: bytes) -> None:
    assert INVITE.count(old) == 1
    assert glance_at(INVITE.replace(old, new)) is None


def test_any_beginning_of_a_message_is_no_request() -> None:
    end = INVITE.index(b"\r\n\r\n") + 2
    assert all(glance_at(INVITE[:size]) is None for size in range(end))
