"""The notifications of SIP-COMMON-MIB (RFC 4780): of the state of the service, and of status codes that are frequent.

sipCommonStatusCodeNotif, one for every response, is not sent: workers would have to tell of each.
"""

from __future__ import annotations

from typing import Final

from appliance.catalogue.mib_objects import Oid
from appliance.management.snmp.notification_queue import Notification
from appliance.management.snmp.notification_variables import NotifiedObject
from appliance.management.snmp.signalbox_objects import SERVER_INDEX
from appliance.management.snmp.sip_common_objects import CONFIGURATION_ENTRY
from appliance.management.snmp.sip_service import ServiceState
from appliance.management.snmp.sip_statistics_objects import COUNTER32_MAX, SIP_COMMON_MIB, STATUS_ENTRY, method_index
from appliance.management.snmp.status_code_monitor import Crossing

NOTIFICATIONS: Final[Oid] = (*SIP_COMMON_MIB, 0)
THRESHOLD_EXCEEDED: Final = {"received": (*NOTIFICATIONS, 2), "sent": (*NOTIFICATIONS, 3)}
SERVICE_COLD_START: Final[Oid] = (*NOTIFICATIONS, 4)
SERVICE_STATUS_CHANGED: Final[Oid] = (*NOTIFICATIONS, 6)
NOTIFIED: Final[Oid] = (*SIP_COMMON_MIB, 1, 9)
_APPL_INDEX, _SEQUENCE_NUMBER = (*NOTIFIED, 5, 0), (*NOTIFIED, 6, 0)
_OPER_STATUS, _START_TIME, _LAST_CHANGE = 2, 3, 4
# sipCommonStatusCodeIns, sipCommonStatusCodeOuts
_COUNTS: Final = {"received": 3, "sent": 4}


class SipNotifications:
    """Numbers them from 1 (sipCommonNotifSequenceNumber)."""

    def __init__(self) -> None:
        self._sequence = 0

    def service_started(self, number: int, wall_time: float, uptime_ticks: int) -> Notification:
        """The appliance was started, the agent with it."""
        started = _configuration(_START_TIME, "TimeTicks", 0)
        return self._made(number, SERVICE_COLD_START, wall_time, uptime_ticks, started)

    def service_changed(self, state: ServiceState, number: int, wall_time: float, uptime_ticks: int) -> Notification:
        """The service has another state."""
        objects = (
            _configuration(_LAST_CHANGE, "TimeTicks", state.changed),
            _configuration(_OPER_STATUS, "Integer32", state.status),
        )
        return self._made(number, SERVICE_STATUS_CHANGED, wall_time, uptime_ticks, *objects)

    def threshold_exceeded(self, crossing: Crossing, number: int, wall_time: float, uptime_ticks: int) -> Notification:
        """Too many responses of a status code."""
        index = (*method_index(crossing.of.method), crossing.of.code)
        oid = (*STATUS_ENTRY, _COUNTS[crossing.direction], *index)
        counted: NotifiedObject = (oid, "Counter32", crossing.count & COUNTER32_MAX)
        return self._made(number, THRESHOLD_EXCEEDED[crossing.direction], wall_time, uptime_ticks, counted)

    def _made(
        self, number: int, oid: Oid, wall_time: float, uptime_ticks: int, *objects: NotifiedObject
    ) -> Notification:
        self._sequence += 1
        first: tuple[NotifiedObject, ...] = (
            (_SEQUENCE_NUMBER, "Unsigned32", self._sequence),
            (_APPL_INDEX, "Unsigned32", SERVER_INDEX),
        )
        return Notification(number, wall_time, oid, (*first, *objects), uptime_ticks)


def _configuration(column: int, syntax: str, value: int) -> NotifiedObject:
    return (*CONFIGURATION_ENTRY, column, SERVER_INDEX), syntax, value
