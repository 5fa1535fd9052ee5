"""What the supervisor decides: deaths, hangs, returns, drains and the end, told as they happen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.catalogue.supervision_settings import SupervisionSettings
from appliance.messages.slots import SlotTable, deal
from appliance.supervisor.decisions import (
    AskToStop,
    Finish,
    GiveSlots,
    Kill,
    Start,
    SupervisorView,
    WorkerState,
    WorkerView,
    decide,
    restart_delay_s,
    sentence,
)
from appliance.transport.process_id import process_id

LIMITS = SupervisionSettings()
NODE = 1


def worker(number: int, life: WorkerState = WorkerState.LIVE) -> WorkerView:
    return WorkerView(
        number,
        process_id(NODE, number),
        life,
        since=0.0,
        last_heard=100.0,
        restart_at=0.0,
        transactions=5,
        deaths=0,
        has_ever_lived=True,
    )


def view(
    *workers: WorkerView, now: float = 100.0, table: SlotTable | None = None, stop: bool = False
) -> SupervisorView:
    home = deal([w.process for w in workers])
    return SupervisorView(now, workers, table or home, home, stop, LIMITS)


def all_slots_of(number: int, epoch: int) -> SlotTable:
    return SlotTable([process_id(NODE, number)] * 256, epoch)


def table_after(seen: SupervisorView) -> SlotTable:
    (given,) = [action.table for action in decide(seen) if isinstance(action, GiveSlots)]
    return given


def test_with_all_workers_live_there_is_nothing_to_do() -> None:
    assert decide(view(worker(0), worker(1))) == []


def test_at_first_all_are_started_and_keep_the_slots_they_were_dealt() -> None:
    absent = [replace(worker(n, WorkerState.ABSENT), has_ever_lived=False) for n in (0, 1)]
    assert decide(view(*absent)) == [Start(0), Start(1)]
    assert decide(view(worker(0), worker(1, WorkerState.STARTING))) == []


def test_a_dead_worker_loses_its_slots_at_once_and_is_started_after_its_pause() -> None:
    dead = replace(worker(1, WorkerState.ABSENT), restart_at=100.2)
    seen = view(worker(0), dead, worker(2))
    given = table_after(seen)
    assert given.count_of(process_id(NODE, 1)) == 0 and given.epoch == seen.table.epoch + 1
    assert Start(1) not in decide(seen)
    assert decide(replace(seen, now=100.3, table=given)) == [Start(1)]


def test_a_worker_that_returns_gets_its_slots_back_when_it_is_live() -> None:
    seen = view(worker(0), replace(worker(1, WorkerState.ABSENT), restart_at=200.0))
    without = table_after(seen)
    assert decide(view(worker(0), worker(1, WorkerState.STARTING), table=without)) == []
    assert table_after(view(worker(0), worker(1), table=without)).owners == seen.home.owners


def test_a_hung_worker_is_killed_and_loses_its_slots_in_the_same_breath() -> None:
    silent = replace(worker(1), last_heard=100.0 - LIMITS.hang_ms / 1000 - 0.05)
    kill, given = decide(view(worker(0), silent))
    assert kill == Kill(1, "sent no heartbeat for 0.8 s")
    assert isinstance(given, GiveSlots) and given.table.count_of(process_id(NODE, 1)) == 0


def test_a_worker_heard_just_in_time_lives() -> None:
    assert decide(view(worker(0), replace(worker(1), last_heard=100.0 - LIMITS.hang_ms / 1000 + 0.05))) == []


def test_a_worker_that_waits_for_a_processor_is_not_hung() -> None:
    silent = replace(worker(1), last_heard=98.0)
    assert [action.number for action in decide(view(worker(0), silent)) if isinstance(action, Kill)] == [1]
    assert decide(view(worker(0), replace(silent, waited_s=1.5))) == []


def test_a_worker_that_never_gets_a_processor_is_of_no_use() -> None:
    silent = replace(worker(1), last_heard=90.0, waited_s=9.9)
    assert [action.number for action in decide(view(worker(0), silent)) if isinstance(action, Kill)] == [1]


def test_a_starting_worker_may_be_silent_for_longer_but_not_for_ever() -> None:
    starting = replace(worker(1, WorkerState.STARTING), last_heard=90.0)
    assert decide(view(worker(0), starting)) == []
    late = replace(starting, last_heard=100.0 - LIMITS.start_timeout_s - 1)
    assert decide(view(worker(0), late))[0] == Kill(1, "did not start within 30 s")


def test_a_starting_worker_that_waits_for_a_processor_has_longer() -> None:
    """On a busy machine none would ever start; one that never gets a processor is ended all the same."""
    starting = replace(worker(1, WorkerState.STARTING), last_heard=100.0 - 1.5 * LIMITS.start_timeout_s)
    assert decide(view(worker(0), replace(starting, waited_s=0.6 * LIMITS.start_timeout_s))) == []
    for long, waited in ((1.5, 0.4), (6.5, 6.4)):
        starting = replace(starting, last_heard=100.0 - long * LIMITS.start_timeout_s)
        late = replace(starting, waited_s=waited * LIMITS.start_timeout_s)
        assert decide(view(worker(0), late))[0] == Kill(1, "did not start within 30 s")


def test_all_dead_at_once_are_all_started_and_the_table_waits_for_them() -> None:
    dead = [worker(n, WorkerState.ABSENT) for n in (0, 1)]
    assert decide(view(*dead)) == [Start(0), Start(1)]
    assert decide(view(worker(0), worker(1, WorkerState.STARTING))) == []


def test_the_last_one_dies_while_the_other_starts() -> None:
    """1 died and its slots went to 0; now 0 dies, too. 1 is ready first and takes everything."""
    all_with_0 = all_slots_of(0, 2)
    dead = replace(worker(0, WorkerState.ABSENT), restart_at=200.0)
    seen = replace(view(worker(0), worker(1)), workers=(dead, worker(1)), table=all_with_0)
    assert table_after(seen).count_of(process_id(NODE, 1)) == 256


def test_a_drained_worker_gives_its_slots_away_and_stops_when_it_is_empty() -> None:
    draining = replace(worker(1, WorkerState.DRAINING), since=100.0)
    seen = view(worker(0), draining)
    assert [type(action) for action in decide(seen)] == [GiveSlots]
    later = replace(seen, now=105.0, table=table_after(seen), workers=(replace(worker(0), last_heard=105.0), draining))
    still_busy = replace(draining, last_heard=105.0)
    assert decide(replace(later, workers=(later.workers[0], still_busy))) == []
    # What it told before the drain, when it was not yet known what was on its way.
    stale = replace(still_busy, transactions=0)
    assert decide(replace(later, workers=(later.workers[0], stale))) == []
    empty = replace(stale, told_at=105.0)
    assert decide(replace(later, workers=(later.workers[0], empty))) == [AskToStop(1)]


def test_a_drain_has_an_end() -> None:
    draining = replace(worker(1, WorkerState.DRAINING), since=100.0 - LIMITS.drain_s - 1)
    seen = view(worker(0), draining)
    assert AskToStop(1) in decide(replace(seen, table=table_after(seen)))


def test_the_only_worker_is_not_drained_but_stopped() -> None:
    assert decide(view(replace(worker(0, WorkerState.DRAINING), since=100.0))) == [AskToStop(0)]


def test_a_worker_that_does_not_stop_is_killed() -> None:
    stopping = replace(worker(1, WorkerState.STOPPING), since=100.0 - LIMITS.stop_s - 0.1)
    assert Kill(1, "did not stop within 5 s") in decide(view(worker(0), stopping))


def test_the_end_all_are_asked_then_killed_then_it_is_over() -> None:
    assert decide(view(worker(0), worker(1, WorkerState.STARTING), stop=True)) == [AskToStop(0), AskToStop(1)]
    asked = [replace(worker(n, WorkerState.STOPPING), since=99.0) for n in (0, 1)]
    assert decide(view(*asked, stop=True)) == []
    assert decide(view(*asked, now=105.0, stop=True)) == [
        Kill(0, "did not stop within 5 s"),
        Kill(1, "did not stop within 5 s"),
    ]
    assert decide(view(worker(0, WorkerState.ABSENT), worker(1, WorkerState.ABSENT), stop=True)) == [Finish(0)]


def test_when_stopping_no_worker_is_started_again() -> None:
    assert decide(view(worker(0, WorkerState.ABSENT), worker(1, WorkerState.STOPPING), now=1.0, stop=True)) == []


def test_workers_that_never_lived_are_given_up() -> None:
    hopeless = [replace(worker(n, WorkerState.ABSENT), deaths=3, has_ever_lived=False) for n in (0, 1)]
    assert decide(view(*hopeless)) == [Finish(1)]
    assert decide(view(hopeless[0], replace(hopeless[1], has_ever_lived=True))) != [Finish(1)]


def test_the_pause_before_a_restart_doubles_up_to_its_limit() -> None:
    assert [restart_delay_s(deaths, LIMITS) for deaths in (1, 2, 3, 4)] == [0.2, 0.4, 0.8, 1.6]
    assert restart_delay_s(1000, LIMITS) == 30.0


def test_no_configured_pause_is_still_a_pause() -> None:
    assert restart_delay_s(1, SupervisionSettings(restart_delay_min_ms=0)) > 0


@pytest.mark.parametrize(
    ("lives", "told"),
    [
        ((WorkerState.LIVE, WorkerState.LIVE), "Workers 0, 1 accept calls."),
        ((WorkerState.LIVE, WorkerState.ABSENT), "Worker 0 accepts calls; worker 1 is down and will be restarted."),
        (
            (WorkerState.STARTING, WorkerState.STARTING),
            "No worker accepts calls; worker 0 is starting; worker 1 is starting.",
        ),
    ],
)
def test_the_state_in_one_sentence(lives: tuple[WorkerState, ...], told: str) -> None:
    assert sentence(view(*[worker(n, life) for n, life in enumerate(lives)])) == told


def test_a_worker_that_an_operator_drained_takes_calls_when_no_other_can_and_no_longer() -> None:
    parked = replace(worker(0), is_parked=True)
    dead = replace(worker(1, WorkerState.ABSENT), restart_at=200.0)
    alone = view(parked, dead, table=all_slots_of(1, 3))
    given = table_after(alone)
    assert given.count_of(process_id(NODE, 0)) == 256
    assert decide(replace(alone, table=given)) == []
    assert sentence(replace(alone, table=given)) == "Worker 0 accepts calls; worker 1 is down and will be restarted."
    assert table_after(view(parked, worker(1), table=given)).count_of(process_id(NODE, 0)) == 0


def test_a_worker_that_an_operator_drained_is_not_said_to_take_calls() -> None:
    drained = view(replace(worker(0), is_parked=True), worker(1), table=all_slots_of(1, 3))
    assert decide(drained) == []
    assert sentence(drained) == "Worker 1 accepts calls; worker 0 is drained."
