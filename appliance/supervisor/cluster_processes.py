"""The processes that only a node in a cluster has, and the state that they report.

A node without the file STATE/cluster has none of them.
"""

from __future__ import annotations

import select
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from appliance.catalogue.alarms import Condition
from appliance.catalogue.cluster_status import ClusterStatus
from appliance.catalogue.counters import COUNTERS
from appliance.catalogue.errors import ConfigError
from appliance.catalogue.settings import Settings
from appliance.catalogue.supervision_settings import SupervisionSettings
from appliance.configuration.node_text import text_of_node
from appliance.configuration.text import parse_configuration
from appliance.ipc.launch import ClusterLaunch, ReplicatorLaunch
from appliance.machine import interface_addresses
from appliance.messages.bus_messages import BusMessage
from appliance.messages.count_messages import CountMessage
from appliance.storage.call_memory import CallMemory
from appliance.storage.cluster_file import ClusterFile, ClusterFileUnusable, read_cluster
from appliance.storage.replication_page import ReplicationMemory
from appliance.storage.table_folder import folder_path
from appliance.supervisor.cluster_orders import ClusterOrders, Reply
from appliance.supervisor.coordination_process import CoordinationProcess
from appliance.supervisor.lease_supervision import LeaseSupervision
from appliance.supervisor.lease_terms import node_faults
from appliance.supervisor.node_counts import NodeCounts
from appliance.supervisor.replicator_process import ReplicatorProcess
from appliance.supervisor.supporting_process import SupportingProcess
from appliance.supervisor.worker_record import sums
from appliance.transport.process_id import CLUSTER, REPLICATOR

Report = Callable[[str], None]


