"""Alarms as notifications of ALARM-MIB (RFC 3877 4): alarmActiveState and alarmClearState.

Besides the objects that the RFC names they hold the alarm in words (SIGNALBOX-MIB).
"""

from __future__ import annotations

from typing import Any, Final

from appliance.catalogue import mib_objects as mib
from appliance.catalogue.alarms import alarm_named
from appliance.catalogue.mib_numbers import ALARM_NUMBERS
from appliance.catalogue.mib_objects import Oid
from appliance.management.snmp.notification_queue import Notification
from appliance.management.snmp.signalbox_objects import PROCESS_INDEXES, date_and_time
from appliance.messages.supervisor_requests import AlarmEvent, AlarmRow

SNMP_TRAPS: Final[Oid] = (1, 3, 6, 1, 6, 3, 1, 1, 5)
COLD_START: Final[Oid] = (*SNMP_TRAPS, 1)
WARM_START: Final[Oid] = (*SNMP_TRAPS, 2)
AUTHENTICATION_FAILURE: Final[Oid] = (*SNMP_TRAPS, 5)
ALARM_MIB: Final[Oid] = (1, 3, 6, 1, 2, 1, 118)
ACTIVE_STATE: Final[Oid] = (*ALARM_MIB, 0, 2)
CLEAR_STATE: Final[Oid] = (*ALARM_MIB, 0, 3)
MODEL_ENTRY: Final[Oid] = (*ALARM_MIB, 1, 1, 2, 1)
# The first column that a manager may read: a pointer to a row names it (RFC 2579 RowPointer).
FIRST_MODEL_COLUMN: Final = 3
# RFC 3877: alarmModelState, with the numbers that ituAlarmTable names for the severities; 2 is indeterminate.
MODEL_STATES: Final = {"cleared": 1, "warning": 3, "minor": 4, "major": 5, "critical": 6}

Objects = tuple[tuple[Oid, str, int | str | Oid], ...]


def alarm_notification(number: int, event: AlarmEvent, uptime_ticks: int) -> Notification:
    """The notification of an alarm that was raised or cleared."""
    alarm = alarm_named(event.name)
    is_raised = event.what == "raised"
    state = MODEL_STATES[event.severity if is_raised else "cleared"]
    pointer = (*MODEL_ENTRY, FIRST_MODEL_COLUMN, 0, ALARM_NUMBERS[event.name], state)
    facts: dict[str, Any] = {
        "number": number,
        "name": event.name,
        "subject": event.subject,
        "severity": event.severity,
        "text": event.text,
        "cause": alarm.cause,
        "effect": alarm.effect,
        "action": alarm.action,
        "wall_time": event.wall_time,
    }
    # RFC 3877 4: alarmActiveModelPointer and alarmActiveResourceId.
    objects: Objects = (
        ((*ALARM_MIB, 1, 2, 2, 1, 13, 0), "ObjectIdentifier", pointer),
        ((*ALARM_MIB, 1, 2, 2, 1, 10, 0), "ObjectIdentifier", resource_of(event.subject)),
        *_notified(facts),
    )
    kind = ACTIVE_STATE if is_raised else CLEAR_STATE
    return Notification(number, event.wall_time, kind, objects, uptime_ticks, event.raised_number)


def trial_notification(number: int, user: str, wall_time: float, uptime_ticks: int) -> Notification:
    """What `snmp test-notification` sends."""
    objects = _notified({"number": number, "text": f"Test notification, requested by {user}."})
    return Notification(number, wall_time, mib.TEST_NOTIFICATION, objects, uptime_ticks)


def plain_notification(number: int, oid: Oid, wall_time: float, uptime_ticks: int) -> Notification:
    """One without objects: coldStart, authenticationFailure (RFC 3418)."""
    return Notification(number, wall_time, oid, (), uptime_ticks)


def _notified(facts: dict[str, Any]) -> Objects:
    return tuple(
        ((*mib.NOTIFIED, object_.number, 0), object_.syntax, facts[object_.fact])
        for object_ in mib.NOTIFIED_OBJECTS
        if object_.fact in facts
    )


def active_index(alarm: AlarmRow) -> Oid:
    """The index of an active alarm (RFC 3877): the list of alarms, when it was raised, and its number."""
    moment = date_and_time(alarm.since)
    return (0, len(moment), *moment, alarm.number)


def resource_of(subject: str) -> Oid:
    """The row of a worker or of another process, or 0.0 for what has none."""
    kind, _, number = subject.partition(" ")
    if kind == "worker" and number.isdigit():
        return (*mib.WORKERS.oid, 1, 2, int(number) + 1)
    if subject in PROCESS_INDEXES:
        return (*mib.PROCESSES.oid, 1, 2, PROCESS_INDEXES[subject])
    return (0, 0)
