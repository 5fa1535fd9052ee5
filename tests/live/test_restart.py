"""Registrations outlive the appliance, and as a service calls that ring: stopped by its operator, and killed."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.live.appliance import PATIENT, Appliance
from tests.live.machine import within
from tests.live.phones import Phone, fetch_many, hang_up, register_many, talk
from tests.live.processes import Processes, wait_until
from tests.live.service_manager import ServiceManager
from tests.live.sipp import Sipp, register, start_callee

FEW = 2_000
MANY = 100_000
LATE = 500
SPOT_CHECKS = 400
TIMEOUT_S = within(120.0)


@pytest.mark.parametrize("count", [FEW, pytest.param(MANY, marks=pytest.mark.load)])
def test_registrations_outlive_the_appliance(start_appliance: Callable[..., Appliance], count: int) -> None:
    """RFC 3261 10: each worker has all of them, after SIGTERM and after SIGKILL to every process."""
    appliance = start_appliance("registrar\n  contacts 10\n!")
    users = [f"phone{number}" for number in range(count)]
    with Phone(appliance, "bob") as bob, Phone(appliance, "alice") as alice:
        assert register_many(appliance, users, bob.contact, TIMEOUT_S) == {200: count}
        bob.register()
        assert_all_there(appliance, users, bob, alice, count + 1)
        appliance.stop()
        appliance.start()
        assert_all_there(appliance, users, bob, alice, count + 1)
        late = [f"late{number}" for number in range(LATE)]
        assert register_many(appliance, late, bob.contact, TIMEOUT_S) == {200: LATE}
        kill_all(appliance)
        appliance.start()
        assert_all_there(appliance, users + late, bob, alice, count + LATE + 1)


RINGING = 20
RING_MS = 8000


@pytest.mark.parametrize("end", ["stopped", "killed"])
def test_calls_ring_on_over_a_restart_of_the_service(processes: Processes, tmp_path: Path, end: str) -> None:
    """RFC 3261 13.3.1.4: the callees answer after the restart, and repeat that until they have an ACK."""
    appliance = Appliance(processes, PATIENT)
    manager = ServiceManager(appliance, tmp_path)
    manager.start()
    callee = start_callee(processes, "callee-rings-long", "-d", str(RING_MS), calls=RINGING, timeout_s=90)
    register(processes, appliance, "bob", callee.contact)
    keys = {"domain": appliance.domain}
    options = ("-r", str(RINGING), "-d", "100")
    caller = Sipp(processes, "caller", *options, proxy=appliance, calls=RINGING, keys=keys, timeout_s=90)
    wait_until(lambda: appliance.counter("calls-started") == RINGING, "all calls have begun", RING_MS / 1000)
    if end == "stopped":
        appliance.stop()
    else:
        kill_all(appliance)
    manager.start()
    assert caller.process.is_running, "the calls were answered before the restart"
    caller.succeed()
    callee.succeed()
    counters = appliance.counters()
    assert counters["calls-adopted"] == counters["calls-answered"] == RINGING
    manager.close()


def kill_all(appliance: Appliance) -> None:
    """SIGKILL to the supervisor and to every worker, without a moment to write anything."""
    pids = appliance.worker_pids()
    appliance.crash()
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def assert_all_there(appliance: Appliance, users: list[str], bob: Phone, alice: Phone, count: int) -> None:
    """Both workers have them all; the registrar names some, from one worker and the other; and they are called."""
    wait_until(lambda: appliance.registrations() == count, f"{count} registrations")
    some = random.Random(count).sample(users, SPOT_CHECKS)
    assert fetch_many(appliance, some, bob.contact, TIMEOUT_S) == {200: SPOT_CHECKS}
    for user in some[:4]:
        bob.user = user
        hang_up(alice, bob, talk(alice, bob))
    bob.user = "bob"
