"""Processes are killed at random moments while phones register: what was answered holds.

SIGNALBOX_KILL_S: for how many seconds; five minutes by default.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from tests.live.appliance import Appliance
from tests.live.machine import rate
from tests.live.processes import wait_until
from tests.live.registering import Registering

pytestmark = pytest.mark.load

KILL_S = float(os.environ.get("SIGNALBOX_KILL_S", "300"))
PHONES = 5_000
PAUSES_S = (0.5, 4.0)
WORKERS = ("worker 0", "worker 1")
VICTIMS = (*WORKERS, *WORKERS, "persister", "persister", "all")


def test_what_was_answered_outlives_every_process(
    start_appliance: Callable[..., Appliance], record_property: Callable[[str, Any], None]
) -> None:
    """RFC 3261 10.3: SIGKILL to workers, to the persister, and to all processes at once; nothing is lost or doubled."""
    appliance = start_appliance()
    load = Registering(appliance.port, appliance.domain, PHONES, rate(1_000))
    load.start()
    dice = random.Random(13)
    killed = 0
    until = time.monotonic() + KILL_S
    while time.monotonic() < until:
        time.sleep(dice.uniform(*PAUSES_S))
        killed += kill(appliance, dice.choice(VICTIMS))
    load.end()
    record_property("killed", killed)
    record_property("answers", dict(load.statuses))
    record_property("unanswered", load.unanswered)
    assert killed > KILL_S / (2 * PAUSES_S[1])
    assert load.statuses[200] > 100 * KILL_S * rate(1_000) / 1_000
    assert set(load.statuses) <= {200, 503}
    assert load.broken_promises() == []


def kill(appliance: Appliance, victim: str) -> int:
    """SIGKILL to a process by its name, or to all of them, after which the appliance starts anew; how many went."""
    pids = {process["name"]: process["pid"] for process in appliance.status().get("processes", [])}
    if victim != "all":
        return int(victim in pids and is_killed(pids[victim]))
    appliance.crash()
    killed = 1 + sum(is_killed(pid) for name, pid in pids.items() if name != "supervisor")
    wait_until(lambda: not any(is_alive(pid) for pid in pids.values()), "all processes are gone")
    appliance.start()
    return killed


def is_killed(pid: int) -> bool:
    """Kill it; False where it is gone already."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False


def is_alive(pid: int) -> bool:
    """Is there a process of that number?"""
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False
