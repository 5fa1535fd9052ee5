"""Rates of counters over three windows."""

from __future__ import annotations

from appliance.management.counter_rates import Samples


def counting(seconds: int, rate: int) -> Samples:
    samples = Samples()
    for second in range(seconds):
        samples.add(float(second), {"calls-started": rate * second})
    return samples


def test_a_steady_rate_is_the_same_over_all_windows() -> None:
    assert counting(400, 30).rates("calls-started") == (30.0, 30.0, 30.0)


def test_a_burst_shows_in_the_short_window_first() -> None:
    samples = counting(301, 0)
    for second in range(301, 306):
        samples.add(float(second), {"calls-started": (second - 300) * 100})
    five, minute, five_minutes = samples.rates("calls-started")
    assert five == 100.0
    assert 7 < minute < 10
    assert 1.5 < five_minutes < 2


def test_the_beginning_is_measured_over_what_there_is() -> None:
    assert Samples().rates("calls-started") == (0.0, 0.0, 0.0)
    assert counting(1, 5).rates("calls-started") == (0.0, 0.0, 0.0)
    assert counting(3, 5).rates("calls-started") == (5.0, 5.0, 5.0)


def test_a_counter_that_stepped_back_has_no_negative_rate() -> None:
    samples = Samples()
    samples.add(0.0, {"calls-started": 100})
    samples.add(1.0, {"calls-started": 3})
    assert samples.rates("calls-started") == (0.0, 0.0, 0.0)
    assert samples.rates("unknown") == (0.0, 0.0, 0.0)


def test_samples_are_bounded() -> None:
    samples = counting(4000, 1)
    assert len(samples._fine) <= 17
    assert len(samples._coarse) <= 63
