"""What the supervisor does next: a pure function of what it sees.

    ABSENT --start--> STARTING ---heard---> LIVE --drain--> DRAINING --empty, or late--> STOPPING --ends--> ABSENT
                          |                   |
                          +---silent, or late-+--kill--> STOPPING

A worker owns slots while it is LIVE. One that is STARTING keeps what it owns (it owned them before, or the
table was dealt before any worker was live, and its sockets keep what comes), and gets its share when it is LIVE.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from appliance.catalogue.supervision_settings import SupervisionSettings
from appliance.messages.slots import SlotTable, give_back, move
from appliance.transport.process_id import ProcessId

# No worker has ever been live and each has ended so often: starting again will not help.
HOPELESS_DEATHS: Final = 3
# A worker that has no processor is slow, and to start another one would take more of what is short. But it has to end:
# after so many times the configured silence it serves no calls.
EXCUSED_MAX: Final = 5


class WorkerState(IntEnum):
    """Where in its life a worker is."""

    ABSENT = 0
    STARTING = 1
    LIVE = 2
    DRAINING = 3
    STOPPING = 4


@dataclass(frozen=True, slots=True)
class WorkerView:
    """One worker as the supervisor sees it; times are monotonic seconds.

    `process`      its address; `number` is that within the node.
    `since`        when it came to this state.
    `last_heard`   of its last sign of life, or of its start.
    `told_at`      of its last heartbeat, which carried its number of transactions.
    `restart_at`   when it may be started again, if it is ABSENT.
    `deaths`       how often in a row it has ended soon after its start.
    `is_parked`    an operator has drained it: it owns no slots as long as others can.
    `is_retired`   it is no longer wanted: it ends, and is not started again.
    `waited_s`     for how much of its silence it wanted a processor and had none.
    """

    number: int
    process: ProcessId
    life: WorkerState
    since: float
    last_heard: float
    restart_at: float
    transactions: int
    deaths: int
    has_ever_lived: bool
    is_parked: bool = False
    is_retired: bool = False
    waited_s: float = 0.0
    told_at: float = 0.0


@dataclass(frozen=True, slots=True)
class SupervisorView:
    """All workers, and the table in force. `home` is the table that holds when all workers are live."""

    now: float
    workers: tuple[WorkerView, ...]
    table: SlotTable
    home: SlotTable
    is_stopping: bool
    limits: SupervisionSettings


@dataclass(frozen=True, slots=True)
class Start:
    """Start this worker."""

    number: int


@dataclass(frozen=True, slots=True)
class Kill:
    """End this worker now; `reason` completes "Worker 1 ..."."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class AskToStop:
    """Ask this worker to stop."""

    number: int


@dataclass(frozen=True, slots=True)
class GiveSlots:
    """Put this table in force."""

    table: SlotTable


@dataclass(frozen=True, slots=True)
class Finish:
    """The supervisor's work is done, or hopeless: end with this status."""

    status: int


Action = Start | Kill | AskToStop | GiveSlots | Finish


def decide(view: SupervisorView) -> list[Action]:
    """What to do now, in this order. To see nothing to do is the rule."""
    if view.is_stopping:
        return _stop(view)
    if all(not w.has_ever_lived and w.deaths >= HOPELESS_DEATHS for w in view.workers):
        return [Finish(1)]
    kills = _kills(view)
    table = _table(view, [kill.number for kill in kills])
    new_table = [GiveSlots(table)] if table is not view.table else []
    return [*kills, *new_table, *_ends_of_drains(view, table), *_starts(view)]


def restart_delay_s(deaths: int, limits: SupervisionSettings) -> float:
    """The pause before the restart of a worker that has ended `deaths` times (1 or more) soon after its start."""
    # Without a pause a worker that always fails would use up a core.
    shortest = max(limits.restart_delay_min_ms, 10) / 1000
    longest = max(limits.restart_delay_max_ms / 1000, shortest)
    return float(min(longest, shortest * 2 ** min(deaths - 1, 30)))


def sentence(view: SupervisorView) -> str:
    """The state of the node in one sentence."""
    if view.is_stopping:
        left = [w.number for w in view.workers if w.life != WorkerState.ABSENT]
        return f"Stopping: {_names(left)} still running." if left else "Stopped."
    live = [w.number for w in view.workers if _takes_calls(w, view.table)]
    others = [w for w in view.workers if not _takes_calls(w, view.table)]
    taking = f"{_names(live)} {'accepts' if len(live) == 1 else 'accept'} calls" if live else "no worker accepts calls"
    taking = taking[0].upper() + taking[1:]
    return "; ".join([taking, *(f"worker {w.number} is {_WORDS[w.life]}" for w in others)]) + "."


