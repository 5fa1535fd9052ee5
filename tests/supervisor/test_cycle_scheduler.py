"""When the supervisor looks around: soon after something happened, rarely in calm times, in time for a hang."""

from __future__ import annotations

import pytest

from appliance.catalogue.supervision_settings import SupervisionSettings
from appliance.messages.bus_messages import Heartbeat
from appliance.supervisor.cycle_scheduler import CALM_CYCLE_S, CYCLE_S, RESTLESS_S, CycleScheduler
from appliance.supervisor.worker_record import WorkerRecord

LIMITS = SupervisionSettings(hang_ms=900)
CALM = 10.0
"""A moment long after anything happened."""


def records(last_heard: float) -> list[WorkerRecord]:
    """Two workers that live; the first was last heard at this time, the second then or later."""
    workers = [WorkerRecord(0, 0), WorkerRecord(1, 0)]
    for record, heard_at in zip(workers, (last_heard, max(last_heard, CALM)), strict=True):
        record.started(0.0)
        record.heard(Heartbeat(record.number, [], {}, 1), heard_at)
    return workers


def pause_s(cycle_scheduler: CycleScheduler, workers: list[WorkerRecord], now: float) -> float:
    """Until the next cycle is due, to a hundredth of a second."""
    return next(step / 100 for step in range(200) if cycle_scheduler.is_due(workers, LIMITS, now + step / 100 + 1e-6))


def test_the_first_cycle_is_due_at_once() -> None:
    cycle_scheduler, workers = CycleScheduler(CALM), records(CALM)
    assert cycle_scheduler.is_due(workers, LIMITS, CALM) and cycle_scheduler.sleep_s(workers, LIMITS, CALM) == 0.0


def test_cycles_are_rare_once_all_live_and_nothing_has_happened_for_a_while() -> None:
    cycle_scheduler, workers = CycleScheduler(0.0), records(CALM + 1)
    cycle_scheduler.cycle_done(workers, False, CALM)
    assert pause_s(cycle_scheduler, workers, CALM) == CALM_CYCLE_S


def test_what_happens_makes_a_cycle_due_at_once_and_cycles_frequent_for_a_while() -> None:
    cycle_scheduler, workers = CycleScheduler(0.0), records(CALM + 10)
    cycle_scheduler.cycle_done(workers, False, CALM)
    assert not cycle_scheduler.is_due(workers, LIMITS, CALM)
    cycle_scheduler.disturbed(CALM)
    assert cycle_scheduler.is_due(workers, LIMITS, CALM)
    cycle_scheduler.cycle_done(workers, False, CALM)
    assert pause_s(cycle_scheduler, workers, CALM) == CYCLE_S
    later = CALM + RESTLESS_S
    cycle_scheduler.cycle_done(workers, False, later)
    assert pause_s(cycle_scheduler, workers, later) == CALM_CYCLE_S


def test_there_is_no_calm_while_a_worker_is_away_or_all_shall_stop() -> None:
    cycle_scheduler, workers = CycleScheduler(0.0), [*records(CALM), WorkerRecord(2, 0)]
    cycle_scheduler.cycle_done(workers, False, CALM)
    assert pause_s(cycle_scheduler, workers, CALM) == CYCLE_S
    cycle_scheduler.cycle_done(records(CALM), True, CALM)
    assert pause_s(cycle_scheduler, records(CALM), CALM) == CYCLE_S


def test_a_silence_that_becomes_a_hang_is_reason_for_a_cycle() -> None:
    cycle_scheduler, workers = CycleScheduler(0.0), records(CALM - 0.7)
    cycle_scheduler.cycle_done(workers, False, CALM)
    assert cycle_scheduler.sleep_s(workers, LIMITS, CALM) == pytest.approx(0.2)
    assert pause_s(cycle_scheduler, workers, CALM) == 0.2


def test_a_sign_of_life_that_is_found_then_is_none() -> None:
    cycle_scheduler, workers = CycleScheduler(0.0), records(CALM - 0.7)
    cycle_scheduler.cycle_done(workers, False, CALM)
    workers[0].signed(CALM + 0.1, 0.0)
    assert pause_s(cycle_scheduler, workers, CALM + 0.2) == pytest.approx(0.7)
    assert cycle_scheduler.sleep_s(workers, LIMITS, CALM + 0.2) == pytest.approx(0.7)


def test_one_that_is_silent_and_excused_does_not_make_the_supervisor_spin() -> None:
    cycle_scheduler, workers = CycleScheduler(0.0), records(CALM - 2.0)
    cycle_scheduler.cycle_done(workers, False, CALM)
    assert pause_s(cycle_scheduler, workers, CALM) == CYCLE_S


def test_a_supervisor_that_was_held_up_knows_it() -> None:
    """In its sleep, or while it was awake."""
    cycle_scheduler, workers = CycleScheduler(0.0), records(CALM + 1)
    cycle_scheduler.cycle_done(workers, False, CALM)
    cycle_scheduler.woke(LIMITS, CALM)
    assert cycle_scheduler.sleep_s(workers, LIMITS, CALM) == CALM_CYCLE_S
    assert not cycle_scheduler.woke(LIMITS, CALM + 1.1)
    assert cycle_scheduler.sleep_s(workers, LIMITS, CALM + 1.5) == 0.0
    assert cycle_scheduler.woke(LIMITS, CALM + 1.5)
    cycle_scheduler.sleep_s(workers, LIMITS, CALM + 1.5)
    assert not cycle_scheduler.woke(LIMITS, CALM + 1.5)
    cycle_scheduler.cycle_done(workers, False, CALM + 1.5)
    cycle_scheduler.sleep_s(workers, LIMITS, CALM + 1.5)
    assert cycle_scheduler.woke(LIMITS, CALM + 2.8)
