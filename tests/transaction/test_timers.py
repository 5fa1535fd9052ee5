"""Timers of many owners (RFC 3261 17, table 4; RFC 6026 8.11): order, cancelling, and that nothing stays behind."""

from __future__ import annotations

import gc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.transaction.timers import NEVER, RINGS_KEPT, Timers, TimerSettings


class Owner:
    """Writes down which timers fired when."""

    def __init__(self) -> None:
        self.fired: list[tuple[int, float]] = []

    def timer_fired(self, token: int, now: float) -> None:
        self.fired.append((token, now))


def test_table_4_of_rfc_3261() -> None:
    """The default durations, and what follows from T1."""
    durations = TimerSettings()
    assert (durations.t1, durations.t2, durations.t4, durations.c) == (0.5, 4.0, 5.0, 181.0)
    for of_64_t1 in (durations.b, durations.f, durations.h, durations.j_unreliable, durations.l, durations.m):
        assert of_64_t1 == 32.0
    assert durations.d_unreliable == 32.0
    assert durations.i_unreliable == durations.k_unreliable == 5.0


def test_timer_d_is_at_least_32_s() -> None:
    """RFC 3261 17.1.1.2: T1 of the peer is not known; a longer T1 of ours counts."""
    assert TimerSettings(t1=0.1).d_unreliable == 32.0
    assert TimerSettings(t1=1.0).d_unreliable == 64.0


@pytest.mark.parametrize(("t1", "t2", "seconds"), [(0.5, 4.0, 3.5), (0.5, 0.5, 0.0), (0.5, 3.0, 3.5), (1.0, 4.0, 3.0)])
def test_when_timer_e_of_the_peer_reaches_t2(t1: float, t2: float, seconds: float) -> None:
    """RFC 4320 4.1."""
    assert TimerSettings(t1=t1, t2=t2).trying == seconds


@pytest.mark.parametrize("wrong", [{"t1": 0.0}, {"t1": 5.0}, {"t4": 0.0}, {"c": -1.0}])
def test_durations_that_are_none(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="no timers"):
        TimerSettings(**wrong)


def test_a_timer_fires_once_at_its_time() -> None:
    timers, owner = Timers(), Owner()
    timers.start(0.5, 10.0, owner, 1)
    assert timers.next_due() == 10.5
    assert timers.fire(10.25) == 0
    assert timers.fire(10.5) == 1
    assert timers.fire(11.0) == 0
    assert owner.fired == [(1, 10.5)]
    assert timers.next_due() == NEVER


def test_timers_of_several_durations_fire_in_order_of_time() -> None:
    timers, owner = Timers(), Owner()
    timers.start(4.0, 0.0, owner, 4)
    timers.start(0.5, 0.0, owner, 1)
    timers.start(2.0, 1.0, owner, 3)
    timers.start(0.5, 1.0, owner, 2)
    timers.fire(5.0)
    assert [token for token, _ in owner.fired] == [1, 2, 3, 4]


def test_a_cancelled_timer_does_not_fire_and_is_forgotten_at_once() -> None:
    timers, owner = Timers(), Owner()
    first = timers.start(32.0, 0.0, owner, 1)
    middle = timers.start(32.0, 1.0, owner, 2)
    last = timers.start(32.0, 2.0, owner, 3)
    timers.cancel(middle)
    assert len(timers) == 2
    assert middle.owner is None
    timers.cancel(first)
    assert timers.next_due() == 34.0
    timers.cancel(last)
    assert timers.next_due() == NEVER
    assert timers.fire(100.0) == 0


def test_cancelling_twice_and_after_firing_is_harmless() -> None:
    timers, owner = Timers(), Owner()
    timer = timers.start(1.0, 0.0, owner, 1)
    timers.cancel(timer)
    timers.cancel(timer)
    fired = timers.start(1.0, 0.0, owner, 2)
    timers.fire(1.0)
    timers.cancel(fired)
    assert len(timers) == 0
    assert owner.fired == [(2, 1.0)]


def test_an_owner_cancels_a_timer_that_is_due_in_the_same_tick() -> None:
    timers, other = Timers(), Owner()
    later = timers.start(2.0, 0.0, other, 2)

    class Canceller:
        def timer_fired(self, token: int, now: float) -> None:
            timers.cancel(later)

    timers.start(1.0, 0.0, Canceller(), 1)
    assert timers.fire(3.0) == 1
    assert other.fired == []


def test_a_timer_of_no_duration_waits_for_the_next_tick() -> None:
    """An owner that starts it again and again cannot hold the tick up."""
    timers = Timers()

    class Restless:
        count = 0

        def timer_fired(self, token: int, now: float) -> None:
            self.count += 1
            timers.start(0.0, now, self, token)

    restless = Restless()
    timers.start(0.0, 1.0, restless, 1)
    assert timers.next_due() == 1.0
    assert timers.fire(1.0) == 1
    assert restless.count == 1


def test_long_timers_expire_in_company() -> None:
    """A thousand memories that end within an eighth of a second are one reason to wake up."""
    timers, owner = Timers(), Owner()
    for number in range(1000):
        timers.start(32.0, number / 10_000, owner, number)
    assert timers.next_due() == 32.0
    assert timers.fire(32.0) == 1
    assert timers.next_due() == 32.125
    assert timers.fire(32.125) == 999
    assert timers.next_due() == NEVER


def test_retransmissions_are_exact() -> None:
    """RFC 3261 17.1.1.2."""
    timers, owner = Timers(), Owner()
    timers.start(0.5, 0.001, owner, 1)
    timers.start(4.0, 0.001, owner, 2)
    assert timers.next_due() == 0.501
    timers.fire(0.501)
    assert timers.next_due() == 4.001


def test_what_was_cancelled_in_a_long_ring_takes_no_memory() -> None:
    """Timer C restarts with every provisional response: 180 s of dead timers would hold every call."""
    timers, owner = Timers(), Owner()
    timers.start(180.0, 0.0, owner, 0)
    gc.collect()
    before = len(gc.get_objects())
    for count in range(10_000):
        timers.cancel(timers.start(180.0, 1.0, owner, count))
    gc.collect()
    assert len(gc.get_objects()) < before + 100
    assert len(timers) == 1


def test_rings_of_durations_that_are_used_no_more_go() -> None:
    timers, owner = Timers(), Owner()
    long = timers.start(500.0, 0.0, owner, 1)
    for count in range(20 * RINGS_KEPT):
        timers.cancel(timers.start(1.0 + count / 16, 0.0, owner, 2))
    assert timers.next_due() == 500.0
    timers.cancel(long)
    assert timers.next_due() == NEVER


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.5, 1.0, 4.0, 32.0]), st.booleans(), st.floats(0.0, 3.0))))
def test_every_timer_fires_in_time_or_was_cancelled(starts: list[tuple[float, bool, float]]) -> None:
    """Whatever is started and cancelled: each that is left fires, none early, and the count agrees."""
    timers, owner, now = Timers(), Owner(), 0.0
    expected: dict[int, float] = {}
    for token, (duration_s, is_cancelled, pause_s) in enumerate(starts):
        timer = timers.start(duration_s, now, owner, token)
        if is_cancelled:
            timers.cancel(timer)
        else:
            expected[token] = now + duration_s
        now += pause_s
        timers.fire(now)
    assert len(timers) == len(expected) - len(owner.fired)
    timers.fire(now + 100.0)
    assert {token for token, _ in owner.fired} == set(expected)
    assert all(fired_at >= expected[token] for token, fired_at in owner.fired)
    assert len(timers) == 0
