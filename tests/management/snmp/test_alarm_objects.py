"""Alarms as variables: ALARM-MIB and ITU-ALARM-MIB (RFC 3877)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from appliance.catalogue.alarms import ALARMS, WORKER_DOWN, alarm_named
from appliance.catalogue.mib_numbers import ALARM_NUMBERS
from appliance.catalogue.mib_objects import PROCESSES, WORKERS, Oid
from appliance.management.snmp.alarm_notifications import (
    ACTIVE_STATE,
    CLEAR_STATE,
    MODEL_ENTRY,
    alarm_notification,
    resource_of,
)
from appliance.management.snmp.alarm_objects import (
    ACTIVE_ENTRY,
    ACTIVE_LAST_CHANGED,
    ACTIVE_MAX,
    ACTIVE_OVERFLOW,
    ACTIVE_VARIABLE_ENTRY,
    CLEAR_ENTRY,
    AlarmFacts,
    alarm_variables,
)
from appliance.management.snmp.alarm_objects import STATISTICS_ENTRY as ALARM_STATISTICS
from appliance.management.snmp.engine_address import address_of
from appliance.management.snmp.itu_alarm_objects import ACTIVE_ENTRY as ITU_ACTIVE_ENTRY
from appliance.management.snmp.itu_alarm_objects import ENTRY, STATISTICS_ENTRY
from appliance.management.snmp.notification_log_objects import LOG_ENTRY
from appliance.management.snmp.object_tree import ObjectTree, Value
from appliance.management.snmp.system_objects import SYS_UP_TIME, TRAP_OID
from appliance.messages.supervisor_requests import AlarmEvent, AlarmRow

ALARM = alarm_named(WORKER_DOWN)
ROW = AlarmRow(
    WORKER_DOWN, "worker 1", ALARM.severity, 1796000000.0, ALARM.cause, ALARM.effect, ALARM.action, "It ended.", "", 4
)
RAISED = AlarmEvent(1796000000.0, WORKER_DOWN, "worker 1", ALARM.severity, "raised", "It ended.", 4, 4)
CLEARED = AlarmEvent(1796000001.0, WORKER_DOWN, "worker 1", ALARM.severity, "cleared", "It ended.", 5, 4)
LOG = [alarm_notification(7, RAISED, 100), alarm_notification(8, CLEARED, 200)]
FACTS = AlarmFacts(b"engine", address_of("192.0.2.1", 161))
# The major state of the model, and its severity in the words of X.733.
MAJOR, ITU_MAJOR = 5, 4


def tree(alarms: Sequence[AlarmRow] = (), facts: AlarmFacts = FACTS) -> ObjectTree:
    return ObjectTree(alarm_variables(alarms, facts))


def value(of: ObjectTree, *oid: int) -> int | bytes | str | Oid:
    found = of.get(oid)
    assert isinstance(found, Value), found
    return found.now


def indexes(of: ObjectTree, *column: int) -> list[Oid]:
    """Those of the rows that have this column."""
    found, following = [], of.next_after(column)
    while following is not None and following[0][: len(column)] == column:
        found.append(following[0][len(column) :])
        following = of.next_after(following[0])
    return found


def test_every_alarm_has_a_model_for_both_of_its_states() -> None:
    served = tree()
    for alarm in ALARMS:
        assert value(served, *MODEL_ENTRY, 3, 0, ALARM_NUMBERS[alarm.name], 1) == CLEAR_STATE
    assert value(served, *MODEL_ENTRY, 3, 0, ALARM_NUMBERS[WORKER_DOWN], MAJOR) == ACTIVE_STATE


def test_a_model_and_its_row_of_itu_alarm_mib_point_at_each_other() -> None:
    """RFC 3877: alarmModelSpecificPointer, ituAlarmGenericModel; state 5 is major(4)."""
    served, number = tree(), ALARM_NUMBERS[WORKER_DOWN]
    assert value(served, *MODEL_ENTRY, 7, 0, number, MAJOR) == (*ENTRY, 2, 0, number, ITU_MAJOR)
    assert value(served, *ENTRY, 5, 0, number, ITU_MAJOR) == (*MODEL_ENTRY, 3, 0, number, MAJOR)


def test_an_active_alarm_points_at_its_model_and_its_resource() -> None:
    served = tree([ROW])
    (index,) = indexes(served, *ACTIVE_ENTRY, 13)
    pointer = value(served, *ACTIVE_ENTRY, 13, *index)
    assert isinstance(pointer, tuple) and value(served, *pointer) == ACTIVE_STATE
    assert value(served, *ACTIVE_ENTRY, 10, *index) == (*WORKERS.oid, 1, 2, 2)
    assert (value(served, *ACTIVE_ENTRY, 4, *index), value(served, *ACTIVE_ENTRY, 6, *index)) == (
        b"engine",
        bytes([192, 0, 2, 1]),
    )
    # alarmActiveSpecificPointer: ituAlarmActiveTrendIndication, which has no change.
    specific = value(served, *ACTIVE_ENTRY, 14, *index)
    assert specific == (*ITU_ACTIVE_ENTRY, 1, *index) and value(served, *ITU_ACTIVE_ENTRY, 1, *index) == 2


def test_the_index_of_an_active_alarm_stays_when_others_come_and_go() -> None:
    other = AlarmRow("overload", "worker 0", "major", 1795999999.0, "", "", "", "", "", 3)
    alone, beside = (indexes(tree(rows), *ACTIVE_ENTRY, 11) for rows in ([ROW], [other, ROW]))
    assert set(alone) <= set(beside) and [index[-1] for index in beside] == [3, 4]


def test_an_active_alarm_has_the_variables_of_its_notification() -> None:
    """RFC 3877: alarmActiveVariableTable, of which the first two are sysUpTime and snmpTrapOID."""
    served = tree([ROW], replace(FACTS, raised={4: LOG[0]}, log=LOG))
    (index,) = indexes(served, *ACTIVE_ENTRY, 8)
    count = value(served, *ACTIVE_ENTRY, 8, *index)
    assert isinstance(count, int) and indexes(served, *ACTIVE_VARIABLE_ENTRY, 2) == [
        (0, 4, place) for place in range(1, count + 1)
    ]
    assert value(served, *ACTIVE_VARIABLE_ENTRY, 2, 0, 4, 1) == SYS_UP_TIME
    assert value(served, *ACTIVE_VARIABLE_ENTRY, 6, 0, 4, 1) == 100
    assert value(served, *ACTIVE_VARIABLE_ENTRY, 2, 0, 4, 2) == TRAP_OID
    assert value(served, *ACTIVE_VARIABLE_ENTRY, 10, 0, 4, 2) == ACTIVE_STATE
    assert value(served, *ACTIVE_ENTRY, 12, *index) == (*LOG_ENTRY, 2, 0, 7)


def test_an_alarm_whose_notification_is_not_known_has_no_variables() -> None:
    served = tree([ROW])
    (index,) = indexes(served, *ACTIVE_ENTRY, 8)
    assert value(served, *ACTIVE_ENTRY, 8, *index) == 0 and not indexes(served, *ACTIVE_VARIABLE_ENTRY, 2)
    assert value(served, *ACTIVE_ENTRY, 12, *index) == (0, 0)


def test_alarms_beyond_the_limit_are_counted() -> None:
    served = tree([replace(ROW, number=number) for number in range(1, ACTIVE_MAX + 4)])
    assert len(indexes(served, *ACTIVE_ENTRY, 11)) == ACTIVE_MAX and value(served, *ACTIVE_OVERFLOW) == 3
    assert value(served, *ALARM_STATISTICS, 1, 0) == ACTIVE_MAX + 3


def test_a_manager_sees_when_the_active_alarms_last_changed() -> None:
    served = tree([ROW], replace(FACTS, counts={"raised": 2, "cleared": 1}, last_raise=300, last_clear=200))
    assert value(served, *ACTIVE_LAST_CHANGED) == 300
    assert [value(served, *ALARM_STATISTICS, column, 0) for column in (1, 2, 3, 4)] == [1, 2, 300, 200]


def test_severities_are_those_of_x733() -> None:
    served = tree([ROW], replace(FACTS, counts={"major": 3}))
    assert value(served, *STATISTICS_ENTRY, 3, 0) == 1 and value(served, *STATISTICS_ENTRY, 8, 0) == 3
    # processingErrorAlarm, softwareProgramAbnormallyTerminated
    number = ALARM_NUMBERS[WORKER_DOWN]
    assert [value(served, *ENTRY, column, 0, number, ITU_MAJOR) for column in (2, 3)] == [4, 545]


def test_a_cleared_alarm_keeps_its_index_and_points_at_its_entry_in_the_log() -> None:
    served = tree([], replace(FACTS, log=LOG))
    (index,) = indexes(served, *CLEAR_ENTRY, 9)
    assert index[-1] == ROW.number and value(served, *CLEAR_ENTRY, 9, *index) == 8
    assert value(served, *CLEAR_ENTRY, 8, *index) == (*WORKERS.oid, 1, 2, 2)


def test_a_process_is_the_resource_of_its_alarm() -> None:
    assert resource_of("persister") == (*PROCESSES.oid, 1, 2, 3) and resource_of("node") == (0, 0)