class ClusterProcesses:
    """Call `tend` in every cycle. `fileno()` is readable when one of them has something to say, or has ended."""

    def __init__(self, known: ClusterFile, text: str, state_dir: Path, report: Report) -> None:
        """`text`: the configuration. Raises ConfigError."""
        own_text = text_of_node(text, known.member.name)
        settings = parse_configuration(own_text)
        self.known = known
        self._state_dir = state_dir
        self._report = report
        self.calls = CallMemory(settings.cluster.call_memory_mib)
        self._awake = select.epoll()
        self.leases = LeaseSupervision(
            known, settings, state_dir / "run", interface_addresses, self._watch, report
        )
        self.orders = ClusterOrders(self.leases, report)
        launch = ClusterLaunch(str(state_dir), own_text, known.me)
        self.coordination = CoordinationProcess(known, launch, report)
        self.coordination.on_membership = self._membership_changed
        self.coordination.on_removed = self._removed
        self.leases.note_take_over = self.coordination.note_take_over
        self.memory = ReplicationMemory()
        fds = self.memory.page_fd, self.memory.event_fd
        links = ReplicatorLaunch(
            str(state_dir), str(folder_path(state_dir)), own_text, known.me, *fds, **self.calls.launch_fields
        )
        self.replicator = ReplicatorProcess(links, self.memory, report)
        self.counts = NodeCounts(known.me)
        self.replicator.is_wanted = known.member.link_port > 0 and not known.member.is_witness

    def note_start(self, boot_hex: str) -> None:
        """The octets that tell this start of the node from others: its slots are counted by them."""
        self.replicator.launch = replace(self.replicator.launch, boot_hex=boot_hex)

    def fileno(self) -> int:
        """One descriptor for all of them."""
        return self._awake.fileno()

    def _watch(self, fd: int) -> None:
        # It is taken out by being closed.
        self._awake.register(fd, select.EPOLLIN)

    @property
    def members(self) -> dict[str, SupportingProcess[Any]]:
        """The processes, by the names that operators see."""
        return {"lease": self.leases, "cluster": self.coordination, "replicator": self.replicator}

    # -- the configuration ---------------------------------------------------------------------------

    def text_of_node(self, text: str) -> str:
        """The configuration as the processes of this node go by it. Raises ConfigError."""
        return text_of_node(text, self.known.member.name)

    def check(self, settings: Settings) -> None:
        """Does the configuration fit the cluster? Raises ConfigError."""
        faults = list(node_faults(settings, self.known.membership))
        if faults:
            raise ConfigError(faults)

    def put_in_force(self, settings: Settings, text: str) -> None:
        """Go by a new configuration; `text` is that of this node."""
        self.leases.put_in_force(settings)
        self.coordination.put_in_force(text)
        self.replicator.put_in_force(text)

    # -- their life ----------------------------------------------------------------------------------

    def tell_by(
        self,
        tell_workers: Callable[[BusMessage], object],
        send: Callable[[int, BusMessage], bool],
        reply: Reply,
        lifetime_offset_s: float | None = None,
    ) -> None:
        """How all workers are told, a process of this node by its number (transport/process_id.py), and who asked.
        `lifetime_offset_s`: as for a worker.
        """
        self.leases.tell_workers = tell_workers
        self.orders.reply = reply
        self.coordination.send = lambda message: send(CLUSTER, message)
        self.replicator.launch = replace(self.replicator.launch, lifetime_offset_s=lifetime_offset_s)
        self.replicator.send = self.counts.send = lambda message: send(REPLICATOR, message)
        self.counts.tell_workers = tell_workers

    def heard(self, number: int, message: BusMessage, now: float) -> bool:
        """Take in what a process of this node says; is it a reason for a cycle?"""
        if number == CLUSTER:
            return self.coordination.heard(message, now)
        if number == REPLICATOR and isinstance(message, CountMessage):
            self.counts.heard(message, now)
            return False
        if number == REPLICATOR:
            return self.replicator.heard(message, now)
        return False

    def forgive(self, now: float) -> None:
        """The supervisor itself was held up: silence in that time proves nothing."""
        self.coordination.forgive_silence(now)
        self.replicator.forgive_silence(now)

    def tend(self, limits: SupervisionSettings, is_stopping: bool, is_serving: bool, now: float) -> None:
        """Keep them running. `is_serving`: does a worker of this node take calls?"""
        # A node that was removed from the cluster owns no address, and talks to no member.
        is_ending = is_stopping or not self.coordination.is_member
        self.replicator.tend_replicator(limits, is_ending, is_serving, now)
        may_own = is_serving and self.replicator.may_own and self.coordination.has_current_keys(now)
        self.leases.tend_leases(limits, is_ending, may_own, now)
        self.coordination.linked = self.replicator.linked
        self.coordination.settled_version = self.leases.settled_version(now)
        self.coordination.tend(limits, is_stopping, now)

    def _removed(self) -> None:
        """This node belongs to the cluster no longer."""
        self.leases.stop()
        self.replicator.stop()

    def _membership_changed(self) -> None:
        """The cluster process has written the cluster file anew."""
        try:
            known = read_cluster(self._state_dir)
        except ClusterFileUnusable as fault:
            self._report(str(fault))
            return
        if known is not None:
            self.known = self.leases.known = self.coordination.known = known
            names = ", ".join(member.name for member in known.membership.members)
            self._report(f"The members of the cluster are now {names} (version {known.membership.version}).")

    # -- what operators see --------------------------------------------------------------------------

    def status(self, now: float) -> ClusterStatus:
        """How the cluster is, as far as this node knows."""
        orders = self.leases.addresses.orders
        status = self.coordination.status()
        return replace(
            status,
            members=[self.replicator.with_link(member) for member in status.members],
            addresses=self.leases.statuses(now),
            drained=[self.leases.name_of(number) for number in orders.drained],
            is_maintained=orders.is_maintained,
        )

    def counters(self) -> list[int]:
        """What they have counted, by id."""
        return sums(self.replicator.counters(), [0] * len(COUNTERS))

    def conditions(self, now: float) -> Iterator[Condition]:
        """The alarms that are true of them."""
        yield from self.leases.conditions(now)
        yield from self.coordination.conditions()
        yield from self.replicator.conditions()

    def stop(self) -> None:
        """Ask them to end; addresses are given away first. The replicator ends after the workers."""
        self.leases.stop()
        self.coordination.stop()

    def close(self) -> None:
        """Leave nothing behind. It may be called again: a start that fails late has two who call it."""
        if self._awake.closed:
            return
        self.leases.close()
        self.coordination.kill()
        self.replicator.kill()
        self.memory.close()
        self.calls.close()
        self._awake.close()
