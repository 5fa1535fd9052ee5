"""The replicator process: `python -m appliance.cluster.replication`, with its launch document on standard input.

Exit status: 0 told to end, 1 a fault of its own or an unsound table, 2 it could not start.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from appliance import clock
from appliance.catalogue.errors import ConfigError
from appliance.catalogue.settings import Settings
from appliance.cluster.replication.address_preferences import preferences
from appliance.cluster.replication.calls import CallReplication
from appliance.cluster.replication.counts import CountReplication
from appliance.cluster.replication.flows import FlowReplication
from appliance.cluster.replication.questions import QuestionReplication
from appliance.cluster.replication.registrations import RegistrationReplication
from appliance.cluster.replication.replicator import Replicator
from appliance.configuration.text import parse_configuration
from appliance.ipc.bus import Bus
from appliance.ipc.launch import NO_DESCRIPTOR, ReplicatorLaunch
from appliance.ipc.launch_document import LaunchError
from appliance.ipc.node_links import NodeLinks
from appliance.location.table_store import TableUnsound
from appliance.machine import IdleShare
from appliance.messages.slots import seed_of
from appliance.privileges import lay_down_all
from appliance.storage.call_log import CallLogReader
from appliance.storage.cluster_file import ClusterFile, ClusterFileUnusable, read_cluster
from appliance.storage.copied_calls import CopiedCallsWriter
from appliance.storage.log_file import log_by, log_path, log_to_file, log_to_stderr
from appliance.storage.registrations import SharedTable
from appliance.storage.replication_page import ReplicationPage
from appliance.storage.table_folder import TableFolder
from appliance.transport.process_id import MANAGEMENT, REPLICATOR, SUPERVISOR, process_id

log = logging.getLogger("signalbox.replicator")


def main() -> int:
    """Serve until told to end; returns the exit status."""
    lay_down_all()
    log_to_stderr()
    try:
        launch = ReplicatorLaunch.from_stdin(sys.stdin.buffer)
        log_to_file(log_path(Path(launch.state_dir)))
        replicator = _prepared(launch)
    except (LaunchError, ConfigError, ClusterFileUnusable, OSError, ValueError) as fault:
        log.critical("the replicator cannot start: %s", fault)
        return 2
    signals, wake_up = socket.socketpair()
    signals.setblocking(False)
    wake_up.setblocking(False)
    signal.set_wakeup_fd(wake_up.fileno())
    ending: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: ending.append(number))
    replicator.watch(signals.fileno())
    try:
        replicator.run(lambda: bool(ending))
    except TableUnsound as fault:
        log.critical("the registration table is unsound: %s", fault)
        return 1
    finally:
        replicator.close()
    return 0


def _prepared(launch: ReplicatorLaunch) -> Replicator:
    state_dir = Path(launch.state_dir)
    settings = parse_configuration(launch.config_text)
    log_by(settings)
    known = _known(state_dir)
    tables = TableFolder(Path(launch.table_dir))
    table = SharedTable.attach(tables.directory(tables.current()), settings.limits.bindings_max)
    wall_time = clock.lifetime_clock(launch.lifetime_offset_s)
    page = ReplicationPage(launch.page_fd, launch.event_fd)
    bus = Bus(state_dir / "run", process_id(launch.node, REPLICATOR))
    links = NodeLinks(known.membership, known.me, known.secret_key)
    registrations = RegistrationReplication(known.me, table, links, page, wall_time, IdleShare())
    supervisor = process_id(launch.node, SUPERVISOR)
    registrations.members_changed(clock.monotonic())
    workers = settings.workers or len(os.sched_getaffinity(0))
    management = process_id(launch.node, MANAGEMENT)
    bus.connect([management, *(process_id(launch.node, number) for number in range(workers))])
    return Replicator(
        state_dir,
        known.membership,
        tables,
        table,
        links,
        page,
        bus,
        supervisor,
        registrations,
        wall_time,
        settings,
        FlowReplication(known.me, workers, links, bus.send),
        CountReplication(links, lambda message: bus.send(supervisor, [message])),
        QuestionReplication(links, lambda message: bus.send(management, [message])),
        [*_calls_of(launch, known, links, settings, page)],
    )


def _calls_of(
    launch: ReplicatorLaunch, known: ClusterFile, links: NodeLinks, settings: Settings, page: ReplicationPage
) -> Iterator[CallReplication]:
    if launch.call_log_fd == NO_DESCRIPTOR:
        return
    log_reader = CallLogReader(launch.call_log_fd, launch.call_log_len)
    seed = seed_of(known.key, bytes.fromhex(launch.boot_hex))
    memory = CopiedCallsWriter(launch.copied_calls_fd, launch.copied_calls_len, seed)
    yield CallReplication(known.me, links, log_reader, memory, preferences(settings, known.membership), page)


def _known(state_dir: Path) -> ClusterFile:
    known = read_cluster(state_dir)
    if known is None:
        raise ClusterFileUnusable(f"There is no cluster file in {state_dir}.")
    return known


if __name__ == "__main__":
    sys.exit(main())
