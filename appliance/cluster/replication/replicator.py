"""The loop of the replicator: links, the event of the workers, the bus, and what each user of the links has to do.

It sleeps until something arrives. Where nothing changes it wakes up ten times a second.
"""

from __future__ import annotations

import logging
import selectors
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Final

from appliance import clock
from appliance.catalogue.counters import LINK_BATCHES_DROPPED, LINK_MESSAGES_SKIPPED, LINKS_LOST, LINKS_REFUSED
from appliance.catalogue.errors import ConfigError
from appliance.catalogue.settings import Settings
from appliance.cluster.replication.counts import CountReplication
from appliance.cluster.replication.flows import FlowReplication
from appliance.cluster.replication.link_user import LinkUser
from appliance.cluster.replication.questions import QuestionReplication
from appliance.cluster.replication.registrations import RegistrationReplication
from appliance.cluster.replication.replication_report import alarms_of, row_of
from appliance.configuration.text import parse_configuration
from appliance.ipc.bus import Bus
from appliance.ipc.node_links import NodeLinks
from appliance.messages.bus_messages import Heartbeat
from appliance.messages.link_messages import LinkLost, LinkUp, ReplicationReport
from appliance.messages.membership import Membership
from appliance.messages.table_messages import ReplicatorSettings
from appliance.storage.cluster_file import ClusterFileUnusable, cluster_path, read_cluster
from appliance.storage.log_file import log_by
from appliance.storage.registrations import SharedTable
from appliance.storage.replication_page import ReplicationPage
from appliance.storage.table_folder import TableFolder
from appliance.transport.process_id import MANAGEMENT, REPLICATOR, ProcessId, worker_of

REPORT_S: Final = 0.5
LOOK_S: Final = 1.0
FLUSH_MAX_S: Final = 2.0

log = logging.getLogger("signalbox.replicator")


