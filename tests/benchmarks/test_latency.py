"""What counts as the latency of a request (no sockets: times are given)."""

from __future__ import annotations

import pytest

from benchmarks.latency import Times
from benchmarks.processes import BenchmarkFailed

US = 1000


def test_latency_is_from_the_request_to_the_first_reply_of_its_status() -> None:
    times = Times(180)
    times.request_sent(b"a", 100 * US)
    times.reply_arrived(b"a", 100, False, 150 * US)
    times.reply_arrived(b"a", 180, False, 400 * US)
    times.reply_arrived(b"a", 180, False, 900 * US)

    assert times.latencies_us == [300]


def test_what_the_callee_took_before_it_rang_is_not_the_proxys() -> None:
    times = Times(180)
    times.request_sent(b"a", 100 * US)
    times.callee_answered(b"a", 50 * US)
    times.callee_answered(b"a", 90 * US)
    times.reply_arrived(b"a", 180, False, 400 * US)

    assert times.latencies_us == [250]


def test_a_call_is_open_until_it_is_over() -> None:
    times = Times(180)
    times.request_sent(b"a", 0)
    times.reply_arrived(b"a", 180, False, US)
    assert times.open == 1

    times.reply_arrived(b"a", 200, True, 2 * US)
    assert times.open == 0


def test_a_refusal_ends_the_measurement() -> None:
    times = Times(180)
    times.request_sent(b"a", 0)
    with pytest.raises(BenchmarkFailed, match="503"):
        times.reply_arrived(b"a", 503, True, US)
