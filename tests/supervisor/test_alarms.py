"""Alarms: declared completely, raised and cleared by what is true."""

from __future__ import annotations

import pytest

from appliance.catalogue.alarms import ALARMS, CRITICAL, MAJOR, MINOR, WARNING, Alarm, Condition
from appliance.catalogue.limit_settings import LimitSettings
from appliance.catalogue.supervision_settings import SupervisionSettings
from appliance.messages.bus_messages import Heartbeat
from appliance.storage.commits import CONFIRMED, UNCONFIRMED, Commit
from appliance.supervisor.alarm_conditions import configuration_conditions, registration_conditions, worker_conditions
from appliance.supervisor.alarm_table import HISTORY_MAX, AlarmTable
from appliance.supervisor.worker_record import WorkerRecord

LIMITS = LimitSettings(transactions_max=1000)


@pytest.mark.parametrize("alarm", ALARMS, ids=lambda alarm: alarm.name)
def test_an_alarm_is_declared_completely(alarm: Alarm) -> None:
    assert alarm.severity in (CRITICAL, MAJOR, MINOR, WARNING)
    assert alarm.name == alarm.name.lower() and " " not in alarm.name
    assert all(text.endswith(".") and len(text) > 10 for text in (alarm.cause, alarm.effect, alarm.action))


def test_names_are_given_once() -> None:
    assert len({alarm.name for alarm in ALARMS}) == len(ALARMS)


def test_an_alarm_is_raised_once_and_cleared_when_it_is_over() -> None:
    said: list[str] = []
    table = AlarmTable(lambda sentence, level, event: said.append(sentence))
    down = Condition("worker-down", "worker 1", "Worker 1 is down.")
    for wall_time in (1.0, 2.0):
        table.update([down], wall_time)
    assert [(row.name, row.subject, row.since, row.severity) for row in table.rows()] == [
        ("worker-down", "worker 1", 1.0, "major")
    ]
    table.update([], 3.0)
    assert table.rows() == [] == table.sentences()
    assert [(event.wall_time, event.what) for event in table.history(10)] == [(1.0, "raised"), (3.0, "cleared")]
    assert len(said) == 2


def test_no_secret_of_a_configuration_is_in_an_alarm() -> None:
    """Alarms go to operators who see no secrets, into the log, by SNMP and to the web console."""
    said: list[str] = []
    table = AlarmTable(lambda sentence, level, event: said.append(sentence))
    secrets = "`enable secret scrypt:16384:8:1:00ff:ffaa` `user anna sha256 key 00ff 11ee` postgresql://box:tiger@db/sip"
    table.update([Condition("start-remark", "remark 1", secrets)], 1.0)
    shown = "`enable secret <hidden>` `user anna sha256 key <hidden> <hidden>` postgresql://box:<hidden>@db/sip"
    assert [row.text for row in table.rows()] == table.sentences() == [shown]
    assert [event.text for event in table.history(1)] == [shown]
    assert said == [f"Alarm start-remark of remark 1 raised (warning): {shown}"]


def test_the_history_is_bounded() -> None:
    table = AlarmTable(lambda sentence, level, event: None)
    for number in range(HISTORY_MAX):
        table.update([Condition("overload", "node", "")] if number % 2 else [], float(number))
        table.update([Condition("overload", "node", "")] if not number % 2 else [], float(number))
    assert len(table.history(10 * HISTORY_MAX)) == HISTORY_MAX


def conditions(record: WorkerRecord, *raised: tuple[str, str]) -> list[tuple[str, str]]:
    found = worker_conditions([record], LIMITS, lambda name, subject: (name, subject) in raised)
    return [(condition.name, condition.subject) for condition in found]


def lively(transactions: int = 0, alarms: list[str] | None = None, number: int = 1) -> WorkerRecord:
    record = WorkerRecord(number, 0)
    record.started(0.0)
    record.heard(Heartbeat(1, [], {"transactions": transactions}, 1, alarms or []), 0.1)
    return record


