"""The SNMP agent: what it serves, what it notifies, and how it goes by the configuration.

It asks the supervisor for the status of the node only when a manager asks, and at most once in `snmp max-age`;
requests that come meanwhile wait, bounded. At rest it does nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from appliance import clock
from appliance.catalogue.cluster_status import ClusterStatus
from appliance.catalogue.mib_objects import Oid
from appliance.catalogue.node_status import NodeStatus
from appliance.catalogue.settings import Settings
from appliance.catalogue.snmp_status_codes import status_threshold_of
from appliance.catalogue.snmp_values import target_of
from appliance.ipc.bus import BusUnavailable, ask_supervisor
from appliance.management.snmp.access import Access, Principal, Verdict
from appliance.management.snmp.engine import CommitRefused, Engine, NotAllowed
from appliance.management.snmp.engine_state import EngineState
from appliance.management.snmp.notifier import Notifier
from appliance.management.snmp.object_tree import JoinedTrees, Missing, ObjectTree, Plain, Value, Variable, Variables
from appliance.management.snmp.served_objects import ServedObjects
from appliance.management.snmp.served_registrations import ServedRegistrations
from appliance.management.snmp.sip_service import UNKNOWN, ServiceState, service_status
from appliance.management.snmp.status_code_watch import StatusCodeWatch
from appliance.management.snmp.system_objects import SNMP_COUNTERS, ticks
from appliance.management.snmp.writing import SystemWriter
from appliance.messages.bus_messages import Answered, BusRequest, Refusal
from appliance.messages.cluster_messages import ShowCluster
from appliance.messages.snmp_messages import SnmpReport
from appliance.messages.supervisor_requests import (
    COMMIT_ANSWER_S,
    AlarmEvents,
    ListAlarmEvents,
    ListAlarms,
    ListFailures,
    StatusRequest,
)
from appliance.storage.cluster_file import FILE_NAME as CLUSTER_FILE

ASK_TIMEOUT_S: Final = 2.0
EVENTS_MAX: Final = 1000
# Users with wrong passwords (sipServerRegUserAuthenticationFailures).
FAILURES_MAX: Final = 1000
# Datagrams that wait for the status of the node.
WAITING_MAX: Final = 256
# RFC 3418 authenticationFailure: at most one in this time, so that strangers cannot make many.
AUTHENTICATION_FAILURE_INTERVAL_S: Final = 10.0
_FAILURES: Final = ("usmStatsWrongDigests", "usmStatsUnknownUserNames")

log = logging.getLogger("signalbox.snmp")


class Agent:
    """The agent of one node."""

    def __init__(
        self,
        state_dir: Path,
        settings: Settings,
        state: EngineState,
        version: str,
        boot: str,
        registrations: ServedRegistrations | None = None,
    ) -> None:
        self._state_dir = state_dir
        self._state = state
        self._started_at = clock.monotonic()
        self._settings = settings
        self._access = Access(settings.snmp)
        self._tree: Variables = ObjectTree()
        self._read_at = 0.0
        self._service = ServiceState()
        self._waiting: deque[tuple[Any, bytes, Any]] = deque()
        self._reading: asyncio.Task[None] | None = None
        self._failure_told_at = -AUTHENTICATION_FAILURE_INTERVAL_S
        folder = state_dir / "snmp"
        self.engine = Engine(state, self, folder)
        self.notifier = Notifier(folder / "notifications.json", self.engine, self.uptime_s, boot)
        self._registrations = registrations or ServedRegistrations("", clock.wall_time)
        self._served = ServedObjects(version, state, self.engine.count, self.notifier, self.uptime_s)
        self._watch = StatusCodeWatch(self._read_status, self.notifier.tell_crossings)
        self._writer = SystemWriter(state_dir, self._commit)
        self.go_by(settings)

    def uptime_s(self) -> float:
        """Seconds since the agent was started."""
        return clock.monotonic() - self._started_at

    def go_by(self, settings: Settings) -> None:
        """Use these settings from now on."""
        self._settings = settings
        self._access = Access(settings.snmp)
        self.engine.configure(settings.snmp)
        self.notifier.go_by(settings.snmp.waiting_max, [target_of(value) for value in settings.snmp.targets])
        self._watch.go_by(list(map(status_threshold_of, settings.snmp.status_thresholds)))
        self._read_at = 0.0

    # -- requests ------------------------------------------------------------------------------------

    def receive(self, transport: Any, datagram: bytes, source: Any) -> None:
        """A datagram has arrived; it is dropped, answered, or waits for the status."""
        if transport.is_sender:
            self._receive_answer(transport, datagram, source)
            return
        verdict = self._access.look(datagram, source[0])
        if verdict is not Verdict.ADMITTED:
            self._refuse(verdict)
        elif clock.monotonic() - self._read_at < self._settings.snmp.max_age_ms / 1000:
            self._process(transport, datagram, source)
        elif len(self._waiting) >= WAITING_MAX:
            self.engine.count_up("snmpSilentDrops")
        else:
            self._waiting.append((transport, datagram, source))
            if self._reading is None:
                self._reading = asyncio.get_running_loop().create_task(self._read_and_answer())

    def _receive_answer(self, transport: Any, datagram: bytes, source: Any) -> None:
        """The answer to an inform, from the target that got it; nothing else is taken there."""
        verdict = self._access.look_at_answer(datagram, source[0], source[1])
        if verdict is Verdict.ADMITTED:
            self.engine.process(transport, datagram, source)
        else:
            self._refuse(verdict)

    def _refuse(self, verdict: Verdict) -> None:
        self.engine.count_up("snmpInPkts")
        self.engine.count_up(verdict.value)
        if verdict is Verdict.BAD_COMMUNITY:
            self._tell_failure()

    def _process(self, transport: Any, datagram: bytes, source: Any) -> None:
        before = sum(map(self.engine.count, _FAILURES))
        self.engine.process(transport, datagram, source)
        if sum(map(self.engine.count, _FAILURES)) > before:
            self._tell_failure()

    def _tell_failure(self) -> None:
        now = clock.monotonic()
        if now - self._failure_told_at >= AUTHENTICATION_FAILURE_INTERVAL_S:
            self._failure_told_at = now
            self.notifier.tell_authentication_failure()

    async def _read_and_answer(self) -> None:
        try:
            await self._read()
        finally:
            self._reading = None
            while self._waiting:
                self._process(*self._waiting.popleft())

    # -- what is served ------------------------------------------------------------------------------

    async def _read(self) -> None:
        """Read the status of the node; where it cannot be read, the one before is served for as long again."""
        self._read_at = clock.monotonic()
        try:
            status = await self._read_status()
            alarms = (await self._ask(ListAlarms())).alarms
            failures = (await self._ask(ListFailures(FAILURES_MAX))).rows if self._settings.snmp.shows_users else []
        except BusUnavailable as fault:
            log.warning("the status of the node cannot be read: %s", fault)
            return
        self._note_service(service_status(status, alarms))
        cluster = await self._read_cluster()
        whole = ObjectTree(self._served.variables(status, self._settings, alarms, self._service, cluster))
        self._tree = JoinedTrees(whole, self._registrations.objects(self._settings, failures, self.uptime_s))

    async def _read_status(self) -> NodeStatus:
        return (await self._ask(StatusRequest())).status

    async def _read_cluster(self) -> ClusterStatus | None:
        """None on a node that is in no cluster, or where it cannot be read."""
        if not (self._state_dir / CLUSTER_FILE).exists():
            return None
        try:
            return (await self._ask(ShowCluster())).status
        except BusUnavailable as fault:
            log.warning("the status of the cluster cannot be read: %s", fault)
            return None

    def _note_service(self, status: int) -> None:
        former, self._service = self._service, self._service.after(status, ticks(self.uptime_s()))
        is_news = self._service is not former and former.status != UNKNOWN
        if is_news and self._settings.snmp.is_service_notified:
            self.notifier.tell_service(self._service)

    def get(self, oid: Oid) -> Value | Missing:
        return self._tree.get(oid)

    def next_after(self, oid: Oid) -> Variable | None:
        return self._tree.next_after(oid)

    def may_read(self, principal: Principal) -> bool:
        return self._access.may_read(principal)

    def write(self, principal: Principal, values: Sequence[tuple[Oid, Plain]]) -> None:
        """Put it in force as a commit. Raises NotAllowed and the like."""
        if not self._access.may_write(principal):
            raise NotAllowed
        self._writer.write(self._access.name_of(principal), values)
        self._read_at = 0.0

    # -- the supervisor ------------------------------------------------------------------------------

    async def _ask(self, request: BusRequest[Answered]) -> Answered:
        return await asyncio.to_thread(self._ask_now, request)

    def _ask_now(self, request: BusRequest[Answered]) -> Answered:
        """What the supervisor answers. Raises BusUnavailable, also when it refuses."""
        reply = ask_supervisor(self._state_dir / "run", request, ASK_TIMEOUT_S)
        if isinstance(reply, Refusal):
            raise BusUnavailable(reply.sentence)
        return reply

    def _commit(self, request: BusRequest[Answered]) -> Answered:
        """What the supervisor answers to a commit. Raises CommitRefused, BusUnavailable."""
        reply = ask_supervisor(self._state_dir / "run", request, COMMIT_ANSWER_S)
        if isinstance(reply, Refusal):
            raise CommitRefused(reply.sentence)
        return reply

    async def read_alarms(self) -> None:
        """Alarms were raised or cleared: make notifications of what is new."""
        try:
            found: AlarmEvents = await self._ask(ListAlarmEvents(EVENTS_MAX))
        except BusUnavailable as fault:
            log.warning("the alarms of the node cannot be read: %s", fault)
            return
        self.notifier.tell_alarms(found.events)
        if self._settings.snmp.is_service_notified:
            # A change of its state comes with an alarm.
            await self._read()

    def report(self) -> SnmpReport:
        """How it is, for operators."""
        return SnmpReport(
            self._state.engine_id.hex(),
            self._state.boots,
            round(self.uptime_s(), 1),
            {name: self.engine.count(name) for name in SNMP_COUNTERS},
            self.notifier.reports(),
        )


