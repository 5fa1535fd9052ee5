"""The processes of a node that handle no SIP, all together: management, persister, SNMP agent, lookup server,
those of a cluster.

A node has the management process and the agent where operators have a way in, the persister where it has a registration
table, the lookup server where the configuration has work for it, and the others where it is in a cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from appliance.catalogue.alarms import MANAGEMENT_DOWN, Condition
from appliance.catalogue.settings import Settings
from appliance.catalogue.supervision_settings import SupervisionSettings
from appliance.ipc.launch import ManagementLaunch
from appliance.messages.bus_messages import BusMessage
from appliance.messages.route_table_messages import LookupServerReport
from appliance.messages.snmp_messages import SnmpReport
from appliance.messages.table_messages import PersisterSettings, TableReplaced
from appliance.supervisor.cluster_orders import Reply
from appliance.supervisor.cluster_processes import ClusterProcesses
from appliance.supervisor.lease_conditions import conditions_without_cluster
from appliance.supervisor.lookup_process import LookupProcess
from appliance.supervisor.snmp_process import SnmpProcess
from appliance.supervisor.supporting_process import SupportingProcess
from appliance.supervisor.table_supervision import TableSupervision
from appliance.supervisor.worker_record import sums
from appliance.transport.process_id import LOOKUP_SERVER, PERSISTER, SNMP_AGENT

TellWorkers = Callable[[BusMessage], object]


class SupportingProcesses:
    """Call `tend` in every cycle."""

    def __init__(
        self,
        management: SupportingProcess[ManagementLaunch] | None = None,
        table: TableSupervision | None = None,
        snmp: SnmpProcess | None = None,
        lookups: LookupProcess | None = None,
        cluster: ClusterProcesses | None = None,
    ) -> None:
        self.management = management
        self.table = table
        self.snmp = snmp
        self.lookups = lookups
        self.cluster = cluster
        self._tell_workers: TellWorkers = lambda message: None

    def connect(
        self,
        tell_workers: TellWorkers,
        send: Callable[[int, BusMessage], bool],
        forget: Callable[[int], None],
        reply: Reply,
        lifetime_offset_s: float | None,
    ) -> None:
        """How all workers are told, a process by its number (transport/process_id.py), and who asked. `forget`: drop
        what waits for a process that has ended. `lifetime_offset_s`: as for a worker.
        """
        self._tell_workers = tell_workers
        if self.table is not None:
            persister = self.table.persister
            persister.launch = replace(persister.launch, lifetime_offset_s=lifetime_offset_s)
            self.table.send = lambda message: send(PERSISTER, message)
        if self.snmp is not None:
            self.snmp.launch = replace(self.snmp.launch, lifetime_offset_s=lifetime_offset_s)
            self.snmp.send, self.snmp.forget = lambda message: send(SNMP_AGENT, message), lambda: forget(SNMP_AGENT)
        if self.lookups is not None:
            self.lookups.send = lambda message: send(LOOKUP_SERVER, message)
        if self.cluster is not None:
            self.cluster.tell_by(tell_workers, send, reply, lifetime_offset_s)

    @property
    def members(self) -> dict[str, SupportingProcess[Any]]:
        """The processes, by the names that operators see."""
        management = {} if self.management is None else {"management": self.management}
        persister = {} if self.table is None else {"persister": self.table.persister}
        agent = {} if self.snmp is None else {"snmp": self.snmp}
        lookups = {} if self.lookups is None or not self.lookups.is_wanted else {"lookups": self.lookups}
        return {**management, **persister, **agent, **lookups, **({} if self.cluster is None else self.cluster.members)}

    @property
    def has_table(self) -> bool:
        """Can workers be started?"""
        return self.table is None or self.table.is_loaded

    def put_in_force(self, settings: Settings, text: str) -> None:
        """Go by a new configuration; `text` is that of this node."""
        if self.management is not None:
            self.management.launch = replace(self.management.launch, config_text=text)
        if self.table is not None:
            self.table.persister.launch = replace(self.table.persister.launch, config_text=text)
            self.table.send(PersisterSettings(text))
        if self.snmp is not None:
            self.snmp.put_in_force(settings, text)
        if self.lookups is not None:
            self.lookups.put_in_force(settings, text)
        if self.cluster is not None:
            self.cluster.put_in_force(settings, text)

    # -- their life ----------------------------------------------------------------------------------

    def tend(self, limits: SupervisionSettings, is_stopping: bool, is_serving: bool, events: int, now: float) -> None:
        """Keep them running. `is_serving`: does a worker of this node take calls? `events`: how many events of alarms
        there were.
        """
        if self.management is not None:
            self.management.tend(limits, is_stopping, now)
        if self.snmp is not None:
            self.snmp.tend_agent(limits, is_stopping, events, now)
        if self.lookups is not None:
            self.lookups.tend_server(limits, is_stopping, now)
        if self.table is not None and self.table.tend(limits, is_stopping, now):
            self._tell_workers(TableReplaced(self.table.directory))
        if self.cluster is not None:
            self.cluster.tend(limits, is_stopping, is_serving, now)

    def heard(self, number: int, message: BusMessage, now: float) -> bool:
        """Take in what one of them says; is it a reason for a cycle?"""
        if number == PERSISTER:
            if self.table is not None:
                self.table.heard(message, now)
        elif isinstance(message, SnmpReport):
            if self.snmp is not None:
                self.snmp.heard(message)
        elif isinstance(message, LookupServerReport):
            if self.lookups is not None:
                self.lookups.heard(message, now)
        elif self.cluster is not None:
            return self.cluster.heard(number, message, now)
        return False

    def forgive(self, now: float) -> None:
        """The supervisor itself was held up: silence in that time proves nothing."""
        if self.table is not None:
            self.table.forgive(now)
        if self.lookups is not None:
            self.lookups.forgive_silence(now)
        if self.cluster is not None:
            self.cluster.forgive(now)

    def stop(self) -> None:
        """Ask them to end, but for the persister: it ends after the workers."""
        if self.cluster is not None:
            self.cluster.stop()
        if self.management is not None:
            self.management.stop()
        if self.snmp is not None:
            self.snmp.stop()
        if self.lookups is not None:
            self.lookups.stop()

    def has_stopped(self, limits: SupervisionSettings, now: float) -> bool:
        """All workers have ended: is all that they wrote on the disk? Call it until it is True."""
        return self.table is None or self.table.has_stopped(limits, now)

    def kill(self) -> None:
        """End them now."""
        for process in self.members.values():
            process.kill()

    def close(self) -> None:
        """Leave no process and no socket behind."""
        self.kill()
        if self.table is not None:
            self.table.close()
        if self.snmp is not None:
            self.snmp.close()
        if self.cluster is not None:
            self.cluster.close()

    # -- what is known by them -----------------------------------------------------------------------

    def counters(self) -> list[int]:
        """What they have counted, by id."""
        of_table = [] if self.table is None else self.table.counters()
        of_lookups = [] if self.lookups is None else self.lookups.counters()
        return sums(sums(of_table, of_lookups), [] if self.cluster is None else self.cluster.counters())

    def conditions(self, settings: Settings, now: float) -> Iterator[Condition]:
        """The alarms that are true of them."""
        if self.management is not None and self.management.is_down:
            yield Condition(MANAGEMENT_DOWN, "management", "The management process is being restarted.")
        if self.table is not None:
            yield from self.table.conditions(now)
        if self.snmp is not None:
            yield from self.snmp.conditions()
        if self.lookups is not None:
            yield from self.lookups.conditions()
        yield from self.cluster.conditions(now) if self.cluster is not None else conditions_without_cluster(settings)