def test_a_worker_that_died_is_down_until_it_lives_again() -> None:
    record = lively()
    assert conditions(record) == []
    record.ended("killed by SIGKILL", SupervisionSettings(), 1.0)
    assert conditions(record) == [("worker-down", "worker 1")]
    record.started(2.0)
    record.heard(Heartbeat(1, [], {}, 1), 3.0)
    assert conditions(record) == []


def test_a_worker_that_was_asked_to_end_is_not_down() -> None:
    record = lively()
    record.drained(1.0)
    record.ended("exited with status 0", SupervisionSettings(), 2.0)
    assert conditions(record) == []


def test_one_that_dies_again_and_again_is_another_matter() -> None:
    record = lively()
    for now in range(3):
        record.started(float(now))
        record.ended("exited with status 3", SupervisionSettings(), now + 0.1)
    assert ("worker-restarting", "worker 1") in conditions(record)


def test_a_table_near_its_limit_does_not_flutter() -> None:
    raised = ("table-near-limit", "worker 1 transactions")
    assert conditions(lively(899)) == []
    assert conditions(lively(900)) == [raised]
    assert conditions(lively(850), raised) == [raised]
    assert conditions(lively(799), raised) == []


def test_what_a_worker_says_of_itself_is_an_alarm() -> None:
    assert conditions(lively(alarms=["state-store-failing No space."])) == [("state-store-failing", "worker 1")]


def test_what_all_workers_share_is_one_alarm() -> None:
    """They hold the registrations in one table."""
    records = [WorkerRecord(number, 0) for number in (0, 1)]
    for record in records:
        record.started(0.0)
        alarms = ["registration-table-full REGISTER requests are rejected."]
        record.heard(Heartbeat(record.number, [], {"registrations": 950}, 1, alarms), 0.1)
    limits = LimitSettings(bindings_max=1000)
    found = {(each.name, each.subject) for each in worker_conditions(records, limits, lambda name, subject: False)}
    assert found == {("registration-table-full", "registration table")}
    (near,) = registration_conditions(records, limits, lambda name, subject: False)
    assert (near.name, near.subject) == ("table-near-limit", "registration table")
    assert near.text == "950 of 1000 `limits bindings` are used."


def test_an_unconfirmed_commit_says_when_it_ends() -> None:
    commit = Commit(4, "anna", 1.0, "", UNCONFIRMED, 61.0, "", "")
    (condition,) = configuration_conditions(commit, "", lambda moment: f"<{moment:g}>")
    assert condition.text == "Commit 4 by anna reverts at <61> unless it is confirmed."
    kept = Commit(4, "anna", 1.0, "", CONFIRMED, 0.0, "", "")
    assert list(configuration_conditions(kept, "", str)) == []
    assert [found.name for found in configuration_conditions(kept, "No space.", str)] == ["state-store-failing"]


def test_a_database_that_fails_for_every_worker_is_one_alarm() -> None:
    alarm = "subscriber-database-failing The subscriber database does not answer."
    found = {name_and_subject for _ in range(2) for name_and_subject in conditions(lively(alarms=[alarm]))}
    assert found == {("subscriber-database-failing", "subscriber database")}


def test_an_alarm_is_acknowledged_until_it_is_raised_again() -> None:
    said: list[str] = []
    table = AlarmTable(lambda sentence, level, event: said.append(sentence))
    down = [Condition("worker-down", f"worker {number}", "It is down.") for number in (0, 1)]
    table.update(down, 1.0)
    assert table.acknowledge("worker-down", "worker 1", "ann", 2.0) == 1
    assert table.acknowledge("worker-down", "worker 7", "ann", 2.0) == 0
    table.update(down, 3.0)
    assert [row.acknowledged_by for row in table.rows()] == ["", "ann"]
    assert table.history(10)[-1].what == "acknowledged by ann"
    assert table.acknowledge("worker-down", "", "ben", 4.0) == 2
    table.update([], 5.0)
    table.update(down, 6.0)
    assert [row.acknowledged_by for row in table.rows()] == ["", ""]
