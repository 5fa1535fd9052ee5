"""What is asked of the supervisor (messages/supervisor_requests.py): one method for each request.

Where nothing was done the reply is a Refusal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from appliance import clock
from appliance.catalogue.node_status import NodeStatus
from appliance.messages.address_messages import DrainNode, MaintainCluster, SwitchAddress
from appliance.messages.bus_messages import BusMessage, BusReply, Cleared, Refusal
from appliance.messages.cluster_messages import ClusterReply, ListTakeOvers, ShowCluster, TakeOverRows
from appliance.messages.route_table_messages import ListTableReads, RequestTableRead, TableReadRows
from appliance.messages.sealing_messages import RotateSealingKey
from appliance.messages.snmp_messages import RequestTestNotification, ShowSnmp
from appliance.messages.supervisor_requests import (
    AcknowledgeAlarm,
    AlarmEvents,
    AlarmRows,
    AlarmsAcknowledged,
    CancelReload,
    ClearFailures,
    CommitConfiguration,
    ConfirmCommit,
    Done,
    DrainWorker,
    EndRegistrations,
    ForgetSubscriber,
    ListAlarmEvents,
    ListAlarms,
    ListFailures,
    Reload,
    RestartWorker,
    StatusReply,
    StatusRequest,
    UndrainWorker,
    WorkerChanged,
    WorkersTold,
)
from appliance.supervisor.alarm_monitor import AlarmMonitor
from appliance.supervisor.commit_coordinator import CommitCoordinator
from appliance.supervisor.decisions import WorkerState
from appliance.supervisor.key_rotation import KeyRotation
from appliance.supervisor.status_report import in_minutes
from appliance.supervisor.supporting_processes import SupportingProcesses
from appliance.supervisor.worker_pool import WorkerPool
from appliance.supervisor.worker_record import WorkerRecord


class Node(Protocol):
    """The supervisor, as far as it can be ordered about."""

    configuring: CommitCoordinator
    watching: AlarmMonitor
    worker_pool: WorkerPool
    supporting: SupportingProcesses
    rotation: KeyRotation

    def log(self, sentence: str) -> None: ...
    def node_status(self, now: float) -> NodeStatus: ...
    def tell_all(self, message: BusMessage) -> list[int]:
        """A message for every worker that runs; the numbers of those that the bus had room for."""

    def send(self, number: int, messages: Sequence[BusMessage]) -> bool: ...


class OperatorCommands:
    """Executes requests."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._by_class: dict[type[BusMessage], Callable[[Any, float], BusReply]] = {
            StatusRequest: lambda request, now: StatusReply(node.node_status(now)),
            ListAlarms: lambda request, now: AlarmRows(node.watching.alarms.rows()),
            ListAlarmEvents: lambda request, now: AlarmEvents(node.watching.alarms.history(request.limit)),
            AcknowledgeAlarm: self._acknowledge,
            ListFailures: lambda request, now: node.watching.failures.rows(request.limit, now, clock.wall_time()),
            ClearFailures: self._clear_failures,
            ForgetSubscriber: lambda request, now: WorkersTold(node.tell_all(request)),
            EndRegistrations: self._end_registrations,
            DrainWorker: self._drain,
            UndrainWorker: self._undrain,
            RestartWorker: self._restart,
            Reload: self._reload,
            CancelReload: self._cancel_reload,
            ShowSnmp: self._snmp,
            RequestTestNotification: self._test_notification,
            ListTableReads: self._table_reads,
            RequestTableRead: self._read_table,
            ShowCluster: self._cluster,
            ListTakeOvers: self._take_overs,
        }

    def execute(self, asker: bytes, request: BusMessage, now: float) -> BusReply | None:
        """The reply, or None when it comes later."""
        if isinstance(request, CommitConfiguration):
            return self._node.configuring.commit(asker, request, now)
        if isinstance(request, ConfirmCommit):
            return self._node.configuring.confirm(asker, request.user, now)
        if isinstance(request, SwitchAddress | DrainNode | MaintainCluster):
            cluster = self._node.supporting.cluster
            return _no_cluster() if cluster is None else cluster.orders.execute(asker, request, now)
        if isinstance(request, RotateSealingKey):
            return self._node.rotation.execute(asker, request, now)
        execute = self._by_class.get(type(request))
        if execute is None:
            return Refusal(f"The supervisor does not answer {type(request).__name__}.")
        return execute(request, now)

    # -- alarms, wrong passwords, subscribers --------------------------------------------------------

    def _acknowledge(self, request: AcknowledgeAlarm, now: float) -> BusReply:
        name, subject = request.name, request.subject
        count = self._node.watching.alarms.acknowledge(name, subject, request.user, clock.wall_time())
        if not count:
            of = f" of {subject}" if subject else ""
            return Refusal(f"No alarm {name}{of} is active.", "see `show alarms`")
        return AlarmsAcknowledged(count)

    def _clear_failures(self, request: ClearFailures, now: float) -> BusReply:
        self._node.tell_all(request)
        if self._node.supporting.cluster is not None:
            self._node.supporting.cluster.counts.tell_cleared(request.who)
        return Cleared(self._node.watching.failures.clear(request.who))

    def _end_registrations(self, request: EndRegistrations, now: float) -> BusReply:
        """One worker ends them, and the others have it from that one."""
        for record in self._node.worker_pool.records:
            if record.life == WorkerState.LIVE and self._node.send(record.number, [request]):
                return WorkersTold([record.number])
        return Refusal("No worker is live.", "try again when a worker is live")

    # -- the cluster ---------------------------------------------------------------------------------

    def _cluster(self, request: ShowCluster, now: float) -> BusReply:
        cluster = self._node.supporting.cluster
        return _no_cluster() if cluster is None else ClusterReply(cluster.status(now))

    def _take_overs(self, request: ListTakeOvers, now: float) -> BusReply:
        if self._node.supporting.cluster is None:
            return _no_cluster()
        rows = self._node.supporting.cluster.coordination.rows()
        return TakeOverRows(len(rows), rows[-request.limit :])

    # -- the SNMP agent ------------------------------------------------------------------------------

    def _snmp(self, request: ShowSnmp, now: float) -> BusReply:
        agent = self._node.supporting.snmp
        return _no_agent() if agent is None else agent.state()

    def _test_notification(self, request: RequestTestNotification, now: float) -> BusReply:
        agent = self._node.supporting.snmp
        if agent is None or not agent.settings.targets:
            return Refusal("No SNMP target is configured.", "add `target` to the section `snmp`")
        if not agent.test(request.user):
            return Refusal("The SNMP agent is not reachable.", "see `show snmp`")
        return Done(f"A test notification is sent to {len(agent.settings.targets)} targets; see `show snmp targets`.")

    # -- route tables of databases --------------------------------------------------------------------

    def _table_reads(self, request: ListTableReads, now: float) -> BusReply:
        server = self._node.supporting.lookups
        return TableReadRows([] if server is None else server.tables)

    def _read_table(self, request: RequestTableRead, now: float) -> BusReply:
        server = self._node.supporting.lookups
        if server is None or not server.read_now(request.table):
            return Refusal("The lookup server is not reachable.", "see `show route-sources`")
        return Done("The read has begun; see `show route-sources`.")

    # -- workers -------------------------------------------------------------------------------------

    def _drain(self, request: DrainWorker, now: float) -> BusReply:
        """Take the slots away; the process stays."""
        record = self._record(request.number)
        if isinstance(record, Refusal):
            return record
        others = [other for other in self._node.worker_pool.records if other is not record and _takes_calls(other)]
        if not others:
            return Refusal("No other worker accepts calls.", "undrain another worker first")
        record.is_parked = True
        self._node.log(f"Worker {record.number} is drained; its slots move to the other workers.")
        return _changed(record, "drained")

    def _undrain(self, request: UndrainWorker, now: float) -> BusReply:
        record = self._record(request.number)
        if isinstance(record, Refusal):
            return record
        record.is_parked = False
        self._node.log(f"Worker {record.number} accepts calls again.")
        return _changed(record, record.life.name.lower())

    def _restart(self, request: RestartWorker, now: float) -> BusReply:
        record = self._record(request.number)
        if isinstance(record, Refusal):
            return record
        return self._node.worker_pool.restart(record.number, now) or _changed(record, "draining")

    def _record(self, number: int) -> WorkerRecord | Refusal:
        records = self._node.worker_pool.records
        if not 0 <= number < len(records):
            return Refusal(f"There is no worker {number}.", f"type a number from 0 to {len(records) - 1}")
        return records[number]

    def _reload(self, request: Reload, now: float) -> BusReply:
        minutes = request.minutes
        was_in_s = self._node.worker_pool.reload_in_s(now)
        self._node.worker_pool.reload(now + 60 * minutes)
        text = f"All workers restart one by one{f' in {in_minutes(60.0 * minutes)}' if minutes else ''}."
        if was_in_s is not None:
            text += f" This replaces the reload scheduled in {in_minutes(was_in_s)}."
        self._node.log(f"Reload by {request.user}: {text[0].lower()}{text[1:]}")
        return Done(text)

    def _cancel_reload(self, request: CancelReload, now: float) -> BusReply:
        if not self._node.worker_pool.cancel_reload():
            return Refusal("No reload is scheduled.", "type `reload in MINUTES` to schedule one")
        self._node.log(f"Reload cancelled by {request.user}.")
        return Done("The reload is cancelled.")


def _no_agent() -> Refusal:
    return Refusal("This appliance runs without an SNMP agent.", "start it with its management process")


def _no_cluster() -> Refusal:
    return Refusal("This node is in no cluster.", "type `signalbox cluster create` or `signalbox cluster join`")


def _takes_calls(record: WorkerRecord) -> bool:
    return record.life == WorkerState.LIVE and not record.is_parked


def _changed(record: WorkerRecord, state: str) -> WorkerChanged:
    return WorkerChanged(record.number, state, record.gauges.get("transactions", 0))
