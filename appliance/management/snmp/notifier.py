"""Sends notifications: what alarms make of them, and when each target gets its next one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from appliance import clock
from appliance.catalogue.alarms import ALARMS
from appliance.catalogue.mib_objects import Oid
from appliance.catalogue.snmp_values import Target
from appliance.management.snmp.alarm_notifications import (
    AUTHENTICATION_FAILURE,
    COLD_START,
    WARM_START,
    alarm_notification,
    plain_notification,
    trial_notification,
)
from appliance.management.snmp.alarm_objects import AlarmFacts
from appliance.management.snmp.engine import Engine, notification_bindings
from appliance.management.snmp.engine_address import EngineAddress
from appliance.management.snmp.notification_queue import LOG_MAX, Notification, NotificationQueue, TargetQueue
from appliance.management.snmp.notification_variables import notified_value
from appliance.management.snmp.object_tree import Variable
from appliance.management.snmp.sip_notifications import SipNotifications
from appliance.management.snmp.sip_service import ServiceState
from appliance.management.snmp.status_code_monitor import Crossing
from appliance.management.snmp.system_objects import ticks
from appliance.messages.snmp_messages import SnmpTargetReport
from appliance.messages.supervisor_requests import AlarmEvent

_KNOWN = frozenset(alarm.name for alarm in ALARMS)

log = logging.getLogger("signalbox.snmp")


class Notifier:
    """The notifications of an agent."""

    def __init__(self, path: Path, engine: Engine, uptime_s: Callable[[], float], boot: str) -> None:
        """`boot`: which start of the node this is."""
        self._queue = NotificationQueue(path)
        self._engine = engine
        self._uptime_s = uptime_s
        self._timer: asyncio.TimerHandle | None = None
        self._raised: dict[str, int] = {}
        self._sip = SipNotifications()
        self._number_before, self._logged_before = self._queue.number, len(self._queue.log)
        self._last_raise = self._last_clear = 0
        former_boot, last_event = self._queue.alarm_place
        self._boot = boot
        self._is_first = former_boot != boot
        if self._is_first:
            self._queue.begin_boot(boot)
        self._last_event = 0 if self._is_first else last_event

    def go_by(self, waiting_max: int, targets: Sequence[Target]) -> None:
        """Send to these targets from now on."""
        self._queue.waiting_max = waiting_max
        self._queue.set_targets(targets)
        self._go_on()

    def tell_start(self) -> None:
        """The node has started, or only the agent (RFC 3418)."""
        self._tell(COLD_START if self._is_first else WARM_START)
        if self._is_first:
            self._add(self._sip.service_started)

    def tell_authentication_failure(self) -> None:
        """A message had a wrong community, user or password."""
        self._tell(AUTHENTICATION_FAILURE)

    def tell_test(self, user: str) -> None:
        """A test, for every target."""
        self._add(lambda number, wall_time, uptime: trial_notification(number, user, wall_time, uptime))

    def tell_service(self, state: ServiceState) -> None:
        """The SIP service has another state (RFC 4780)."""
        self._add(lambda number, wall_time, uptime: self._sip.service_changed(state, number, wall_time, uptime))

    def tell_crossings(self, crossings: Sequence[Crossing]) -> None:
        """Status codes have come too often (RFC 4780)."""
        for crossing in crossings:
            self._add(partial(self._sip.threshold_exceeded, crossing))

    def _tell(self, oid: Oid) -> None:
        self._add(lambda number, wall_time, uptime: plain_notification(number, oid, wall_time, uptime))

    def _add(self, make: Callable[[int, float, int], Notification]) -> None:
        """One of now; `make` gets its number, the time and sysUpTime."""
        wall_time, uptime = clock.wall_time(), ticks(self._uptime_s())
        self._queue.add(wall_time, lambda number: make(number, wall_time, uptime))
        self._go_on()

    def tell_alarms(self, events: Sequence[AlarmEvent]) -> None:
        """Those of the events that are new."""
        uptime = ticks(self._uptime_s())
        for event in events:
            if event.number > self._last_event:
                self._last_event = event.number
                if event.what in ("raised", "cleared") and event.name in _KNOWN:
                    self._add_alarm(event, uptime)
        self._queue.alarm_place = (self._boot, self._last_event)
        self._queue.is_changed = True
        self._go_on()

    def _add_alarm(self, event: AlarmEvent, uptime: int) -> None:
        self._queue.add(event.wall_time, lambda number: alarm_notification(number, event, uptime))
        if event.what == "raised":
            self._last_raise = uptime
        else:
            self._last_clear = uptime
        for name in [event.what, *([event.severity] if event.what == "raised" else [])]:
            self._raised[name] = self._raised.get(name, 0) + 1

    def alarm_facts(self, engine_id: bytes, address: EngineAddress) -> AlarmFacts:
        """What is to be served of alarms beside those that are active."""
        queue = self._queue
        return AlarmFacts(
            engine_id, address, self._raised, queue.raised, queue.log, self._last_raise, self._last_clear
        )

    @property
    def log(self) -> Sequence[Notification]:
        """The last notifications, the oldest first."""
        return self._queue.log

    @property
    def logged(self) -> int:
        """How many were put into the log since the agent was started."""
        return self._queue.number - self._number_before

    @property
    def bumped(self) -> int:
        """How many left the log for others since the agent was started."""
        return max(self._logged_before + self.logged - LOG_MAX, 0)

    # -- sending -------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        """Send what is due, write down what waits, and come back when something is due again."""
        now = clock.monotonic()
        for queue in self._queue.to_send(now):
            self._send(queue)
        try:
            self._queue.keep()
        except OSError as fault:
            log.error("notifications that wait cannot be kept: %s", fault.strerror)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self._queue.next_due()
        if due is not None:
            self._timer = asyncio.get_running_loop().call_later(max(due - now, 0.0), self._go_on)

    def _send(self, queue: TargetQueue) -> None:
        queue.is_sending = True
        notification = queue.waiting[0]
        bindings = notification_bindings(notification.engine_uptime, notification.oid, _values(notification))

        def told(fault: str) -> None:
            queue.told(fault, clock.monotonic())
            self._queue.is_changed = True
            asyncio.get_running_loop().call_soon(self._go_on)

        self._engine.notify(queue.target, bindings, told)

    def reports(self) -> list[SnmpTargetReport]:
        """How each target fares."""
        return [
            SnmpTargetReport(
                name=queue.target.name,
                address=queue.target.address,
                port=queue.target.port,
                kind="inform" if queue.target.is_inform else "trap",
                delivered=queue.delivered,
                waiting=len(queue.waiting),
                failed=queue.dropped,
                last_error=queue.last_error,
            )
            for queue in self._queue.queues.values()
        ]


def _values(notification: Notification) -> list[Variable]:
    return [(oid, notified_value(syntax, fact)) for oid, syntax, fact in notification.objects]
