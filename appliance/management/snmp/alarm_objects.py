"""ALARM-MIB (RFC 3877): the model of every alarm, those that are active, and those that were cleared.

The index of an alarm is its number among the events of the node: it grows, and the alarm keeps it when it is cleared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

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
    active_index,
    resource_of,
)
from appliance.management.snmp.engine_address import EngineAddress
from appliance.management.snmp.itu_alarm_objects import itu_active_row, itu_alarm_variables, itu_model_row
from appliance.management.snmp.notification_log_objects import FIRST_LOG_COLUMN, LOG_ENTRY, NAME
from appliance.management.snmp.notification_queue import LOG_MAX, Notification
from appliance.management.snmp.notification_variables import NotifiedObject, variable_rows
from appliance.management.snmp.object_tree import Value, Variable
from appliance.management.snmp.signalbox_objects import date_and_time, value_of
from appliance.management.snmp.system_objects import SYS_UP_TIME, TRAP_OID
from appliance.messages.supervisor_requests import AlarmRow

MODEL_LAST_CHANGED: Final[Oid] = (*ALARM_MIB, 1, 1, 1, 0)
ACTIVE_LAST_CHANGED: Final[Oid] = (*ALARM_MIB, 1, 2, 1, 0)
ACTIVE_ENTRY: Final[Oid] = (*ALARM_MIB, 1, 2, 2, 1)
ACTIVE_VARIABLE_ENTRY: Final[Oid] = (*ALARM_MIB, 1, 2, 3, 1)
STATISTICS_ENTRY: Final[Oid] = (*ALARM_MIB, 1, 2, 4, 1)
ACTIVE_OVERFLOW: Final[Oid] = (*ALARM_MIB, 1, 2, 5, 0)
CLEAR_MAXIMUM: Final[Oid] = (*ALARM_MIB, 1, 3, 1, 0)
CLEAR_ENTRY: Final[Oid] = (*ALARM_MIB, 1, 3, 2, 1)
_ROW_ACTIVE: Final = 1
_NOTHING: Final = Value("OctetString", b"")
_NO_POINTER: Final[Oid] = (0, 0)
# Alarms whose rows are served.
ACTIVE_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class AlarmFacts:
    """What the agent knows of alarms beside those that are active.

    `counts`: how many were raised and cleared since it was started, and raised by severity; `raised`: the notifications
    of those that are active, by number; `log`: the log of notifications; `last_raise`, `last_clear`: sysUpTime at them.
    """

    engine_id: bytes
    address: EngineAddress
    counts: Mapping[str, int] = field(default_factory=dict)
    raised: Mapping[int, Notification] = field(default_factory=dict)
    log: Sequence[Notification] = ()
    last_raise: int = 0
    last_clear: int = 0


def alarm_variables(alarms: Sequence[AlarmRow], facts: AlarmFacts) -> Iterator[Variable]:
    """All of ALARM-MIB and ITU-ALARM-MIB."""
    yield MODEL_LAST_CHANGED, Value("TimeTicks", 0)
    for alarm in ALARMS:
        yield from _model(alarm, "cleared", CLEAR_STATE)
        yield from _model(alarm, alarm.severity, ACTIVE_STATE)
    known = [row for row in alarms if row.name in ALARM_NUMBERS]
    logged = {notification.number for notification in facts.log}
    served = known[:ACTIVE_MAX]
    for row in served:
        yield from _active(row, facts, logged)
    yield from itu_alarm_variables(served, facts.counts)
    yield from cleared_variables(facts)
    yield ACTIVE_LAST_CHANGED, Value("TimeTicks", max(facts.last_raise, facts.last_clear))
    yield ACTIVE_OVERFLOW, Value("Counter32", max(len(known) - ACTIVE_MAX, 0))
    # Indexed by the name of the list of alarms, which is empty.
    yield (*STATISTICS_ENTRY, 1, NAME), Value("Gauge32", len(known))
    # ZeroBasedCounter32 is a Gauge32 (RFC 4502).
    yield (*STATISTICS_ENTRY, 2, NAME), Value("Gauge32", facts.counts.get("raised", 0))
    yield (*STATISTICS_ENTRY, 3, NAME), Value("TimeTicks", facts.last_raise)
    yield (*STATISTICS_ENTRY, 4, NAME), Value("TimeTicks", facts.last_clear)


def _model(alarm: Alarm, state: str, notification: Oid) -> Iterator[Variable]:
    number = MODEL_STATES[state]
    index = (NAME, ALARM_NUMBERS[alarm.name], number)
    words = f"{alarm.name}: {alarm.cause}" if number > 1 else f"{alarm.name}: cleared."
    values = {
        3: Value("ObjectIdentifier", notification),
        4: Value("Unsigned32", 0),
        5: Value("Integer32", 0),
        6: value_of("SnmpAdminString", words),
        7: Value("ObjectIdentifier", itu_model_row(alarm.name, state)),
        8: Value("ObjectIdentifier", _NO_POINTER),
        9: Value("ObjectIdentifier", _NO_POINTER),
        10: Value("Integer32", _ROW_ACTIVE),
    }
    for column, value in values.items():
        yield (*MODEL_ENTRY, column, *index), value


def _active(alarm: AlarmRow, facts: AlarmFacts, logged: set[int]) -> Iterator[Variable]:
    index = active_index(alarm)
    model = (*MODEL_ENTRY, FIRST_MODEL_COLUMN, NAME, ALARM_NUMBERS[alarm.name], MODEL_STATES[alarm.severity])
    notification = facts.raised.get(alarm.number)
    objects = () if notification is None else _bindings(notification)
    is_logged = notification is not None and notification.number in logged
    entry = (*LOG_ENTRY, FIRST_LOG_COLUMN, NAME, notification.number) if notification and is_logged else _NO_POINTER
    values = {
        4: Value("OctetString", facts.engine_id),
        5: Value("Integer32", facts.address.kind),
        6: Value("OctetString", facts.address.address),
        7: _NOTHING,
        8: Value("Unsigned32", len(objects)),
        9: Value("ObjectIdentifier", ACTIVE_STATE),
        10: Value("ObjectIdentifier", resource_of(alarm.subject)),
        11: value_of("SnmpAdminString", f"{alarm.severity} {alarm.name} of {alarm.subject}: {alarm.text}"),
        12: Value("ObjectIdentifier", entry),
        13: Value("ObjectIdentifier", model),
        14: Value("ObjectIdentifier", itu_active_row(alarm)),
    }
    for column, value in values.items():
        yield (*ACTIVE_ENTRY, column, *index), value
    yield from variable_rows(ACTIVE_VARIABLE_ENTRY, (NAME, alarm.number), objects)


def _bindings(notification: Notification) -> tuple[NotifiedObject, ...]:
    """The variables as in an SNMPv2-Trap-PDU: the first two are sysUpTime and snmpTrapOID."""
    return (
        (SYS_UP_TIME, "TimeTicks", notification.engine_uptime),
        (TRAP_OID, "ObjectIdentifier", notification.oid),
        *notification.objects,
    )


def cleared_variables(facts: AlarmFacts) -> Iterator[Variable]:
    """alarmClearTable: the alarms that were cleared, as far as the log of notifications goes back."""
    yield CLEAR_MAXIMUM, Value("Unsigned32", LOG_MAX)
    for notification in facts.log:
        if notification.oid == CLEAR_STATE:
            yield from _cleared(notification, facts)


def _cleared(notification: Notification, facts: AlarmFacts) -> Iterator[Variable]:
    moment = date_and_time(notification.wall_time)
    index = (NAME, len(moment), *moment, notification.alarm)
    (_, _, model), (_, _, resource) = notification.objects[:2]
    values = {
        3: Value("OctetString", facts.engine_id),
        4: Value("Integer32", facts.address.kind),
        5: Value("OctetString", facts.address.address),
        6: _NOTHING,
        7: Value("ObjectIdentifier", CLEAR_STATE),
        8: Value("ObjectIdentifier", resource),
        9: Value("Unsigned32", notification.number),
        10: Value("ObjectIdentifier", model),
    }
    for column, value in values.items():
        yield (*CLEAR_ENTRY, column, *index), value
