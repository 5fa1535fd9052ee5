"""When the supervisor looks around: soon after something happened, rarely in calm times, in time for a hang."""

from __future__ import annotations

import pytest

from appliance.catalogue.settings import SupervisionSettings
from appliance.cluster.pace import CALM_CYCLE_S, CYCLE_S, RESTLESS_S, Pace
from appliance.cluster.worker_record import WorkerRecord
from appliance.state.messages import Heartbeat

LIMITS = SupervisionSettings(hang_ms=900)
CALM = 10.0
"""A moment long after anything happened."""


def records(last_heard: float) -> list[WorkerRecord]:
    """Two workers that live; the first was last heard at this time, the second then or later."""
    workers = [WorkerRecord(0), WorkerRecord(1)]
    for record, heard_at in zip(workers, (last_heard, max(last_heard, CALM)), strict=True):
        record.started(0.0)
        record.heard(Heartbeat(record.number, [], {}, 1, in_sync=True), heard_at)
    return workers


def pause_s(pace: Pace, now: float) -> float:
    """Until the next cycle is due, to a hundredth of a second."""
    return next(step / 100 for step in range(200) if pace.is_due(now + step / 100 + 1e-6))


def test_the_first_cycle_is_due_at_once() -> None:
    pace = Pace(CALM)
    assert pace.is_due(CALM) and pace.sleep_s(LIMITS, CALM) == 0.0


def test_cycles_are_rare_once_all_live_and_nothing_has_happened_for_a_while() -> None:
    pace = Pace(0.0)
    pace.cycle_done(records(CALM), LIMITS, False, CALM)
    assert pause_s(pace, CALM) == CALM_CYCLE_S


def test_what_happens_makes_a_cycle_due_at_once_and_cycles_frequent_for_a_while() -> None:
    pace = Pace(0.0)
    pace.cycle_done(records(CALM), LIMITS, False, CALM)
    assert not pace.is_due(CALM)
    pace.disturbed(CALM)
    assert pace.is_due(CALM)
    pace.cycle_done(records(CALM), LIMITS, False, CALM)
    assert pause_s(pace, CALM) == CYCLE_S
    later = CALM + RESTLESS_S
    pace.cycle_done(records(later), LIMITS, False, later)
    assert pause_s(pace, later) == CALM_CYCLE_S


def test_there_is_no_calm_while_somebody_is_away_or_all_shall_stop() -> None:
    pace = Pace(0.0)
    pace.cycle_done([*records(CALM), WorkerRecord(2)], LIMITS, False, CALM)
    assert pause_s(pace, CALM) == CYCLE_S
    pace.cycle_done(records(CALM), LIMITS, True, CALM)
    assert pause_s(pace, CALM) == CYCLE_S


def test_a_calm_pause_ends_when_a_silence_becomes_a_hang() -> None:
    pace = Pace(0.0)
    pace.cycle_done(records(CALM - 0.7), LIMITS, False, CALM)
    assert pause_s(pace, CALM) == 0.2
    # One that is excused, for it had no processor, does not make the supervisor spin.
    pace.cycle_done(records(CALM - 2.0), LIMITS, False, CALM)
    assert pause_s(pace, CALM) == CYCLE_S


def test_a_sleep_is_shorter_than_a_hang_and_one_that_was_not_is_known() -> None:
    pace = Pace(0.0)
    pace.cycle_done(records(CALM), LIMITS, False, CALM)
    assert pause_s(pace, CALM) == CALM_CYCLE_S
    assert pace.sleep_s(LIMITS, CALM) == pytest.approx(0.3)
    pace.woke(LIMITS, CALM)
    assert not pace.woke(LIMITS, CALM + 0.4)
    assert not pace.woke(LIMITS, CALM + 0.8)
    assert pace.woke(LIMITS, CALM + 1.3)
    assert not pace.woke(LIMITS, CALM + 1.3)
