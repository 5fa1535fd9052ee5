"""Workers die while calls are being set up, ring, are answered and taken back: siblings go on (design section 4)."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.live.appliance import PATIENT, Appliance
from tests.live.machine import rate, within
from tests.live.processes import Processes, wait_until
from tests.live.sipp import Sipp, outcome, register, start_callee

pytestmark = pytest.mark.load

CALLS_PER_S = rate(300)
RING_MS = 3000
DEATH_EVERY_S = 5.0
RESTART = f"{PATIENT}supervision\n  restart delay minimum 50\n  restart delay maximum 100\n!"


@pytest.mark.parametrize(("workers", "seconds"), [(2, 15), (3, 60)])
def test_calls_ring_on_while_workers_die(
    processes: Processes, start_appliance: Callable[..., Appliance], workers: int, seconds: int
) -> None:
    """300 calls/s that ring for 3 s, and a worker killed every 5 s: at most 1 call in 10,000 fails."""
    calls = CALLS_PER_S * seconds
    appliance = start_appliance(RESTART, workers=workers)
    callee = start_callee(processes, "callee-rings-long", "-d", str(RING_MS), calls=2 * calls, timeout_s=seconds + 60)
    register(processes, appliance, "bob", callee.contact)
    figures = processes.folder / "calls.csv"
    caller = start_calls(processes, appliance, figures, calls)
    deaths = kill_in_turn(appliance, caller, seconds)
    caller.process.wait(60)
    succeeded, failed = outcome(figures)
    counters = appliance.counters()
    assert succeeded + failed == calls
    assert failed <= calls / 10_000
    assert counters["calls-started"] == calls
    assert counters["calls-answered"] == calls - failed
    assert counters["calls-adopted"] > deaths * CALLS_PER_S * RING_MS / 1000 / workers / 2


def start_calls(processes: Processes, appliance: Appliance, figures: Path, calls: int) -> Sipp:
    options = ("-r", str(CALLS_PER_S), "-l", str(20 * CALLS_PER_S), "-d", "100", "-recv_timeout", "30000")
    options += ("-trace_stat", "-stf", str(figures), "-fd", "1")
    keys = {"domain": appliance.domain}
    return Sipp(processes, "caller", *options, proxy=appliance, calls=calls, keys=keys, timeout_s=150)


def kill_in_turn(appliance: Appliance, caller: Sipp, seconds: int) -> int:
    """Kill one worker after the other, each when all are there again; how many were killed."""
    deaths = 0
    ends_at = time.monotonic() + seconds
    while time.monotonic() + DEATH_EVERY_S < ends_at:
        time.sleep(DEATH_EVERY_S)
        wait_until(lambda: len(appliance.worker_pids()) == appliance.workers, "all workers are there", within(10.0))
        os.kill(appliance.worker_pids()[deaths % appliance.workers], signal.SIGKILL)
        deaths += 1
    return deaths
