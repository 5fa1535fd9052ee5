"""Thousands of calls through two workers: none fails, nothing is lost without a counter, no memory is kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.live.appliance import PATIENT, Appliance
from tests.live.machine import STATISTICAL, rate, within
from tests.live.processes import Processes, wait_until
from tests.live.sipp import Sipp, register, start_callee

pytestmark = [pytest.mark.load, STATISTICAL]

CALLS = 20_000
CALLS_PER_S = rate(300)
TIMEOUT_S = int(within(180))
# Transactions are remembered for 64 * T1 = 10 s: the tables are as full as they get long before the last call.
TIMERS = f"{PATIENT}timers\n  t1 150\n!"
FULL_AFTER_S = 20
# What allocators and caches may still take: less than 400 bytes for each call between the two looks.
GROWTH_MAX = 5 << 20


def test_20000_calls(
    processes: Processes, start_appliance: Callable[..., Appliance], record_property: Callable[[str, Any], None]
) -> None:
    """300 calls a second for 67 s: none fails, and the memory of the calls is given back."""
    appliance = start_appliance(TIMERS)
    callee = start_callee(processes, "callee", calls=CALLS, timeout_s=TIMEOUT_S)
    register(processes, appliance, "bob", callee.contact)
    cycle_scheduler = ("-r", str(CALLS_PER_S), "-l", str(10 * CALLS_PER_S))
    keys = {"domain": appliance.domain}
    caller = Sipp(processes, "caller", *cycle_scheduler, proxy=appliance, calls=CALLS, keys=keys, timeout_s=TIMEOUT_S)
    time.sleep(FULL_AFTER_S)
    full = appliance.rss()
    caller.succeed()
    callee.succeed()
    record_property("calls/s", CALLS_PER_S)
    record_property("growth KiB", (appliance.rss() - full) >> 10)
    assert appliance.rss() - full < GROWTH_MAX
    wait_until(lambda: appliance.status()["transactions"] == 0, "every transaction has ended", 30.0, 1.0)
    end = appliance.status()
    assert end["counters"]["calls-started"] == end["counters"]["calls-answered"] == CALLS
    assert appliance.rss() - full < GROWTH_MAX
    assert not any(end["drops"].values()), end["drops"]
