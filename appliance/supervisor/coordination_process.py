"""The cluster process of a node: kept running, what it reports of etcd and the members, and take-overs for etcd.

A take-over is kept here until the cluster process has said that etcd has it: neither the end of that process nor an
outage of etcd loses one. Everything is bounded; the oldest is the victim.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from appliance.catalogue.alarms import ALARMS, CLUSTER_PROCESS_DOWN, Condition
from appliance.catalogue.cluster_status import UNKNOWN, ClusterStatus, TakeOverRow
from appliance.catalogue.supervision_settings import SupervisionSettings
from appliance.ipc.launch import ClusterLaunch
from appliance.messages.bus_messages import BusMessage
from appliance.messages.cluster_commits import (
    ConfirmationRefused,
    EndCommit,
    PrepareCommit,
    SetCommitsAside,
    TakeCommit,
)
from appliance.messages.cluster_messages import (
    ClusterConfiguration,
    ClusterReport,
    TakeOver,
    TakeOverHistory,
    TakeOversRecorded,
    VersionInForce,
)
from appliance.messages.sealing_messages import RotationEnded, SealingState
from appliance.storage.cluster_file import ClusterFile
from appliance.storage.sealing_key_file import SealingKeysDamaged, read_sealing_keys
from appliance.supervisor.sealing_key_rollout import SealingKeyRollout
from appliance.supervisor.watched_process import WatchedProcess

SUBJECT: Final = "cluster"
UNRECORDED_MAX: Final = 1000
SENT_TOGETHER: Final = 32
KEYS_WAIT_S: Final = 5.0
COMMIT_ORDERS_MAX: Final = 64
COMMIT_ORDERS: Final = (PrepareCommit, EndCommit, TakeCommit, SetCommitsAside, ConfirmationRefused)
_NAMES: Final = frozenset(alarm.name for alarm in ALARMS)


class CoordinationProcess(WatchedProcess[ClusterLaunch]):
    """Call `tend` in every cycle, `heard` with each of its messages."""

    silence_min_s = 10.0

    def __init__(self, known: ClusterFile, launch: ClusterLaunch, report: Callable[[str], None]) -> None:
        super().__init__("The cluster process", launch, report)
        self.send: Callable[[BusMessage], bool] = lambda message: False
        """Passes a message to the process."""
        self.on_membership: Callable[[], None] = lambda: None
        """Called when the process has written the cluster file for another version of the membership."""
        self.on_removed: Callable[[], None] = lambda: None
        """Called when the node was removed from the cluster."""
        self.on_rotation: Callable[[RotationEnded], None] = lambda ended: None
        """Called with what has come of an order to rotate the key that seals tokens."""
        self.sealing: SealingKeyRollout | None = None
        """The keys that seal tokens, as the workers go by them."""
        self.linked: list[int] = []
        """The numbers of the nodes that there is a link to."""
        self.settled_version = 0
        """Of the members: the lease process helps no owner of an earlier one. 0 for unknown."""
        self._has_current_keys = False
        self._tended_since = float("inf")
        self.commit_orders: deque[BusMessage] = deque(maxlen=COMMIT_ORDERS_MAX)
        """What the process says about the configuration of the cluster; it repeats what was not done."""
        self.is_member = True
        """False: the node was removed from the cluster, and the process is not started again."""
        self.known = known
        self._report_heard = ClusterReport(ClusterStatus(), True)
        self._history: list[TakeOverRow] = []
        self._unrecorded: dict[tuple[int, int], TakeOver] = {}
        self._text_told = launch.config_text

    # -- its life ----------------------------------------------------------------------------------------

    def tend(self, limits: SupervisionSettings, is_stopping: bool, now: float) -> None:
        """Keep it running as long as this node is a member."""
        self._tended_since = min(self._tended_since, now)
        super().tend(limits, is_stopping or not self.is_member, now)

    def put_in_force(self, text: str) -> None:
        """Go by a new configuration."""
        self.launch = replace(self.launch, config_text=text)
        self._tell_configuration()

    def heard(self, message: BusMessage, now: float) -> bool:
        """Take in what it says; is it a reason for a cycle?"""
        if isinstance(message, ClusterReport):
            self.signed(now)
            self._take_report(message)
        elif isinstance(message, TakeOverHistory):
            self._history = message.rows
        elif isinstance(message, TakeOversRecorded):
            for key in message.recorded:
                self._unrecorded.pop((key.address, key.epoch), None)
        elif isinstance(message, RotationEnded):
            self.on_rotation(message)
        elif isinstance(message, COMMIT_ORDERS):
            self.commit_orders.append(message)
            return True
        return False

    def _take_report(self, report: ClusterReport) -> None:
        former, self._report_heard = self._report_heard, report
        if self.is_member and not report.is_member:
            self.is_member = False
            self._report(f"This node was removed from the cluster {self.known.name}.")
            self.on_removed()
        if report.status.membership != (former.status.membership or self.known.membership.version):
            self.on_membership()
        # What was sent before may have been lost with a process; what is recorded already is not recorded again.
        for take_over in list(self._unrecorded.values())[:SENT_TOGETHER]:
            self.send(take_over)
        self.send(VersionInForce(self.settled_version))
        self._take_sealing_keys(report.sealing_step)
        self._tell_configuration()

    def _take_sealing_keys(self, step: int) -> None:
        """Read the keys that the process has written, and say how far the workers are."""
        if self.sealing is None:
            return
        if step > self.sealing.keys.step:
            # A damaged one is written anew when the process starts next.
            with suppress(SealingKeysDamaged):
                self.sealing.go_by(read_sealing_keys(Path(self.launch.state_dir), self.known.key))
        self._has_current_keys |= 0 <= step <= self.sealing.step_taken
        self.send(SealingState(self.sealing.step_taken, self.linked))

    def has_current_keys(self, now: float) -> bool:
        """May calls come that other nodes have let through? Not before the workers have the keys that etcd holds, or it
        has not answered for a while.
        """
        return self._has_current_keys or self.sealing is None or now > self._tended_since + KEYS_WAIT_S

    def _tell_configuration(self) -> None:
        text = self.launch.config_text
        if text != self._text_told and self.send(ClusterConfiguration(text)):
            self._text_told = text

    def _start(self, limits: SupervisionSettings, now: float) -> None:
        self._text_told = self.launch.config_text
        super()._start(limits, now)

    def _ended(self, ending: str, limits: SupervisionSettings, is_stopping: bool, now: float) -> None:
        status = self._report_heard.status
        members = [replace(member, state=UNKNOWN) for member in status.members]
        self._report_heard = ClusterReport(replace(status, members=members, etcd_servers=[]), self.is_member)
        super()._ended(ending, limits, is_stopping, now)

    @property
    def etcd_fault(self) -> str:
        """Why etcd takes no changes, as far as this node knows; "" when it does."""
        if not self.is_member:
            return f"This node was removed from the cluster {self.known.name}; restart it to run it alone."
        if not self.is_running or not self._report_heard.status.name:
            return "The cluster process has not reported yet."
        return self._report_heard.etcd_fault

    # -- take-overs --------------------------------------------------------------------------------------

    def note_take_over(self, take_over: TakeOver) -> None:
        """This node has taken a virtual address over: have etcd record it, now or when it is back."""
        self._unrecorded[take_over.address, take_over.epoch] = take_over
        if len(self._unrecorded) > UNRECORDED_MAX:
            del self._unrecorded[next(iter(self._unrecorded))]
        self.send(take_over)

    def rows(self) -> list[TakeOverRow]:
        """What etcd holds, and what it has not got yet; the newest last."""
        names = {member.number: member.name for member in self.known.membership.members}
        held = {(row.address, row.epoch) for row in self._history}
        waiting = [
            TakeOverRow(
                wall_time=each.wall_time,
                address=each.name,
                epoch=each.epoch,
                owner=names.get(each.owner, ""),
                last_owner=names.get(each.last_owner, ""),
                reason=each.reason,
                gap_ms=each.gap_ms,
                is_recorded=False,
            )
            for each in self._unrecorded.values()
            if (each.name, each.epoch) not in held
        ]
        return [*self._history, *waiting]

    # -- what operators see ------------------------------------------------------------------------------

    def status(self) -> ClusterStatus:
        """How the cluster is, as far as this node knows."""
        told = self._report_heard.status
        etcd = told.etcd if self.is_running and told.name else "The cluster process has not reported yet."
        return replace(
            told, name=self.known.name, node=self.known.member.name, etcd=etcd, unrecorded=len(self._unrecorded)
        )

    def conditions(self) -> Iterator[Condition]:
        """The alarms that are true of it."""
        if not self.is_member:
            sentence = f"This node was removed from the cluster {self.known.name}. Restart it to run it alone."
            yield Condition(CLUSTER_PROCESS_DOWN, SUBJECT, sentence)
        elif self.is_down and self.deaths:
            yield Condition(
                CLUSTER_PROCESS_DOWN, SUBJECT, f"The cluster process is being restarted: {self.last_ending}."
            )
        if self.is_running:
            yield from (alarm for alarm in self._report_heard.alarms if alarm.name in _NAMES)
