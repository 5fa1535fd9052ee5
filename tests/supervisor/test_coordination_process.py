"""The cluster process as the supervisor keeps it: what it reports, and take-overs that no death of it loses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.catalogue.alarms import CLUSTER_PROCESS_DOWN, ETCD_UNAVAILABLE, Condition
from appliance.catalogue.cluster_status import PRESENT, UNKNOWN, ClusterStatus, MemberStatus, TakeOverRow
from appliance.catalogue.supervision_settings import SupervisionSettings
from appliance.ipc.launch import ClusterLaunch
from appliance.messages.bus_messages import BusMessage
from appliance.messages.cluster_messages import (
    ClusterConfiguration,
    ClusterReport,
    TakeOver,
    TakeOverHistory,
    TakeOverKey,
    TakeOversRecorded,
    VersionInForce,
)
from appliance.messages.membership import Member, Membership
from appliance.storage.cluster_file import ClusterFile, EtcdAccess
from appliance.supervisor.coordination_process import UNRECORDED_MAX, CoordinationProcess
from appliance.supervisor.processes import NodeProcess

LIMITS = SupervisionSettings()
MEMBERS = Membership(2, (Member(1, "a"), Member(2, "b")))
KNOWN = ClusterFile("west", 1, "00" * 32, "s" * 40, MEMBERS, EtcdAccess(("http://192.0.2.1:2379",)))


class SleepingLaunch(ClusterLaunch):
    """A process that does nothing."""

    def argv(self) -> list[str]:
        return ["sleep", "60"]


class Kept:
    """One with the clock of the test."""

    def __init__(self, folder: Path) -> None:
        self.sent: list[BusMessage] = []
        self.versions: list[int] = []
        self.events: list[str] = []
        self.process = CoordinationProcess(KNOWN, SleepingLaunch(str(folder), "first", 1), self.events.append)
        self.process.send = self._send
        self.process.on_membership = lambda: self.events.append("members")
        self.process.on_removed = lambda: self.events.append("removed")
        self.process.tend(LIMITS, False, 0.0)

    def _send(self, message: BusMessage) -> bool:
        if isinstance(message, VersionInForce):
            self.versions.append(message.members_version)
        else:
            self.sent.append(message)
        return True

    def report(self, now: float, version: int = 2, is_member: bool = True, alarms: tuple[Condition, ...] = ()) -> None:
        status = ClusterStatus("west", "a", version, "etcd answers.", 0, [MemberStatus(2, "b", state=PRESENT)])
        self.process.heard(ClusterReport(status, is_member, list(alarms)), now)

    def alarms(self) -> list[str]:
        return [condition.name for condition in self.process.conditions()]

    def end(self) -> None:
        """It dies, and the supervisor notices."""
        process = self.process.process
        assert process is not None
        process.kill()
        while self.process.is_running and self.process.process is process:
            self.process.tend(LIMITS, False, 100.0)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    made = Kept(tmp_path)
    yield made
    made.process.kill()


def taken(epoch: int) -> TakeOver:
    return TakeOver(1, "v1", epoch, 1, 2, "b was not heard", 631, 1.5)


def test_each_report_is_answered_with_the_version_of_the_members_that_is_in_force(kept: Kept) -> None:
    kept.report(1.0)
    kept.process.settled_version = 2
    kept.report(2.0)
    assert kept.versions == [0, 2]


def test_a_take_over_is_repeated_until_etcd_has_it(kept: Kept) -> None:
    kept.process.note_take_over(taken(7))
    kept.process.note_take_over(taken(8))
    kept.report(1.0)
    assert kept.sent == [taken(7), taken(8)] * 2
    rows = kept.process.rows()
    assert [(row.epoch, row.owner, row.last_owner, row.is_recorded) for row in rows] == [
        (7, "a", "b", False),
        (8, "a", "b", False),
    ]
    assert kept.process.status().unrecorded == 2
    kept.process.heard(TakeOverHistory([TakeOverRow(1.5, "v1", 7, "a", "b", "b was not heard", 631)]), 1.0)
    kept.process.heard(TakeOversRecorded([TakeOverKey(1, 7), TakeOverKey(9, 9)]), 1.0)
    assert [(row.epoch, row.is_recorded) for row in kept.process.rows()] == [(7, True), (8, False)]
    kept.end()
    kept.sent.clear()
    kept.report(200.0)
    assert kept.sent == [taken(8)]


def test_take_overs_that_wait_are_bounded(kept: Kept) -> None:
    for epoch in range(UNRECORDED_MAX + 5):
        kept.process.note_take_over(taken(epoch))
    assert [row.epoch for row in kept.process.rows()][:1] == [5]
    assert kept.process.status().unrecorded == UNRECORDED_MAX


def test_another_membership_is_told_once(kept: Kept) -> None:
    kept.report(1.0)
    assert "members" not in kept.events
    kept.report(2.0, version=3)
    kept.report(3.0, version=3)
    assert kept.events.count("members") == 1


def test_a_node_that_was_removed_has_no_cluster_process_any_more(kept: Kept) -> None:
    kept.report(1.0, is_member=False)
    kept.report(2.0, is_member=False)
    assert kept.events.count("removed") == 1
    kept.end()
    kept.process.tend(LIMITS, False, 1000.0)
    assert not kept.process.is_running and kept.alarms() == [CLUSTER_PROCESS_DOWN]
    assert "was removed from the cluster west" in next(kept.process.conditions()).text


def test_what_it_reported_is_not_taken_for_true_when_it_is_gone(kept: Kept) -> None:
    assert kept.process.status().etcd == "The cluster process has not reported yet."
    kept.report(1.0, alarms=(Condition(ETCD_UNAVAILABLE, "etcd", "It is away."), Condition("unknown", "x", "y")))
    assert kept.alarms() == [ETCD_UNAVAILABLE]
    assert kept.process.status().members[0].state == PRESENT
    kept.end()
    assert kept.process.status().members[0].state == UNKNOWN


def test_one_that_waits_for_a_processor_when_it_starts_has_longer(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_s, process = LIMITS.start_timeout_s, kept.process
    monkeypatch.setattr(NodeProcess, "waited_s", lambda _: 0.6 * start_s)
    process.tend(LIMITS, False, 1.5 * start_s)
    assert kept.events == []
    process.tend(LIMITS, False, 1.7 * start_s)
    assert kept.events == [f"The cluster process sent no heartbeat for {1.7 * start_s:.1f} s; it is killed."]


def test_one_that_is_silent_is_killed(kept: Kept) -> None:
    kept.report(1.0)
    kept.process.tend(LIMITS, False, 10.0)
    assert not [event for event in kept.events if "killed" in event]
    kept.process.tend(LIMITS, False, 30.0)
    assert [event for event in kept.events if "sent no heartbeat for 29.0 s; it is killed" in event]


def test_a_new_configuration_reaches_it(kept: Kept) -> None:
    kept.process.put_in_force("second")
    assert kept.sent == [ClusterConfiguration("second")]
    kept.report(1.0)
    assert kept.sent == [ClusterConfiguration("second")]
