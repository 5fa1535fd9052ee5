"""ITU-ALARM-MIB (RFC 3877 6): the severities of the alarms in the words of X.733."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from appliance.catalogue.alarms import ALARMS
from appliance.catalogue.mib_numbers import ALARM_NUMBERS
from appliance.catalogue.mib_objects import Oid
from appliance.management.snmp.alarm_notifications import FIRST_MODEL_COLUMN, MODEL_ENTRY, MODEL_STATES
from appliance.management.snmp.object_tree import Value, Variable
from appliance.management.snmp.signalbox_objects import value_of
from appliance.messages.supervisor_requests import AlarmRow

ITU_ALARM_MIB: Final[Oid] = (1, 3, 6, 1, 2, 1, 121, 1)
ENTRY: Final[Oid] = (*ITU_ALARM_MIB, 1, 1, 1)
STATISTICS_ENTRY: Final[Oid] = (*ITU_ALARM_MIB, 2, 2, 1)
# ItuPerceivedSeverity
SEVERITIES: Final = {"cleared": 1, "critical": 3, "major": 4, "minor": 5, "warning": 6}
# IANAItuEventType processingErrorAlarm, IANAItuProbableCause other.
_PROCESSING_ERROR, _OTHER_CAUSE = 4, 1024
# The columns of ituAlarmActiveStatsTable: current ones, and all since the start, by severity.
_COLUMNS: Final = {"critical": 2, "major": 3, "minor": 4, "warning": 5}
_INDETERMINATE, _TOTALS = 1, 5


def itu_alarm_variables(alarms: Sequence[AlarmRow], counts: Mapping[str, int]) -> Iterator[Variable]:
    """All of them. `counts`: how many alarms of a severity were raised."""
    for alarm in ALARMS:
        for severity, words in (("cleared", "Cleared."), (alarm.severity, f"{alarm.effect} Action: {alarm.action}")):
            model = (*MODEL_ENTRY, FIRST_MODEL_COLUMN, 0, ALARM_NUMBERS[alarm.name], MODEL_STATES[severity])
            values = {
                2: Value("Integer32", _PROCESSING_ERROR),
                3: Value("Integer32", _OTHER_CAUSE),
                4: value_of("SnmpAdminString", words),
                5: Value("ObjectIdentifier", model),
            }
            for column, value in values.items():
                yield (*ENTRY, column, 0, ALARM_NUMBERS[alarm.name], SEVERITIES[severity]), value
    yield (*STATISTICS_ENTRY, _INDETERMINATE, 0), Value("Gauge32", 0)
    yield (*STATISTICS_ENTRY, _INDETERMINATE + _TOTALS, 0), Value("Counter32", 0)
    for severity, column in _COLUMNS.items():
        current = sum(alarm.severity == severity for alarm in alarms)
        yield (*STATISTICS_ENTRY, column, 0), Value("Gauge32", current)
        yield (*STATISTICS_ENTRY, column + _TOTALS, 0), Value("Counter32", counts.get(severity, 0))
