"""Responses and CANCELs that come before their call (design 4)."""

from __future__ import annotations

from appliance.proxy.early_messages import HELD_MAX, WAIT_S, EarlyMessages
from appliance.sip.message import Response

NOW = 100.0
RINGING = Response(180, b"Ringing")


def test_nothing_waits_when_no_call_is_expected() -> None:
    early = EarlyMessages()
    assert not early.hold(RINGING, NOW)
    early.expect(NOW)
    assert not early.hold(RINGING, NOW + WAIT_S)
    assert early.next_deadline() is None


def test_what_waits_in_vain_comes_out_in_time() -> None:
    early = EarlyMessages()
    early.expect(NOW)
    assert early.hold(RINGING, NOW)
    assert early.next_deadline() == NOW + WAIT_S
    assert early.overdue(NOW + WAIT_S - 0.001) == []
    assert early.overdue(NOW + WAIT_S) == [RINGING]
    assert early.next_deadline() is None


def test_no_more_wait_than_there_is_room_for() -> None:
    early = EarlyMessages()
    early.expect(NOW)
    assert [early.hold(RINGING, NOW) for _ in range(HELD_MAX + 1)] == [True] * HELD_MAX + [False]
