"""The collector runs when no message waits for it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from appliance.workers.gc_schedule import FEW_TRANSACTIONS, LONGEST_S, MANY_TRANSACTIONS, PAUSE_S, GcSchedule

# In a process of its own: what is frozen is so for all that run in it.
FREE_TUPLES = """
import sys
from appliance.workers.gc_schedule import collect_new, leave_it_to_us

class Ring:
    count = 0
    def __init__(self):
        self.ring = self
        Ring.count += 1
    def __del__(self):
        Ring.count -= 1

leave_it_to_us()
before = sys.getallocatedblocks()
for _ in range(1000):
    for length in range(1, 20):
        tuple(number for number in range(length))
filled = sys.getallocatedblocks() - before
Ring()
held = Ring()
collect_new()
print(filled, sys.getallocatedblocks() - before, Ring.count)
"""


@pytest.fixture
def collected() -> list[None]:
    """As many as there were collections."""
    return []


@pytest.fixture
def garbage(collected: list[None]) -> GcSchedule:
    return GcSchedule(0.0, lambda: collected.append(None))


def test_in_a_quiet_moment_and_not_twice_in_one(garbage: GcSchedule, collected: list[None]) -> None:
    garbage.tend(FEW_TRANSACTIONS, PAUSE_S - 0.1)
    assert not collected
    garbage.tend(FEW_TRANSACTIONS, PAUSE_S)
    garbage.tend(0, PAUSE_S + 0.2)
    assert len(collected) == 1
    garbage.tend(0, 2 * PAUSE_S)
    assert len(collected) == 2


def test_a_worker_that_is_never_quiet_collects_after_an_hour(garbage: GcSchedule, collected: list[None]) -> None:
    garbage.tend(FEW_TRANSACTIONS + 1, LONGEST_S - 1.0)
    assert not collected
    garbage.tend(MANY_TRANSACTIONS, LONGEST_S)
    assert len(collected) == 1


def test_with_too_many_transactions_it_waits_for_fewer(garbage: GcSchedule, collected: list[None]) -> None:
    garbage.tend(MANY_TRANSACTIONS + 1, 2 * LONGEST_S)
    assert not collected
    garbage.tend(MANY_TRANSACTIONS, 2 * LONGEST_S + 0.2)
    assert len(collected) == 1


def test_it_frees_cycles_and_the_free_tuples_of_the_interpreter() -> None:
    done = subprocess.run([sys.executable, "-c", FREE_TUPLES], capture_output=True, text=True, timeout=120, check=True)
    filled, left, rings = map(int, done.stdout.split())
    assert filled > 10_000
    assert left < 1000
    assert rings == 1, "the one that is held lives, the one in a cycle does not"
