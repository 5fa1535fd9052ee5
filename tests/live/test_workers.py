"""A worker dies or hangs: its slots go to its sibling, registrations and established calls go on (design section 4)."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable

import pytest

from tests.live.appliance import Appliance
from tests.live.machine import within
from tests.live.processes import Processes, wait_until
from tests.live.sipp import Sipp, call, register, start_callee

CALLS = 30
TALK_MS = 6000
# How long it takes is measured by `make load`.
MOVED_WITHIN_S = within(20.0)


def owners(appliance: Appliance) -> set[int]:
    """The workers that own slots."""
    return {run["worker"] for run in appliance.status().get("slots", [])}


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
def test_calls_and_registrations_outlive_a_worker(
    processes: Processes, start_appliance: Callable[..., Appliance], blow: signal.Signals
) -> None:
    """The BYE of each call that was up finds its way, and so does a new call to a phone that had registered."""
    appliance = start_appliance()
    callee = start_callee(processes, calls=2 * CALLS)
    register(processes, appliance, "bob", callee.contact)
    keys = {"domain": appliance.domain}
    caller = Sipp(
        processes, "caller", "-r", "60", "-d", str(TALK_MS), user="bob", proxy=appliance, calls=CALLS, keys=keys
    )
    wait_until(lambda: appliance.counter("calls-answered") == CALLS, "all calls are up", TALK_MS / 1000)
    victim = appliance.worker_pids()[0]
    os.kill(victim, blow)
    wait_until(lambda: owners(appliance) == {1}, "the sibling owns every slot", MOVED_WITHIN_S, 0.02)

    call(processes, appliance, "caller", "-r", "60", calls=CALLS)
    caller.succeed()
    callee.succeed()
    wait_until(lambda: owners(appliance) == {0, 1}, "the worker is back and owns slots")
    assert victim not in appliance.worker_pids()
    assert appliance.registrations() == 1
    workers = json.loads(appliance.command("status", "--json").stdout)["workers"]
    assert [worker["state"] for worker in workers] == ["live", "live"]
