"""ITU-ALARM-MIB (RFC 3877 6): the alarms in the words of X.733."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from appliance.catalogue.alarms import ALARMS, Alarm
from appliance.catalogue.itu_alarms import itu_alarm
from appliance.catalogue.mib_numbers import ALARM_NUMBERS
from appliance.catalogue.mib_objects import Oid
from appliance.management.snmp.alarm_notifications import FIRST_MODEL_COLUMN, MODEL_ENTRY, MODEL_STATES, active_index
from appliance.management.snmp.object_tree import Value, Variable
from appliance.management.snmp.signalbox_objects import value_of
from appliance.messages.supervisor_requests import AlarmRow

ITU_ALARM_MIB: Final[Oid] = (1, 3, 6, 1, 2, 1, 121, 1)
ENTRY: Final[Oid] = (*ITU_ALARM_MIB, 1, 1, 1)
ACTIVE_ENTRY: Final[Oid] = (*ITU_ALARM_MIB, 2, 1, 1)
STATISTICS_ENTRY: Final[Oid] = (*ITU_ALARM_MIB, 2, 2, 1)
# ItuPerceivedSeverity
SEVERITIES: Final = {"cleared": 1, "critical": 3, "major": 4, "minor": 5, "warning": 6}
# The columns of ituAlarmActiveStatsTable: current ones, and all since the start (ZeroBasedCounter32, which is a
# Gauge32), by severity.
_COLUMNS: Final = {"critical": 2, "major": 3, "minor": 4, "warning": 5}
_INDETERMINATE, _TOTALS = 1, 5
_FIRST_COLUMN: Final = 2
_NO_CHANGE: Final = 2
_NONE: Final = Value("ObjectIdentifier", (0, 0))


def itu_alarm_variables(alarms: Sequence[AlarmRow], counts: Mapping[str, int]) -> Iterator[Variable]:
    """All of them. `alarms`: those that have a row; `counts`: how many alarms of a severity were raised."""
    for alarm in ALARMS:
        yield from _model(alarm, "cleared", "Cleared.")
        yield from _model(alarm, alarm.severity, f"{alarm.effect} Action: {alarm.action}")
    for row in alarms:
        yield from _active(row)
    yield (*STATISTICS_ENTRY, _INDETERMINATE, 0), Value("Gauge32", 0)
    yield (*STATISTICS_ENTRY, _INDETERMINATE + _TOTALS, 0), Value("Gauge32", 0)
    for severity, column in _COLUMNS.items():
        current = sum(alarm.severity == severity for alarm in alarms)
        yield (*STATISTICS_ENTRY, column, 0), Value("Gauge32", current)
        yield (*STATISTICS_ENTRY, column + _TOTALS, 0), Value("Gauge32", counts.get(severity, 0))


def _model(alarm: Alarm, severity: str, words: str) -> Iterator[Variable]:
    index = _model_index(alarm.name, severity)
    model = (*MODEL_ENTRY, FIRST_MODEL_COLUMN, 0, ALARM_NUMBERS[alarm.name], MODEL_STATES[severity])
    terms = itu_alarm(alarm.name)
    values = {
        2: Value("Integer32", terms.event_type),
        3: Value("Integer32", terms.probable_cause),
        4: value_of("SnmpAdminString", words),
        5: Value("ObjectIdentifier", model),
    }
    for column, value in values.items():
        yield (*ENTRY, column, *index), value


def _active(alarm: AlarmRow) -> Iterator[Variable]:
    index = active_index(alarm)
    for column, value in ((1, Value("Integer32", _NO_CHANGE)), (2, _NONE), (3, _NONE), (4, _NONE)):
        yield (*ACTIVE_ENTRY, column, *index), value


def _model_index(name: str, severity: str) -> Oid:
    return (0, ALARM_NUMBERS[name], SEVERITIES[severity])


def itu_model_row(name: str, severity: str) -> Oid:
    """A pointer to the row of an alarm in ituAlarmTable."""
    return (*ENTRY, _FIRST_COLUMN, *_model_index(name, severity))


def itu_active_row(alarm: AlarmRow) -> Oid:
    """A pointer to the row of an active alarm in ituAlarmActiveTable."""
    return (*ACTIVE_ENTRY, 1, *active_index(alarm))
