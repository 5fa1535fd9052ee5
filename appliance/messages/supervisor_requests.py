"""What is asked of the supervisor, by the management process and by `signalbox`, and the typed rows of the answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from appliance.catalogue.node_status import NodeStatus
from appliance.messages.bus_messages import BusReply, BusRequest, Cleared

# -- status ------------------------------------------------------------------------------------------


@dataclass(slots=True)
class StatusReply(BusReply):
    """How the node is."""

    kind = 21
    version = 4
    status: NodeStatus


@dataclass(slots=True)
class StatusRequest(BusRequest[StatusReply]):
    """How is the node?"""

    kind = 20


# -- alarms ------------------------------------------------------------------------------------------


@dataclass(slots=True)
class AlarmRow:
    """A raised alarm; `since` is Unix time, `acknowledged_by` an operator or "", `number` that of its event."""

    name: str
    subject: str
    severity: str
    since: float
    cause: str
    effect: str
    action: str
    text: str
    acknowledged_by: str
    number: int = 0


@dataclass(slots=True)
class AlarmRows(BusReply):
    """The raised alarms, the oldest first."""

    kind = 82
    version = 2
    alarms: list[AlarmRow]


@dataclass(slots=True)
class ListAlarms(BusRequest[AlarmRows]):
    """Which alarms are raised?"""

    kind = 81


@dataclass(slots=True)
class AlarmEvent:
    """An alarm that was raised, cleared or acknowledged (`what`).

    `number`: from 1, since the start of the node; `raised_number`: that of the event of its raising.
    """

    wall_time: float
    name: str
    subject: str
    severity: str
    what: str
    text: str
    number: int = 0
    raised_number: int = 0


@dataclass(slots=True)
class AlarmEvents(BusReply):
    """The last events, the oldest first."""

    kind = 84
    version = 3
    events: list[AlarmEvent]


@dataclass(slots=True)
class ListAlarmEvents(BusRequest[AlarmEvents]):
    """What became of alarms?"""

    kind = 83
    limit: int


@dataclass(slots=True)
class AlarmsAcknowledged(BusReply):
    """How many."""

    kind = 86
    count: int


@dataclass(slots=True)
class AcknowledgeAlarm(BusRequest[AlarmsAcknowledged]):
    """Note that an operator has seen the raised alarms of this name, of one subject or of all ("")."""

    kind = 85
    name: str
    subject: str
    user: str


# -- wrong passwords, subscribers --------------------------------------------------------------------


@dataclass(slots=True)
class FailureRow:
    """Wrong passwords from a source for a user; `(all)` for a sum. `refused_s`: for how long it is blocked."""

    source: str
    user: str
    failures: int
    wall_time: float
    refused_s: int


@dataclass(slots=True)
class FailureRows(BusReply):
    """Wrong passwords, those that came last first."""

    kind = 88
    total: int
    rows: list[FailureRow]


@dataclass(slots=True)
class ListFailures(BusRequest[FailureRows]):
    """Which wrong passwords have come?"""

    kind = 87
    limit: int


@dataclass(slots=True)
class ClearFailures(BusRequest[Cleared]):
    """Forget the wrong passwords of a source or a user, or all (""). It is passed on to the workers."""

    kind = 50
    who: str


@dataclass(slots=True)
class WorkersTold(BusReply):
    """The numbers of the workers that a message was passed on to."""

    kind = 89
    workers: list[int]


@dataclass(slots=True)
class ForgetSubscriber(BusRequest[WorkersTold]):
    """The data of a subscriber changed, b"" for any: drop what is cached of it. It is passed on to the workers."""

    kind = 22
    username: bytes


@dataclass(slots=True)
class EndRegistrations(BusRequest[WorkersTold]):
    """A subscriber was removed: end its registrations. It is passed on to one worker."""

    kind = 51
    username: str
    realm: str


# -- workers -----------------------------------------------------------------------------------------


@dataclass(slots=True)
class WorkerChanged(BusReply):
    """A worker and its state now; `transactions`: those it still has."""

    kind = 93
    number: int
    state: str
    transactions: int


@dataclass(slots=True)
class DrainWorker(BusRequest[WorkerChanged]):
    """Take its slots away; the process stays."""

    kind = 90
    number: int


@dataclass(slots=True)
class UndrainWorker(BusRequest[WorkerChanged]):
    """Let it have slots again."""

    kind = 91
    number: int


@dataclass(slots=True)
class RestartWorker(BusRequest[WorkerChanged]):
    """Drain it, stop it and start it again."""

    kind = 92
    number: int


@dataclass(slots=True)
class Done(BusReply):
    """What was done, in words."""

    kind = 96
    text: str


@dataclass(slots=True)
class Reload(BusRequest[Done]):
    """Restart the workers one by one, now or in so many minutes."""

    kind = 94
    minutes: int
    user: str


@dataclass(slots=True)
class CancelReload(BusRequest[Done]):
    """Take back the scheduled reload."""

    kind = 95
    user: str


# -- the configuration -------------------------------------------------------------------------------


@dataclass(slots=True)
class SettingChange:
    """A setting that a commit changes, and when that takes effect."""

    keyword: str
    effect: str
    old: str
    new: str


@dataclass(slots=True)
class Committed(BusReply):
    """The number of the commit, and what it changed."""

    kind = 98
    number: int
    effects: list[SettingChange]


COMMIT_ANSWER_S: Final = 75.0
"""Who asks for a commit waits for its reply for so long: longer than this node, where workers start, then the others of
its cluster, may take."""


@dataclass(slots=True)
class CommitConfiguration(BusRequest[Committed]):
    """Put a configuration in force that was made from commit `base`.

    `confirm_s`: it is taken back after that time unless it is confirmed, 0.0: never. `is_back`: it is a rollback, and
    may follow a commit that is not confirmed. `file_text`: the text of the file that it was loaded from, "" for none.
    The reply comes when all workers go by it, or when it has failed.
    """

    kind = 97
    text: str
    base: int
    user: str
    comment: str = ""
    confirm_s: float = 0.0
    is_back: bool = False
    file_text: str = ""


@dataclass(slots=True)
class Confirmed(BusReply):
    """The number of the commit that stays."""

    kind = 100
    number: int


@dataclass(slots=True)
class ConfirmCommit(BusRequest[Confirmed]):
    """Keep the commit that waits to be confirmed."""

    kind = 99
    user: str
