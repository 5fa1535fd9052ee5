"""How often one address may change its contacts."""

from __future__ import annotations

from appliance.location.change_limits import ADDRESSES_MAX, ChangeLimits

BOB = b"sip:bob@example.com"


def test_a_minutes_changes_may_come_at_once_and_then_at_their_rate() -> None:
    limits = ChangeLimits(60)
    assert limits.wait_for(BOB, 60, 100.0) == 0.0
    assert limits.wait_for(BOB, 10, 100.0) == 10.0
    assert limits.wait_for(BOB, 10, 110.0) == 0.0
    assert limits.wait_for(BOB, 1, 110.0) == 1.0
    assert limits.wait_for(b"sip:alice@example.com", 1, 110.0) == 0.0


def test_more_than_a_minute_has_needs_a_quiet_minute_before_it() -> None:
    limits = ChangeLimits(5)
    assert limits.wait_for(BOB, 10, 100.0) == 0.0
    assert limits.wait_for(BOB, 10, 130.0) == 30.0
    assert limits.wait_for(BOB, 10, 160.0) == 0.0


def test_addresses_are_bounded_and_the_quiet_ones_are_forgotten_first() -> None:
    limits = ChangeLimits(60)
    limits.wait_for(BOB, 60, 100.0)
    for number in range(3 * ADDRESSES_MAX):
        assert limits.wait_for(b"sip:%d@example.com" % number, 60, 100.0) == 0.0
        assert len(limits) <= ADDRESSES_MAX
    assert limits.wait_for(b"sip:%d@example.com" % number, 60, 100.0) == 60.0
    assert limits.wait_for(BOB, 60, 100.0) == 0.0
