"""NOTIFICATION-LOG-MIB (RFC 3014): the last notifications, for a manager that was away.

There is one log, which has the empty name. Its filter is a row of snmpNotifyFilterTable that lets everything through:
without a filter the RFC has nothing logged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from appliance.catalogue.mib_objects import Oid
from appliance.management.snmp.engine_address import EngineAddress
from appliance.management.snmp.notification_queue import LOG_MAX, Notification
from appliance.management.snmp.notification_variables import variable_rows
from appliance.management.snmp.object_tree import Value, Variable
from appliance.management.snmp.signalbox_objects import date_and_time
from appliance.management.snmp.target_objects import EVERYTHING

LOG_MIB: Final[Oid] = (1, 3, 6, 1, 2, 1, 92, 1)
CONFIGURATION_ENTRY: Final[Oid] = (*LOG_MIB, 1, 3, 1)
STATISTICS: Final[Oid] = (*LOG_MIB, 2)
STATISTICS_ENTRY: Final[Oid] = (*STATISTICS, 3, 1)
LOG_ENTRY: Final[Oid] = (*LOG_MIB, 3, 1, 1)
FIRST_LOG_COLUMN: Final = 2
VARIABLE_ENTRY: Final[Oid] = (*LOG_MIB, 3, 2, 1)
# The empty name is a 0 in an index.
NAME: Final = 0
_ENABLED, _OPERATIONAL, _NON_VOLATILE, _ACTIVE = 1, 2, 3, 1


def log_variables(log: Sequence[Notification], logged: int, bumped: int, entries: LogEntries) -> Iterator[Variable]:
    """All of them. `logged`, `bumped`: how many entered and left the log since the agent was started."""
    yield (*LOG_MIB, 1, 1, 0), Value("Unsigned32", LOG_MAX)
    yield (*LOG_MIB, 1, 2, 0), Value("Unsigned32", 0)
    settings = {
        2: Value("OctetString", EVERYTHING),
        3: Value("Unsigned32", LOG_MAX),
        4: Value("Integer32", _ENABLED),
        5: Value("Integer32", _OPERATIONAL),
        6: Value("Integer32", _NON_VOLATILE),
        7: Value("Integer32", _ACTIVE),
    }
    for column, value in settings.items():
        yield (*CONFIGURATION_ENTRY, column, NAME), value
    for column, count in ((1, logged), (2, bumped)):
        yield (*STATISTICS, column, 0), Value("Counter32", count)
        yield (*STATISTICS_ENTRY, column, NAME), Value("Counter32", count)
    yield from entries.of(log)


class LogEntries:
    """The variables of notifications: these never change, and the log is read again and again."""

    def __init__(self, engine_id: bytes) -> None:
        self._engine_id = engine_id
        self._made: dict[tuple[int, EngineAddress], tuple[Variable, ...]] = {}
        self.address = EngineAddress((0, 0), b"", 0, b"")
        """Of the agent."""

    def of(self, log: Sequence[Notification]) -> Iterator[Variable]:
        """The variables of all of them."""
        keys = {(each.number, self.address): each for each in log}
        self._made = {key: self._made.get(key) or self._entry(each) for key, each in keys.items()}
        for made in self._made.values():
            yield from made

    def _entry(self, notification: Notification) -> tuple[Variable, ...]:
        index = (NAME, notification.number)
        values = {
            2: Value("TimeTicks", notification.engine_uptime),
            3: Value("OctetString", date_and_time(notification.wall_time)),
            # The log has notifications of one engine only.
            4: Value("OctetString", b""),
            5: Value("OctetString", self.address.transport_address),
            6: Value("ObjectIdentifier", self.address.domain),
            7: Value("OctetString", self._engine_id),
            8: Value("OctetString", b""),
            9: Value("ObjectIdentifier", notification.oid),
        }
        row = [((*LOG_ENTRY, column, *index), value) for column, value in values.items()]
        return (*row, *variable_rows(VARIABLE_ENTRY, index, notification.objects))
