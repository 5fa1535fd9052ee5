"""What the log is told of a fault of ours: enough to find the call that it cost."""

from __future__ import annotations

import pytest

from appliance.catalogue.counters import COUNTERS
from appliance.proxy.software_faults import CALL_ID_LEN_MAX, SoftwareFaults

BUG = ValueError("a bug")


def told_call_id(about: bytes) -> str:
    faults = SoftwareFaults([0] * len(COUNTERS))
    faults.note("a message", about, BUG, 1.0)
    (fault,) = faults.take()
    return fault.call_id


def invite(call_id: bytes) -> bytes:
    return b"INVITE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa\r\n" + call_id + b"\r\n\r\n"


@pytest.mark.parametrize("line", [b"Call-ID: a84b4c76e66710@pc33", b"i: a84b4c76e66710@pc33"])
def test_the_call_of_a_message_is_named(line: bytes) -> None:
    """RFC 3261 20.8, and its compact form."""
    assert told_call_id(invite(line)) == "a84b4c76e66710@pc33"


def test_the_call_of_a_snapshot_is_named() -> None:
    assert told_call_id(b"\x9c\x0a\xc4\x02" + invite(b"Call-ID: rings") + b"\x93\x01\xff") == "rings"


@pytest.mark.parametrize("about", [b"", b"\xff\xfe\0", b"INVITE sip:bob@example.com SIP/2.0\r\n\r\n"])
def test_what_has_no_call_id_has_none(about: bytes) -> None:
    assert told_call_id(about) == ""


def test_what_a_stranger_wrote_is_short_and_cannot_steer_a_terminal() -> None:
    assert told_call_id(invite(b"Call-ID: \x1b[2J\x07red")) == "?[2J?red"
    assert len(told_call_id(invite(b"Call-ID: " + b"x" * 5000))) == CALL_ID_LEN_MAX
