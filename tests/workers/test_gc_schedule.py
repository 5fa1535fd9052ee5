"""The collector runs when that keeps nobody waiting."""

from __future__ import annotations

import pytest

from appliance.workers.gc_schedule import FEW_TRANSACTIONS, LONGEST_S, MANY_TRANSACTIONS, PAUSE_S, GcSchedule


@pytest.fixture
def collected() -> list[int]:
    """The generations that were collected, one after the other."""
    return []


@pytest.fixture
def garbage(collected: list[int]) -> GcSchedule:
    return GcSchedule(0.0, collected.append)


def test_in_a_quiet_moment_and_not_twice_in_one(garbage: GcSchedule, collected: list[int]) -> None:
    garbage.tend(FEW_TRANSACTIONS, PAUSE_S - 0.1)
    assert collected == []
    garbage.tend(FEW_TRANSACTIONS, PAUSE_S)
    garbage.tend(0, PAUSE_S + 0.2)
    assert collected == [1]
    garbage.tend(0, 2 * PAUSE_S)
    assert collected == [1, 1]


def test_a_worker_that_is_never_quiet_collects_after_an_hour(garbage: GcSchedule, collected: list[int]) -> None:
    garbage.tend(FEW_TRANSACTIONS + 1, LONGEST_S - 1.0)
    assert collected == []
    garbage.tend(MANY_TRANSACTIONS, LONGEST_S)
    assert collected == [1]


def test_with_too_many_transactions_it_waits_for_fewer(garbage: GcSchedule, collected: list[int]) -> None:
    garbage.tend(MANY_TRANSACTIONS + 1, 2 * LONGEST_S)
    assert collected == []
    garbage.tend(MANY_TRANSACTIONS, 2 * LONGEST_S + 0.2)
    assert collected == [1]
