"""Registrations outlive the appliance: stopped by its operator, and killed."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from contextlib import suppress

import pytest

from tests.live.appliance import Appliance
from tests.live.machine import within
from tests.live.phones import Phone, fetch_many, hang_up, register_many, talk
from tests.live.processes import wait_until

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


def kill_all(appliance: Appliance) -> None:
    """SIGKILL to the supervisor and to every worker, without a moment to write anything."""
    pids = appliance.worker_pids()
    appliance.crash()
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def assert_all_there(appliance: Appliance, users: list[str], bob: Phone, alice: Phone, count: int) -> None:
    """Both workers have them all; the registrar names some, from one worker and the other; and they are called."""
    wait_until(lambda: appliance.registrations() == count, f"{count} registrations", within(10.0))
    some = random.Random(count).sample(users, SPOT_CHECKS)
    assert fetch_many(appliance, some, bob.contact, TIMEOUT_S) == {200: SPOT_CHECKS}
    for user in some[:4]:
        bob.user = user
        hang_up(alice, bob, talk(alice, bob))
    bob.user = "bob"
