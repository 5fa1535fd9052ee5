"""NOTIFICATION-LOG-MIB (RFC 3014): the last notifications, for a manager that was away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from appliance.catalogue.mib_objects import Oid
from appliance.management.snmp.notification_queue import LOG_MAX, Notification
from appliance.management.snmp.object_tree import Value, Variable
from appliance.management.snmp.signalbox_objects import date_and_time, value_of

LOG_MIB: Final[Oid] = (1, 3, 6, 1, 2, 1, 92, 1)
LOG_ENTRY: Final[Oid] = (*LOG_MIB, 3, 1, 1)
VARIABLE_ENTRY: Final[Oid] = (*LOG_MIB, 3, 2, 1)
# The one log has the empty name, which is a 0 in an index.
_NAME: Final = 0
_ENABLED, _OPERATIONAL, _NON_VOLATILE, _ACTIVE = 1, 2, 3, 1
# nlmLogVariableValueType, and the column of the value.
_UNSIGNED, _INTEGER, _OCTETS, _OBJECT_ID = (2, 5), (4, 7), (6, 8), (7, 10)
_KINDS: Final = {
    "Gauge32": _UNSIGNED,
    "Unsigned32": _UNSIGNED,
    "Integer32": _INTEGER,
    "SnmpAdminString": _OCTETS,
    "DateAndTime": _OCTETS,
    "ObjectIdentifier": _OBJECT_ID,
}


def log_variables(log: Sequence[Notification], logged: int, entries: LogEntries) -> Iterator[Variable]:
    """All of them. `logged`: how many there ever were."""
    yield (*LOG_MIB, 1, 1, 0), Value("Unsigned32", LOG_MAX)
    yield (*LOG_MIB, 1, 2, 0), Value("Unsigned32", 0)
    settings = {
        2: Value("OctetString", b""),
        3: Value("Unsigned32", LOG_MAX),
        4: Value("Integer32", _ENABLED),
        5: Value("Integer32", _OPERATIONAL),
        6: Value("Integer32", _NON_VOLATILE),
        7: Value("Integer32", _ACTIVE),
    }
    for column, value in settings.items():
        yield (*LOG_MIB, 1, 3, 1, column, _NAME), value
    for base in ((*LOG_MIB, 2), (*LOG_MIB, 2, 3, 1)):
        index = 0 if len(base) == len(LOG_MIB) + 1 else _NAME
        yield (*base, 1, index), Value("Counter32", logged)
        yield (*base, 2, index), Value("Counter32", logged - len(log))
    yield from entries.of(log)


class LogEntries:
    """The variables of notifications: these never change, and the log is read again and again."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[Variable, ...]] = {}

    def of(self, log: Sequence[Notification]) -> Iterator[Variable]:
        """The variables of all of them."""
        self._made = {each.number: self._made.get(each.number) or _entry(each) for each in log}
        for made in self._made.values():
            yield from made


def _entry(notification: Notification) -> tuple[Variable, ...]:
    index = (_NAME, notification.number)
    found: list[Variable] = [
        ((*LOG_ENTRY, 2, *index), Value("TimeTicks", notification.engine_uptime)),
        ((*LOG_ENTRY, 3, *index), Value("OctetString", date_and_time(notification.wall_time))),
        ((*LOG_ENTRY, 9, *index), Value("ObjectIdentifier", notification.oid)),
    ]
    for place, (oid, syntax, fact) in enumerate(notification.objects, 1):
        kind, column = _KINDS[syntax]
        value = Value(syntax, fact) if syntax == "ObjectIdentifier" else value_of(syntax, fact)
        found.append(((*VARIABLE_ENTRY, 2, *index, place), Value("ObjectIdentifier", oid)))
        found.append(((*VARIABLE_ENTRY, 3, *index, place), Value("Integer32", kind)))
        found.append(((*VARIABLE_ENTRY, column, *index, place), value))
    return tuple(found)
