"""All that the agent serves, of every module, at one moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from appliance.catalogue.cluster_status import ClusterStatus
from appliance.catalogue.node_status import NodeStatus
from appliance.catalogue.settings import Settings
from appliance.catalogue.snmp_status_codes import status_threshold_of
from appliance.catalogue.snmp_values import target_of, user_of
from appliance.management.snmp.access_objects import access_variables
from appliance.management.snmp.alarm_objects import alarm_variables
from appliance.management.snmp.application_objects import application_variables
from appliance.management.snmp.cluster_objects import cluster_variables
from appliance.management.snmp.engine_address import engine_address
from appliance.management.snmp.engine_state import EngineState
from appliance.management.snmp.notification_log_objects import LogEntries, log_variables
from appliance.management.snmp.notifier import Notifier
from appliance.management.snmp.object_tree import Variable
from appliance.management.snmp.signalbox_objects import signalbox_variables
from appliance.management.snmp.sip_common_objects import common_variables
from appliance.management.snmp.sip_server_objects import server_variables
from appliance.management.snmp.sip_service import ServiceState
from appliance.management.snmp.sip_statistics_objects import statistics_variables
from appliance.management.snmp.system_objects import SystemFacts, system_variables
from appliance.management.snmp.target_objects import target_variables
from appliance.management.snmp.user_objects import user_variables
from appliance.messages.supervisor_requests import AlarmRow


class ServedObjects:
    """`count`: a counter of the engine by its name; `uptime_s`: since the agent was started."""

    def __init__(
        self,
        version: str,
        state: EngineState,
        count: Callable[[str], int],
        notifier: Notifier,
        uptime_s: Callable[[], float],
    ) -> None:
        self._version = version
        self._state = state
        self._count = count
        self._notifier = notifier
        self._uptime_s = uptime_s
        self._log_entries = LogEntries(state.engine_id)

    def variables(
        self,
        status: NodeStatus,
        settings: Settings,
        alarms: Sequence[AlarmRow],
        service: ServiceState,
        cluster: ClusterStatus | None = None,
    ) -> Iterator[Variable]:
        """All of them, in no order."""
        yield from cluster_variables(cluster)
        yield from system_variables(self._system(status, settings))
        yield from self._engine(settings)
        yield from application_variables(status, self._version, service, self._uptime_s())
        yield from self._alarms(settings, alarms)
        yield from common_variables(status, settings, service)
        yield from statistics_variables(status, list(map(status_threshold_of, settings.snmp.status_thresholds)))
        yield from server_variables(status, settings)
        yield from signalbox_variables(status, settings, alarms)

    def _system(self, status: NodeStatus, settings: Settings) -> SystemFacts:
        return SystemFacts(
            description=f"Signalbox {self._version}, SIP server",
            contact=settings.snmp.contact,
            name=status.hostname,
            location=settings.snmp.location,
            uptime_s=self._uptime_s,
            engine_id=self._state.engine_id,
            boots=self._state.boots,
            count=self._count,
        )

    def _engine(self, settings: Settings) -> Iterator[Variable]:
        snmp = settings.snmp
        yield from target_variables([target_of(value) for value in snmp.targets])
        yield from user_variables([user_of(value) for value in snmp.users], self._state.engine_id)
        yield from access_variables(snmp)

    def _alarms(self, settings: Settings, alarms: Sequence[AlarmRow]) -> Iterator[Variable]:
        notifier, address = self._notifier, engine_address(settings.snmp)
        yield from alarm_variables(alarms, notifier.alarm_facts(self._state.engine_id, address))
        self._log_entries.address = address
        yield from log_variables(notifier.log, notifier.logged, notifier.bumped, self._log_entries)
