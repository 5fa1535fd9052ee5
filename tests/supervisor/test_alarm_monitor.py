"""Alarms about the node itself end with their cause."""

from __future__ import annotations

from pathlib import Path

from appliance.catalogue.settings import Settings
from appliance.storage.commits import CommitStore
from appliance.supervisor.alarm_monitor import AlarmMonitor
from appliance.supervisor.commit_coordinator import CommitCoordinator
from appliance.supervisor.supporting_processes import SupportingProcesses
from appliance.supervisor.worker_record import WorkerRecord


def test_the_alarm_of_a_listener_ends_when_its_worker_is_removed(tmp_path: Path) -> None:
    monitor = AlarmMonitor(Settings(), lambda sentence, level, event: None, tmp_path, SupportingProcesses())
    coordinator = CommitCoordinator(None, CommitStore(tmp_path), None)  # type: ignore[arg-type]
    records = [WorkerRecord(0, 0), WorkerRecord(1, 0)]
    monitor.listener_faults[1] = "The port is in use."
    monitor.look(records, Settings(), coordinator, 1.0)
    assert monitor.alarms.is_raised("listener-failed", "worker 1")
    records[1].is_retired = True
    monitor.look(records, Settings(), coordinator, 2.0)
    assert monitor.alarms.sentences() == []