class Replicator:
    """Call `run`. `others`: users of the links beside the registrations. `supervisor`: who gets reports."""

    def __init__(
        self,
        state_dir: Path,
        membership: Membership,
        tables: TableFolder,
        table: SharedTable,
        links: NodeLinks,
        page: ReplicationPage,
        bus: Bus,
        supervisor: ProcessId,
        registrations: RegistrationReplication,
        wall_time: Callable[[], float],
        settings: Settings,
        flows: FlowReplication,
        node_counts: CountReplication,
        questions: QuestionReplication,
        others: Sequence[LinkUser] = (),
    ) -> None:
        self._state_dir = state_dir
        self._membership = membership
        self._tables = tables
        self._table = table
        self._links = links
        self._page = page
        self._bus, self._bus_fd = bus, bus.fileno()
        self._supervisor = supervisor
        self._registrations = registrations
        self._wall_time = wall_time
        self._flows = flows
        self._node_counts = node_counts
        self._questions = questions
        self._others: list[LinkUser] = [flows, node_counts, questions, *others]
        self._users: list[RegistrationReplication | LinkUser] = [registrations, *self._others]
        self._waiting = selectors.DefaultSelector()
        self._waiting.register(bus, selectors.EVENT_READ)
        self._waiting.register(page.event_fd, selectors.EVENT_READ)
        self._link_fds: list[int] = []
        self._look_at = self._report_at = 0.0
        self._turn = 0
        self._has_more = False
        """Was not all read that came by the bus?"""
        self._membership_read = _time_of(state_dir)
        self._state_told: tuple[bool, ...] = ()
        for user in self._others:
            for fd in user.fds():
                self._waiting.register(fd, selectors.EVENT_READ)
        self._go_by(settings)
        self._watch_links()

    def watch(self, fd: int) -> None:
        """Wake up for this descriptor as well."""
        self._waiting.register(fd, selectors.EVENT_READ)

    def run(self, is_ending: Callable[[], bool]) -> None:
        """Serve until told to end, and until other nodes have what was made here, or for a while. Raises TableUnsound.
        """
        until = 0.0
        due = 0.0
        while True:
            now = clock.monotonic()
            readable = {key.fd for key, _ in self._waiting.select(max(0.0, due - now))}
            now = clock.monotonic()
            due = self._step(now, readable)
            if is_ending():
                self._registrations.changed()
                until = until or now + FLUSH_MAX_S
                if self._registrations.is_done or now > until:
                    return

    def _step(self, now: float, readable: Collection[int]) -> float:
        """One turn; returns when the next one is due. To ask a socket that has nothing costs more than most turns."""
        is_look = now >= self._look_at
        if is_look or self._has_more or self._bus_fd in readable:
            self._receive(now)
        if self._page.event_fd in readable and self._page.take_event():
            for user in self._users:
                user.changed()
        for member, message in self._links.receive(now, None if is_look else readable):
            for user in self._users:
                if isinstance(message, LinkUp):
                    user.link_up(member, now)
                elif isinstance(message, LinkLost):
                    user.link_lost(member, now)
                elif user.takes(message):
                    user.receive(member, message, now)
        due = min(user.tick(now) for user in self._users)
        if is_look:
            self._look_at = now + LOOK_S
            self._look(now)
        self._report(now)
        due = min(due, self._look_at, self._report_at, now + self._links.due_s())
        self._has_more = self._bus.pending()
        return now if self._has_more or self._links.pending() else due

    # -- now and then ----------------------------------------------------------------------------------

    def _look(self, now: float) -> None:
        """Has the membership changed, or the table?"""
        self._table.clock = self._wall_time()
        if (read_at := _time_of(self._state_dir)) != self._membership_read:
            self._membership_read = read_at
            self._read_membership(now)
        generation = self._tables.current()
        if generation and generation != self._table.generation:
            log.info("the registration table was replaced")
            self._table.move_to(str(self._tables.directory(generation)))
            self._registrations.table_replaced(self._table, now)

    def _read_membership(self, now: float) -> None:
        try:
            known = read_cluster(self._state_dir)
        except ClusterFileUnusable as fault:
            log.error("%s", fault)
            return
        if known is None:
            return
        self._membership = known.membership
        self._links.go_by(known.membership)
        self._registrations.members_changed(now)
        for user in self._others:
            user.go_by(self._settings, known.membership)
        self._watch_links()

    def _watch_links(self) -> None:
        for fd in self._link_fds:
            self._waiting.unregister(fd)
        self._link_fds = self._links.fds()
        for fd in self._link_fds:
            self._waiting.register(fd, selectors.EVENT_READ)

    def _receive(self, now: float) -> None:
        for sender, message in self._bus.receive():
            self._flows.receive_from_worker(sender, message)
            if worker_of(sender) == MANAGEMENT:
                self._questions.receive_from_management(message, now)
            if sender == self._supervisor:
                self._node_counts.receive_from_supervisor(message)
            if isinstance(message, ReplicatorSettings):
                try:
                    self._go_by(parse_configuration(message.config_text))
                except ConfigError as fault:
                    log.error("the configuration in force cannot be read: %s", fault)

    def _go_by(self, settings: Settings) -> None:
        log_by(settings)
        self._settings = settings
        self._registrations.copies = settings.cluster.copies
        for user in self._others:
            user.go_by(settings, self._membership)
        self._table.limit = settings.limits.bindings_max
        self._table.lifetime_max_s = settings.registrar.expires_max_s

    # -- what the supervisor is told -------------------------------------------------------------------

    def _report(self, now: float) -> None:
        """Twice a second, and at once when a link or a sync has changed."""
        peers = self._registrations.peers
        state = tuple(flag for peer in peers.values() for flag in (peer.is_up, peer.is_in_sync))
        if now < self._report_at and state == self._state_told:
            return
        if state != self._state_told:
            self._page.note_links([number for number, peer in peers.items() if peer.is_up])
            self._state_told = state
        self._report_at = now + REPORT_S
        self._turn += 1
        last_seq = self._table.last_seq
        rows = {
            number: row_of(
                peer,
                self._membership.member(number),
                last_seq,
                self._links.octets(number),
                self._links.fault_of(number),
            )
            for number, peer in peers.items()
        }
        members = {member.number: member for member in self._membership.members}
        report = ReplicationReport(
            list(rows.values()), self._registrations.is_ready(now), list(alarms_of(peers, rows, members, now))
        )
        gauges = {"links": sum(peer.is_up for peer in peers.values())}
        heartbeat = Heartbeat(REPLICATOR, self._counters(), gauges, self._turn)
        self._bus.send(self._supervisor, [heartbeat, report])

    def _counters(self) -> list[int]:
        counters = list(self._registrations.counters)
        counters[LINKS_LOST] = self._links.lost
        counters[LINKS_REFUSED] = self._links.refused
        for user in self._others:
            for counter, count in user.counts().items():
                counters[counter] += count
        counters[LINK_BATCHES_DROPPED] = self._links.stale + self._links.damaged
        counters[LINK_MESSAGES_SKIPPED] = self._links.skipped
        return counters

    def close(self) -> None:
        """Leave the links and the table."""
        self._waiting.close()
        self._links.close()
        self._table.close()


def _time_of(state_dir: Path) -> int:
    """When the cluster file was written; 0 where there is none."""
    try:
        return cluster_path(state_dir).stat().st_mtime_ns
    except OSError:
        return 0
