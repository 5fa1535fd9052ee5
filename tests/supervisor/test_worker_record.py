"""What is remembered of a worker over its incarnations."""

from __future__ import annotations

import pytest

from appliance.catalogue.supervision_settings import SupervisionSettings
from appliance.messages.bus_messages import Heartbeat
from appliance.supervisor.decisions import WorkerState
from appliance.supervisor.worker_record import WorkerRecord

LIMITS = SupervisionSettings(restart_delay_min_ms=200, restart_delay_max_ms=1000)


def beat(counters: list[int]) -> Heartbeat:
    return Heartbeat(1, counters, {"transactions": 3}, 1, ["It rains."])


def live_record(now: float = 0.0) -> WorkerRecord:
    record = WorkerRecord(1, 0)
    record.started(now)
    record.heard(beat([1, 2]), now)
    return record


def test_it_is_live_once_it_is_heard_and_that_is_told_once() -> None:
    record = WorkerRecord(1, 0)
    record.started(5.0)
    record.signed(5.1, 0.0)
    assert record.view().life == WorkerState.STARTING and not record.is_on_the_bus
    assert record.heard(beat([0]), 5.2)
    assert record.is_on_the_bus
    assert record.view().life == WorkerState.LIVE
    assert not record.heard(beat([0]), 5.3)
    assert record.last_heard == 5.3


def test_what_it_waited_for_a_processor_counts_from_its_last_heartbeat() -> None:
    record = WorkerRecord(1, 0)
    record.started(0.0)
    record.heard(beat([0]), 0.2, waited_s=2.0)
    assert record.view(waited_s=2.5).waited_s == 0.5
    # Another process, which has waited for nothing yet.
    record.started(1.0)
    assert record.view(waited_s=0.3).waited_s == 0.3


def test_counters_of_the_dead_stay_in_the_sum_and_gauges_do_not() -> None:
    record = live_record()
    record.ended("killed by SIGSEGV", LIMITS, 1.0)
    assert record.counters() == [1, 2] and record.gauges == {} and record.alarms == []
    record.started(2.0)
    record.heard(beat([10, 10, 10]), 2.1)
    assert record.counters() == [11, 12, 10]


def test_deaths_in_a_row_lengthen_the_pause() -> None:
    record = live_record()
    record.ended("exited with status 1", LIMITS, 0.5)
    assert record.restart_at == 0.5 + 0.2
    record.started(1.0)
    record.ended("exited with status 1", LIMITS, 1.1)
    assert record.restart_at == 1.1 + 0.4 and record.restarts == 1


def test_a_long_life_ends_the_row() -> None:
    record = live_record()
    record.ended("exited with status 1", LIMITS, 0.5)
    record.started(1.0)
    record.ended("exited with status 1", LIMITS, 50.0)
    assert record.restart_at == 50.0 + 0.2


def test_an_end_that_was_asked_for_is_no_death() -> None:
    record = live_record()
    assert record.drained(1.0) and record.life == WorkerState.DRAINING and not record.drained(1.1)
    record.asked_to_stop(2.0)
    record.ended("exited with status 0", LIMITS, 2.5)
    assert record.restart_at == 2.5 and record.view().deaths == 0


def test_a_drained_worker_may_end_by_itself() -> None:
    record = live_record()
    record.drained(1.0)
    record.ended("exited with status 0", LIMITS, 2.5)
    assert record.restart_at == 2.5 and record.view().deaths == 0


def test_a_killed_worker_has_died() -> None:
    record = live_record()
    record.killed(1.0)
    record.ended("killed by SIGKILL", LIMITS, 1.1)
    assert record.view().deaths == 1 and record.restart_at > 1.1


def test_no_process_at_all_is_a_death_too() -> None:
    record = WorkerRecord(1, 0)
    record.could_not_start("cannot be started: out of memory", LIMITS, 3.0)
    assert record.view().deaths == 1 and record.life == WorkerState.ABSENT and record.restart_at == 3.2


def test_silence_is_forgiven() -> None:
    record = live_record()
    record.forgive_silence(9.0)
    assert record.last_heard == 9.0


def test_a_bank_with_calls_is_not_written_over_by_starts_that_fail() -> None:
    """Without a sibling no worker has taken them over: the next worker that is heard does."""
    record = live_record()
    record.ended("killed by SIGSEGV", LIMITS, 1.0)
    record.could_not_start("cannot be started: out of memory", LIMITS, 2.0)
    assert record.next_bank == 1
    record.started(3.0)
    record.ended("exited with status 1", LIMITS, 3.1)
    assert record.next_bank == 1
    record.started(4.0)
    assert record.orphaned_banks() == [0]
    record.heard(beat([0]), 4.1)
    assert record.orphaned_banks() == [0] and record.next_bank == 0


def test_the_banks_of_the_dead_are_orphaned_and_that_of_the_living_is_not() -> None:
    record = WorkerRecord(1, 0)
    assert record.orphaned_banks() == []
    record.started(0.0)
    record.heard(beat([0]), 0.1)
    assert record.orphaned_banks() == []
    record.killed(1.0)
    assert record.orphaned_banks() == [0]
    record.ended("killed by SIGKILL", LIMITS, 1.1)
    record.started(2.0)
    record.heard(beat([0]), 2.1)
    record.killed(3.0)
    assert sorted(record.orphaned_banks()) == [0, 1]


@pytest.mark.parametrize("bank", [0, 1])
def test_what_the_start_before_has_left_is_told_until_its_bank_is_used_again(bank: int) -> None:
    record = WorkerRecord(1, 0)
    record.go_on_after(bank)
    assert record.next_bank == 1 - bank
    for moment in (1.0, 2.0):
        record.started(moment)
        assert (record.former_banks(), record.orphaned_banks()) == ([bank], [])
    record.heard(beat([0]), 2.1)
    assert (record.former_banks(), record.orphaned_banks()) == ([bank], [])
    record.ended("killed by SIGSEGV", LIMITS, 3.0)
    assert (record.former_banks(), record.orphaned_banks()) == ([bank], [1 - bank])
    record.started(4.0)
    assert record.next_bank == bank
    assert (record.former_banks(), record.orphaned_banks()) == ([], [1 - bank])


def test_a_sign_of_life_tells_nothing_but_that_it_lives() -> None:
    record = live_record()
    record.signed(5.0, 0.0)
    assert (record.view().last_heard, record.view().told_at) == (5.0, 0.0)
    record.heard(beat([1, 2]), 6.0)
    assert (record.view().last_heard, record.view().told_at) == (6.0, 6.0)
