"""Alarms as variables: ALARM-MIB and ITU-ALARM-MIB (RFC 3877), NOTIFICATION-LOG-MIB (RFC 3014)."""

from __future__ import annotations

from appliance.catalogue.alarms import ALARMS, WORKER_DOWN, alarm_named
from appliance.catalogue.mib_numbers import ALARM_NUMBERS
from appliance.catalogue.mib_objects import WORKERS, Oid
from appliance.management.snmp.alarm_notifications import (
    ACTIVE_STATE,
    CLEAR_STATE,
    MODEL_ENTRY,
    alarm_notification,
)
from appliance.management.snmp.alarm_objects import ACTIVE_ENTRY, CLEAR_ENTRY, alarm_variables, cleared_variables
from appliance.management.snmp.itu_alarm_objects import ENTRY, STATISTICS_ENTRY, itu_alarm_variables
from appliance.management.snmp.notification_log_objects import LOG_ENTRY, VARIABLE_ENTRY, LogEntries, log_variables
from appliance.management.snmp.object_tree import ObjectTree, Value
from appliance.messages.supervisor_requests import AlarmEvent, AlarmRow

ALARM = alarm_named(WORKER_DOWN)
ROW = AlarmRow(
    WORKER_DOWN, "worker 1", ALARM.severity, 1796000000.0, ALARM.cause, ALARM.effect, ALARM.action, "It ended.", ""
)
RAISED = AlarmEvent(1796000000.0, WORKER_DOWN, "worker 1", ALARM.severity, "raised", "It ended.", 1)
CLEARED = AlarmEvent(1796000001.0, WORKER_DOWN, "worker 1", ALARM.severity, "cleared", "It ended.", 2)


def value(tree: ObjectTree, *oid: int) -> int | bytes | str | Oid:
    found = tree.get(oid)
    assert isinstance(found, Value), found
    return found.now


def test_every_alarm_has_a_model_for_both_of_its_states() -> None:
    tree = ObjectTree(alarm_variables([], {}))
    for alarm in ALARMS:
        assert value(tree, *MODEL_ENTRY, 3, 0, ALARM_NUMBERS[alarm.name], 1) == CLEAR_STATE
    assert value(tree, *MODEL_ENTRY, 3, 0, ALARM_NUMBERS[WORKER_DOWN], 4) == ACTIVE_STATE


def test_an_active_alarm_points_at_its_model_and_its_resource() -> None:
    tree = ObjectTree(alarm_variables([ROW], {}))
    rows = [oid for oid, _ in alarm_variables([ROW], {}) if oid[: len(ACTIVE_ENTRY) + 1] == (*ACTIVE_ENTRY, 13)]
    assert len(rows) == 1
    pointer = value(tree, *rows[0])
    assert isinstance(pointer, tuple) and value(tree, *pointer) == ACTIVE_STATE
    index = rows[0][len(ACTIVE_ENTRY) + 1 :]
    assert value(tree, *ACTIVE_ENTRY, 10, *index) == (*WORKERS.oid, 1, 2, 2)


def test_the_index_of_an_active_alarm_stays_when_others_come_and_go() -> None:
    other = AlarmRow("overload", "worker 0", "major", 1795999999.0, "", "", "", "", "")
    alone, beside = ([oid for oid, _ in alarm_variables(rows, {})] for rows in ([ROW], [other, ROW]))
    assert set(alone) <= set(beside)


def test_severities_are_those_of_x733() -> None:
    tree = ObjectTree(itu_alarm_variables([ROW], {"major": 3}))
    assert value(tree, *STATISTICS_ENTRY, 3, 0) == 1 and value(tree, *STATISTICS_ENTRY, 8, 0) == 3
    pointer = value(tree, *ENTRY, 5, 0, ALARM_NUMBERS[WORKER_DOWN], 4)
    assert pointer == (*MODEL_ENTRY, 3, 0, ALARM_NUMBERS[WORKER_DOWN], 4)


def test_a_manager_reads_what_it_missed() -> None:
    log = [alarm_notification(7, RAISED, 100), alarm_notification(8, CLEARED, 200)]
    variables = list(log_variables(log, 8, LogEntries()))
    tree = ObjectTree(variables)
    assert value(tree, *LOG_ENTRY, 9, 0, 7) == ACTIVE_STATE and value(tree, *LOG_ENTRY, 9, 0, 8) == CLEAR_STATE
    assert value(tree, *LOG_ENTRY, 2, 0, 8) == 200
    texts = [found.now for oid, found in variables if oid[: len(VARIABLE_ENTRY) + 1] == (*VARIABLE_ENTRY, 8)]
    assert b"worker-down" in texts and b"It ended." in texts


def test_a_cleared_alarm_points_at_its_entry_in_the_log() -> None:
    log = [alarm_notification(7, RAISED, 100), alarm_notification(8, CLEARED, 200)]
    variables = list(cleared_variables(log))
    indexes = [found.now for oid, found in variables if oid[: len(CLEAR_ENTRY) + 1] == (*CLEAR_ENTRY, 9)]
    resources = [found.now for oid, found in variables if oid[: len(CLEAR_ENTRY) + 1] == (*CLEAR_ENTRY, 8)]
    assert (indexes, resources) == ([8], [(*WORKERS.oid, 1, 2, 2)])
