"""Which of several addresses is connected to next, and when (RFC 8305 4, 5)."""

from __future__ import annotations

from appliance.transport.connection_attempts import (
    ATTEMPT_DELAY_S,
    ATTEMPTS_MAX,
    NEVER,
    ConnectionAttempts,
    interleaved,
)
from appliance.transport.flow import TCP, Flow


def hops(*addresses: str) -> list[Flow]:
    return [Flow(TCP, 0, (address, 5060)) for address in addresses]


def addresses(found: tuple[Flow, ...]) -> list[str]:
    return [hop.remote[0] for hop in found]


def test_the_families_take_turns_and_the_first_address_stays_the_first() -> None:
    """RFC 8305 4."""
    assert addresses(interleaved(hops("192.0.2.1", "2001:db8::1"))) == ["192.0.2.1", "2001:db8::1"]
    assert addresses(interleaved(hops("192.0.2.1", "192.0.2.2", "2001:db8::1"))) == [
        "192.0.2.1",
        "2001:db8::1",
        "192.0.2.2",
    ]
    assert addresses(interleaved(hops("2001:db8::1", "192.0.2.1", "192.0.2.2"))) == [
        "2001:db8::1",
        "192.0.2.1",
        "192.0.2.2",
    ]


def test_one_family_alone_is_not_tried_so_and_many_addresses_are_bounded() -> None:
    assert interleaved(hops("192.0.2.1", "192.0.2.2")) == ()
    many = hops(*(f"192.0.2.{number}" for number in range(8)), *(f"2001:db8::{number}" for number in range(8)))
    assert addresses(interleaved(many)) == ["192.0.2.0", "2001:db8::0", "192.0.2.1", "2001:db8::1"]
    assert len(interleaved(many)) == ATTEMPTS_MAX


def test_the_second_begins_250_ms_after_the_first() -> None:
    """RFC 8305 5."""
    attempts = ConnectionAttempts(2, 10.0)
    assert attempts.take_due(10.0) == 0
    assert attempts.take_due(10.0) is None
    assert attempts.next_at == 10.0 + ATTEMPT_DELAY_S == 10.25
    assert attempts.take_due(10.25) == 1
    assert attempts.next_at == NEVER and attempts.take_due(99.0) is None
    assert attempts.late(1) == [0]
    assert attempts.late(0) == []


def test_a_failure_lets_the_next_one_begin_at_once() -> None:
    attempts = ConnectionAttempts(3, 10.0)
    assert attempts.take_due(10.0) == 0
    attempts.failed(0, 10.01)
    assert attempts.take_due(10.01) == 1
    assert not attempts.is_over
    # What began before the one that succeeds and did not fail is late.
    assert attempts.take_due(10.01 + ATTEMPT_DELAY_S) == 2
    assert attempts.late(2) == [1]


def test_it_is_over_when_all_have_failed() -> None:
    attempts = ConnectionAttempts(2, 10.0)
    attempts.take_due(10.0)
    attempts.failed(0, 10.0)
    attempts.take_due(10.0)
    assert not attempts.is_over
    attempts.failed(1, 15.0)
    assert attempts.is_over and attempts.next_at == NEVER
