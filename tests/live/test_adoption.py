"""Workers die while calls are being set up, ring, are answered and taken back: siblings go on (design section 4)."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.live.appliance import PATIENT, Appliance
from tests.live.machine import STATISTICAL, rate
from tests.live.processes import Processes, wait_until
from tests.live.sipp import Sipp, outcome, register, start_callee

CALLS_PER_S = rate(300)
RING_MS = 3000
RING_LONG_MS = 8000
FEW = 20
DEATH_EVERY_S = 5.0
RESTART = "supervision\n  restart delay minimum 50\n  restart delay maximum 100\n!"


def test_calls_ring_on_when_their_worker_dies(processes: Processes, start_appliance: Callable[..., Appliance]) -> None:
    """A worker is killed once all calls ring: each is answered, acknowledged and ended."""
    appliance = start_appliance(RESTART)
    callee = start_callee(processes, "callee-rings-long", "-d", str(RING_LONG_MS), calls=FEW, timeout_s=90)
    register(processes, appliance, "bob", callee.contact)
    keys = {"domain": appliance.domain}
    caller = Sipp(processes, "caller", "-r", str(FEW), "-d", "100", proxy=appliance, calls=FEW, keys=keys, timeout_s=90)
    wait_until(lambda: appliance.counter("calls-started") == FEW, "all calls have begun", RING_LONG_MS / 1000)
    os.kill(appliance.worker_pids()[0], signal.SIGKILL)
    caller.succeed()
    callee.succeed()
    wait_until(lambda: len(appliance.worker_pids()) == 2, "the worker is there again")
    counters = appliance.counters()
    assert counters["calls-answered"] == counters["calls-started"] == FEW
    # Those of the killed worker, and later those of the slots that its successor gets.
    assert counters["calls-adopted"] > 0


@pytest.mark.load
@STATISTICAL
@pytest.mark.parametrize(("workers", "seconds"), [(2, 15), (3, 60)])
def test_calls_ring_on_while_workers_die(
    processes: Processes,
    start_appliance: Callable[..., Appliance],
    record_property: Callable[[str, Any], None],
    workers: int,
    seconds: int,
) -> None:
    """300 calls/s that ring for 3 s, and a worker killed every 5 s: at most 1 call in 10,000 fails."""
    calls = CALLS_PER_S * seconds
    appliance = start_appliance(PATIENT + RESTART, workers=workers)
    callee = start_callee(processes, "callee-rings-long", "-d", str(RING_MS), calls=2 * calls, timeout_s=seconds + 60)
    register(processes, appliance, "bob", callee.contact)
    figures = processes.folder / "calls.csv"
    caller = start_calls(processes, appliance, figures, calls)
    deaths = kill_in_turn(appliance, caller, seconds)
    caller.process.wait(60)
    succeeded, failed = outcome(figures)
    counters = appliance.counters()
    record_property("calls", calls)
    record_property("failed", failed)
    record_property("deaths", deaths)
    record_property("adopted", counters["calls-adopted"])
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
        wait_until(lambda: len(appliance.worker_pids()) == appliance.workers, "all workers are there")
        os.kill(appliance.worker_pids()[deaths % appliance.workers], signal.SIGKILL)
        deaths += 1
    return deaths
