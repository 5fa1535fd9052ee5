"""ALARM-MIB (RFC 3877): the model of every alarm, those that are active, and those that were cleared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from zlib import crc32

from appliance.catalogue.alarms import ALARMS, Alarm
from appliance.catalogue.mib_numbers import ALARM_NUMBERS
from appliance.catalogue.mib_objects import Oid
from appliance.management.snmp.alarm_notifications import (
    ACTIVE_STATE,
    ALARM_MIB,
    CLEAR_STATE,
    FIRST_MODEL_COLUMN,
    MODEL_ENTRY,
    MODEL_STATES,
    resource_of,
)
from appliance.management.snmp.notification_queue import LOG_MAX, Notification
from appliance.management.snmp.object_tree import Value, Variable
from appliance.management.snmp.signalbox_objects import date_and_time, value_of
from appliance.messages.supervisor_requests import AlarmRow

MODEL_LAST_CHANGED: Final[Oid] = (*ALARM_MIB, 1, 1, 1, 0)
ACTIVE_LAST_CHANGED: Final[Oid] = (*ALARM_MIB, 1, 2, 1, 0)
ACTIVE_ENTRY: Final[Oid] = (*ALARM_MIB, 1, 2, 2, 1)
STATISTICS_ENTRY: Final[Oid] = (*ALARM_MIB, 1, 2, 4, 1)
CLEAR_MAXIMUM: Final[Oid] = (*ALARM_MIB, 1, 3, 1, 0)
CLEAR_ENTRY: Final[Oid] = (*ALARM_MIB, 1, 3, 2, 1)
_ROW_ACTIVE: Final = 1


def alarm_variables(alarms: Sequence[AlarmRow], counts: Mapping[str, int]) -> Iterator[Variable]:
    """All of them. `counts`: how many alarms were raised and cleared."""
    yield MODEL_LAST_CHANGED, Value("TimeTicks", 0)
    for alarm in ALARMS:
        yield from _model(alarm, "cleared", CLEAR_STATE)
        yield from _model(alarm, alarm.severity, ACTIVE_STATE)
    known = [row for row in alarms if row.name in ALARM_NUMBERS]
    for row in known:
        yield from _active(row)
    # Indexed by the name of the list of alarms, which is empty.
    yield (*STATISTICS_ENTRY, 1, 0), Value("Gauge32", len(known))
    yield (*STATISTICS_ENTRY, 2, 0), Value("Counter32", counts.get("raised", 0))


def _model(alarm: Alarm, state: str, notification: Oid) -> Iterator[Variable]:
    number = MODEL_STATES[state]
    index = (0, ALARM_NUMBERS[alarm.name], number)
    words = f"{alarm.name}: {alarm.cause}" if number > 1 else f"{alarm.name}: cleared."
    values = {
        3: Value("ObjectIdentifier", notification),
        4: Value("Unsigned32", 0),
        5: Value("Integer32", 0),
        6: value_of("SnmpAdminString", words),
        7: Value("ObjectIdentifier", (0, 0)),
        8: Value("ObjectIdentifier", (0, 0)),
        9: Value("ObjectIdentifier", (0, 0)),
        10: Value("Integer32", _ROW_ACTIVE),
    }
    for column, value in values.items():
        yield (*MODEL_ENTRY, column, *index), value


def _active(alarm: AlarmRow) -> Iterator[Variable]:
    """A row. Its index is when the alarm was raised, and a number that it keeps as long as it is active."""
    moment = date_and_time(alarm.since)
    number = ALARM_NUMBERS[alarm.name] << 16 | crc32(alarm.subject.encode()) & 0xFFFF
    index = (0, len(moment), *moment, number)
    model = (*MODEL_ENTRY, FIRST_MODEL_COLUMN, 0, ALARM_NUMBERS[alarm.name], MODEL_STATES[alarm.severity])
    nothing = Value("OctetString", b"")
    values = {
        4: nothing,
        5: Value("Integer32", 0),
        6: nothing,
        7: nothing,
        8: Value("Unsigned32", 0),
        9: Value("ObjectIdentifier", ACTIVE_STATE),
        10: Value("ObjectIdentifier", resource_of(alarm.subject)),
        11: value_of("SnmpAdminString", f"{alarm.severity} {alarm.name} of {alarm.subject}: {alarm.text}"),
        12: Value("ObjectIdentifier", (0, 0)),
        13: Value("ObjectIdentifier", model),
        14: Value("ObjectIdentifier", (0, 0)),
    }
    for column, value in values.items():
        yield (*ACTIVE_ENTRY, column, *index), value


def cleared_variables(log: Sequence[Notification]) -> Iterator[Variable]:
    """alarmClearTable: the alarms that were cleared, as far as the log of notifications goes back."""
    yield CLEAR_MAXIMUM, Value("Unsigned32", LOG_MAX)
    for notification in log:
        if notification.oid == CLEAR_STATE:
            yield from _cleared(notification)


def _cleared(notification: Notification) -> Iterator[Variable]:
    moment = date_and_time(notification.wall_time)
    index = (0, len(moment), *moment, notification.number)
    (_, _, model), (_, _, resource) = notification.objects[:2]
    nothing = Value("OctetString", b"")
    values = {
        3: nothing,
        4: Value("Integer32", 0),
        5: nothing,
        6: nothing,
        7: Value("ObjectIdentifier", CLEAR_STATE),
        8: Value("ObjectIdentifier", resource),
        9: Value("Unsigned32", notification.number),
        10: Value("ObjectIdentifier", model),
    }
    for column, value in values.items():
        yield (*CLEAR_ENTRY, column, *index), value
