"""The replicator of a node in a cluster: kept running, and its reports about the other nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from appliance.catalogue.alarms import REPLICATOR_DOWN, Condition
from appliance.catalogue.cluster_status import LINKED, UNLINKED, MemberStatus
from appliance.catalogue.supervision_settings import SupervisionSettings
from appliance.ipc.launch import ReplicatorLaunch
from appliance.messages.bus_messages import BusMessage, Heartbeat
from appliance.messages.link_messages import ReplicationReport
from appliance.messages.table_messages import ReplicatorSettings
from appliance.storage.replication_page import ReplicationMemory
from appliance.supervisor.watched_process import WatchedProcess
from appliance.supervisor.worker_record import sums

SUBJECT: Final = "replicator"
HOPELESS_DEATHS: Final = 3


class ReplicatorProcess(WatchedProcess[ReplicatorLaunch]):
    """Call `tend` in every cycle, once there is a table. `memory`: what it shares with the workers."""

    # It waits for the lock of the table, and for the persister that makes a new one.
    silence_min_s = 5.0

    def __init__(self, launch: ReplicatorLaunch, memory: ReplicationMemory, report: Callable[[str], None]) -> None:
        super().__init__("The replicator", launch, report)
        self.send: Callable[[BusMessage], bool] = lambda message: False
        self.last_report = ReplicationReport([], False)
        self.is_wanted = True
        """Has this node a place where others reach it?"""
        self._has_been_ready = False
        self._memory = memory
        self._is_asked_to_end = False
        self._counters: list[int] = []
        self._counters_of_the_dead: list[int] = []

    @property
    def may_own(self) -> bool:
        """Has this node the registrations that it needs to own addresses? Once it was in sync with each node that it
        reaches, what comes later comes by the log, and a node that joins later lacks something itself. Where the
        replicator cannot run, calls are worth more than registrations that may be missing.
        """
        return self._has_been_ready or not self.is_wanted or self.deaths >= HOPELESS_DEATHS

    def tend_replicator(self, limits: SupervisionSettings, is_stopping: bool, is_serving: bool, now: float) -> None:
        """Keep it running, from the first worker that takes calls to the last one."""
        if is_stopping and not is_serving and not self._is_asked_to_end:
            self._is_asked_to_end = True
            self.stop()
        if not self.is_wanted:
            return
        if is_serving or self.is_running or self.is_down:
            self.tend(limits, is_stopping, now)

    def heard(self, message: BusMessage, now: float) -> bool:
        """Take a report in; has the state of a node changed?"""
        if isinstance(message, Heartbeat):
            self.signed(now)
            self._counters = message.counters
            return False
        if not isinstance(message, ReplicationReport):
            return False
        former, self.last_report = self.last_report, message
        self._has_been_ready |= message.is_ready
        return _state_of(former) != _state_of(message)

    def put_in_force(self, text: str) -> None:
        """Go by a new configuration."""
        self.launch = replace(self.launch, config_text=text)
        self.send(ReplicatorSettings(text))

    def counters(self) -> list[int]:
        """The sum over all incarnations, by counter id."""
        return sums(self._counters_of_the_dead, self._counters)

    @property
    def linked(self) -> list[int]:
        """The numbers of the nodes that there is a link to."""
        return [peer.node for peer in self.last_report.peers if peer.is_connected]

    def with_link(self, member: MemberStatus) -> MemberStatus:
        """The status of a member with what is known of the link to it."""
        peer = next((peer for peer in self.last_report.peers if peer.node == member.number), None)
        if peer is None or member.is_self:
            return member
        if not peer.is_connected:
            return replace(member, link=UNLINKED)
        return replace(member, link=LINKED, is_in_sync=peer.is_in_sync, lag=peer.lag)

    def conditions(self) -> Iterator[Condition]:
        """The alarms that are true."""
        if self.is_down:
            yield Condition(REPLICATOR_DOWN, SUBJECT, f"The replicator is being restarted: {self.last_ending}.")
        for alarm in self.last_report.alarms:
            yield Condition(alarm.name, f"node {alarm.node}", alarm.sentence)

    def _ended(self, ending: str, limits: SupervisionSettings, is_stopping: bool, now: float) -> None:
        # No answer waits for acknowledgements that are not written.
        self._memory.clear()
        self._counters_of_the_dead, self._counters = self.counters(), []
        self.last_report = ReplicationReport([], False)
        super()._ended(ending, limits, is_stopping, now)


def _state_of(report: ReplicationReport) -> list[tuple[int, bool, bool]]:
    return [(peer.node, peer.is_connected, peer.is_in_sync) for peer in report.peers]