def _takes_calls(worker: WorkerView, table: SlotTable) -> bool:
    return worker.life == WorkerState.LIVE and (not worker.is_parked or worker.process in table.owners)


_WORDS: Final = {
    WorkerState.ABSENT: "down and will be restarted",
    WorkerState.STARTING: "starting",
    # It accepts no calls.
    WorkerState.LIVE: "drained",
    WorkerState.DRAINING: "draining",
    WorkerState.STOPPING: "stopping",
}


def _names(numbers: Sequence[int]) -> str:
    if not numbers:
        return "no worker"
    return f"worker{'s' if len(numbers) > 1 else ''} {', '.join(str(number) for number in numbers)}"


def _stop(view: SupervisorView) -> list[Action]:
    actions: list[Action] = []
    for worker in view.workers:
        if worker.life == WorkerState.STOPPING:
            actions += _late_to_stop(view, worker)
        elif worker.life != WorkerState.ABSENT:
            actions.append(AskToStop(worker.number))
    if all(worker.life == WorkerState.ABSENT for worker in view.workers):
        actions.append(Finish(0))
    return actions


def _late_to_stop(view: SupervisorView, worker: WorkerView) -> list[Kill]:
    if view.now - worker.since <= view.limits.stop_s:
        return []
    return [Kill(worker.number, f"did not stop within {view.limits.stop_s} s")]


def _kills(view: SupervisorView) -> list[Kill]:
    kills: list[Kill] = []
    for worker in view.workers:
        silent_s = view.now - worker.last_heard
        if worker.life in (WorkerState.LIVE, WorkerState.DRAINING) and _is_late(
            worker, silent_s, view.limits.hang_ms / 1000
        ):
            kills.append(Kill(worker.number, f"sent no heartbeat for {silent_s:.1f} s"))
        elif worker.life == WorkerState.STARTING and _is_late(worker, silent_s, view.limits.start_timeout_s):
            kills.append(Kill(worker.number, f"did not start within {view.limits.start_timeout_s} s"))
        elif worker.life == WorkerState.STOPPING:
            kills += _late_to_stop(view, worker)
    return kills


def _is_late(worker: WorkerView, silent_s: float, longest_s: float) -> bool:
    return silent_s - min(worker.waited_s, EXCUSED_MAX * longest_s) > longest_s


def _table(view: SupervisorView, killed: list[int]) -> SlotTable:
    """The table that should be in force."""
    live = [w for w in view.workers if w.life == WorkerState.LIVE and w.number not in killed]
    # If all are drained, they own the slots all the same: calls come first.
    able = [w.process for w in live if not w.is_parked] or [w.process for w in live]
    waiting = [w.process for w in view.workers if w.life == WorkerState.STARTING and w.number not in killed]
    table = view.table
    for owner in sorted(set(table.owners) - set(able) - set(waiting)):
        table = move(table, owner, able)
    for worker in able:
        if _has_lent_slots(worker, table, view.home):
            table = give_back(table, worker, able, view.home)
    return table if table.owners == view.table.owners else SlotTable(table.owners, view.table.epoch + 1)


def _has_lent_slots(worker: ProcessId, table: SlotTable, home: SlotTable) -> bool:
    """Do others own slots that are this worker's when all are live, as after its return?"""
    return any(owner == worker != table.owners[slot] for slot, owner in enumerate(home.owners))


def _ends_of_drains(view: SupervisorView, table: SlotTable) -> list[AskToStop]:
    ended = []
    for worker in view.workers:
        if worker.life == WorkerState.DRAINING:
            drained_s = view.now - worker.since
            # What was on its way when the slots moved has arrived by then, and is in the count.
            told_s = worker.told_at - worker.since
            is_empty = worker.transactions == 0 and told_s * 1000 > 2 * view.limits.heartbeat_ms
            # Without another worker for its slots a drain would only be a longer interruption.
            is_alone = worker.process in table.owners
            if is_empty or is_alone or drained_s > view.limits.drain_s:
                ended.append(AskToStop(worker.number))
    return ended


def _starts(view: SupervisorView) -> list[Start]:
    return [
        Start(worker.number)
        for worker in view.workers
        if worker.life == WorkerState.ABSENT and view.now >= worker.restart_at and not worker.is_retired
    ]
