"""Runs an appliance on a state folder until a signal stops it: the process of the supervisor.

Order of a start: the folder is locked, the key read, the ports opened, the registrations loaded; only
then are there workers. Whatever is in the way is said in one sentence, and nothing is left behind.

SIGINT, SIGTERM and SIGHUP stop the appliance; a second one kills what still runs.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Container, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from appliance import clock
from appliance.catalogue.listener_ids import place, with_places
from appliance.catalogue.node_settings import virtual_ip_addresses
from appliance.catalogue.redaction import loggable
from appliance.catalogue.settings import Settings
from appliance.configuration.text import parse_configuration, retired_warnings
from appliance.descriptors import descriptor_shortage, raise_descriptor_limit
from appliance.ipc.bus import BusUnavailable
from appliance.ipc.launch import (
    NO_DESCRIPTOR,
    LookupServerLaunch,
    ManagementLaunch,
    PersisterLaunch,
    SnmpLaunch,
    WorkerLaunch,
)
from appliance.machine import machine_addresses
from appliance.privileges import missing_rights, sockets_are_open
from appliance.service_manager import ServiceManager
from appliance.storage.cluster_file import ClusterFileUnusable, cluster_path, read_cluster
from appliance.storage.commits import SYSTEM, CommitStore
from appliance.storage.log_file import LogFile, log_by, log_path, log_to_journal
from appliance.storage.node_memory import BOOT_LEN, NodeMemory
from appliance.storage.sealing_key_file import keys_at_start
from appliance.storage.starting import Start
from appliance.storage.table_folder import TableFolder, TableFolderUnusable, folder_path
from appliance.supervisor.cluster_processes import ClusterProcesses
from appliance.supervisor.decisions import WorkerState
from appliance.supervisor.kept_sockets import PREFIX, FormerSockets, SocketKeeping
from appliance.supervisor.listening_sockets import ListenFailed, ListeningSockets
from appliance.supervisor.lookup_process import LookupProcess
from appliance.supervisor.missing_state import missing_database, missing_registrations
from appliance.supervisor.persister_process import PersisterProcess
from appliance.supervisor.processes import CommandLine, worker_count
from appliance.supervisor.snmp_process import SnmpProcess
from appliance.supervisor.start_remarks import Check, StartRemarks
from appliance.supervisor.state_folder import StateFolder, StateFolderUnusable
from appliance.supervisor.stop_signals import received, stop_signals
from appliance.supervisor.supervisor import RUNNING, OnCycle, Report, Supervisor
from appliance.supervisor.supporting_process import SupportingProcess
from appliance.supervisor.supporting_processes import SupportingProcesses
from appliance.supervisor.table_supervision import TableSupervision
from appliance.transport.process_id import SINGLE_NODE

# (sentence, level of the log)
Note = Callable[..., None]

# For how long a start waits for the last workers, once one takes calls.
READY_PATIENCE_S: Final = 30.0
# RFC 3261 17.1.1.2, timer B, and 13.3.1.4: after 64*T1 nothing that was lost meanwhile is repeated.
CALLS_KEPT_S: Final = 32.0


def to_stderr(sentence: str) -> None:
    """One line of log: local time and the sentence."""
    print(f"{clock.local_time_text()} {sentence}", file=sys.stderr, flush=True)


def to_nowhere(sentence: str) -> None:
    """For one that is said elsewhere."""


def run(
    settings: Settings,
    start: Start,
    state_dir: Path,
    *,
    config_name: str = "configuration",
    report: Report | None = None,
    on_ready: Callable[[], None] | None = None,
    command_line: CommandLine = WorkerLaunch.argv,
    has_management: bool = True,
) -> int:
    """Run until stopped. Returns the exit status: 0 after a stop, 1 when the appliance could not start or go on.

    `settings` are those of the text to start with.
    `report` gets each event as a sentence; None: standard error, or the journal where that is it. `on_ready` is
    called once, when all workers take calls, or when some do after a while.
    """
    log_by(settings)
    log = LogFile(log_path(state_dir))
    # What is written to the log goes on to the journal by itself.
    said = report or (to_nowhere if log_to_journal({}) else to_stderr)

    def note(sentence: str, level: int = logging.INFO, event: Mapping[str, Any] | None = None) -> None:
        if log.takes(level):
            sentence = loggable(sentence)
            said(sentence)
            log.write(sentence, level, event)

    raise_descriptor_limit()
    manager = ServiceManager(os.environ)
    for sentence in missing_rights(cluster_path(state_dir).exists()) if manager.is_there else ():
        note(sentence, logging.WARNING)
    with ExitStack() as opened:
        try:
            supervisor = _prepared(
                settings, start, state_dir, config_name, note, command_line, has_management, manager, opened
            )
        except (StateFolderUnusable, ClusterFileUnusable, TableFolderUnusable, BusUnavailable, ListenFailed) as fault:
            sentences = fault.sentences if isinstance(fault, ListenFailed) else [str(fault)]
            for sentence in sentences:
                note(sentence, logging.ERROR)
            manager.tell_status(" ".join(sentences))
            return 1
        return _loop(supervisor, note, on_ready, manager)


def _prepared(
    settings: Settings,
    start: Start,
    state_dir: Path,
    config_name: str,
    note: Note,
    command_line: CommandLine,
    has_management: bool,
    manager: ServiceManager,
    opened: ExitStack,
) -> Supervisor:
    folder = StateFolder(state_dir)
    opened.callback(folder.release)
    noted_anew = folder.take_formats()
    key, set_aside = folder.key()
    store = CommitStore(folder.path / "configuration")
    has_run_before = store.head is not None
    unkept = _taken_in(store, start)
    if start.sentence:
        note(start.sentence)
    cluster = _cluster_of(folder.path, start.text, note)
    text, node = start.text, SINGLE_NODE
    if cluster is not None:
        key, node, text = cluster.known.key, cluster.known.me, cluster.text_of_node(text)
        settings = parse_configuration(text)
        opened.callback(cluster.close)
    sealing, resealed = keys_at_start(folder.path, key, cluster is not None)
    mended = [*filter(None, (noted_anew, set_aside, resealed, start.remark)), *store.remarks]
    remarks = StartRemarks(settings, mended, _checks(folder, has_run_before), clock.monotonic())
    settings = with_places(settings, place((), settings.listeners))
    workers = worker_count(settings)
    for sentence in [*remarks.sentences(), *filter(None, (unkept,)), *retired_warnings(start.text)]:
        note(sentence, logging.WARNING)
    virtual = virtual_ip_addresses(settings)
    sockets, keeping = _open_sockets(settings, virtual, manager, opened)
    sockets_are_open(is_in_cluster=cluster is not None)
    memory = _memory_of(settings, manager, opened)
    launch = WorkerLaunch(
        number=-1,
        node=node,
        sockets=(),
        config_text=text,
        state_dir=str(folder.path),
        key_hex=key.hex(),
        sealing_keys=sealing.to_text(),
        config_name=config_name,
        boot_hex=memory.boot.hex(),
        nonces_fd=memory.nonces.fd,
        addresses=tuple(sorted({*machine_addresses(), *virtual})),
        page_fd=NO_DESCRIPTOR if cluster is None else cluster.memory.page_fd,
        event_fd=NO_DESCRIPTOR if cluster is None else cluster.memory.event_fd,
        **({} if cluster is None else cluster.calls.launch_fields),
    )
    if cluster is not None:
        cluster.note_start(launch.boot_hex)
    supporting = _supporting_of(settings, folder.path, text, node, note, has_management, cluster)
    supervisor = Supervisor(
        settings, launch, workers, sockets, memory.recording, note, command_line, store, supporting, note
    )
    # Another node of a cluster has gone on with them meanwhile.
    if cluster is None:
        supervisor.worker_pool.go_on_from(memory.calls_since(clock.monotonic() - CALLS_KEPT_S))
    supervisor.watching.remarks = remarks
    supervisor.configuring.fault = unkept
    supervisor.on_cycle = _after_cycle(keeping, manager, note)
    opened.callback(supervisor.close)
    return supervisor


def _open_sockets(
    settings: Settings, virtual: Container[str], manager: ServiceManager, opened: ExitStack
) -> tuple[ListeningSockets, SocketKeeping]:
    """The listening sockets; those of the start before this one, where the service manager has kept them."""
    former = FormerSockets(manager.take(PREFIX))
    opened.callback(former.close)
    buffer_len = settings.limits.receive_buffer_kib * 1024
    sockets = ListeningSockets(settings.listeners, worker_count(settings), buffer_len, virtual, former)
    opened.callback(sockets.close)
    former.close()
    return sockets, SocketKeeping(manager, sockets, former)


def _after_cycle(keeping: SocketKeeping, manager: ServiceManager, note: Note) -> OnCycle:
    def done(sentence: str, now: float) -> None:
        keeping.tend()
        if remark := manager.cycle_done(sentence, now):
            note(remark, logging.WARNING)

    return done


def _memory_of(settings: Settings, manager: ServiceManager, opened: ExitStack) -> NodeMemory:
    """That of the start before this one, where the service manager has kept it."""
    memory = NodeMemory(settings.limits.recording_mib, settings.limits.nonces_max, manager.kept)
    opened.callback(memory.close)
    manager.keep(memory.descriptors)
    return memory


def _cluster_of(state_dir: Path, text: str, note: Note) -> ClusterProcesses | None:
    """The processes of a node in a cluster; None for any other node. Raises ClusterFileUnusable."""
    known = read_cluster(state_dir)
    if known is None:
        return None
    if known.member.is_witness:
        raise ClusterFileUnusable(f"This machine is a witness of cluster {known.name}: type `signalbox witness run`.")
    return ClusterProcesses(known, text, state_dir, note)


def _supporting_of(
    settings: Settings,
    state_dir: Path,
    text: str,
    node: int,
    note: Note,
    has_management: bool,
    cluster: ClusterProcesses | None,
) -> SupportingProcesses:
    """The processes without SIP. `has_management`: have operators a way in? Raises TableFolderUnusable."""
    table = _table_of(state_dir, text, node, note, cluster is not None)
    lookups = LookupProcess(settings, LookupServerLaunch(str(state_dir), text, node), note)
    if not has_management:
        return SupportingProcesses(None, table, None, lookups, cluster)
    management = SupportingProcess("The management process", ManagementLaunch(str(state_dir), text, node), note)
    return SupportingProcesses(management, table, _agent_of(settings, state_dir, text, node, note), lookups, cluster)


def _agent_of(settings: Settings, state_dir: Path, text: str, node: int, note: Note) -> SnmpProcess:
    """The process that answers SNMP. Alarms have new numbers with each start, whatever else goes on."""
    boot_hex = os.urandom(BOOT_LEN).hex()
    launch = SnmpLaunch(str(state_dir), text, boot_hex=boot_hex, table_dir=str(folder_path(state_dir)), node=node)
    return SnmpProcess(settings, launch, note)


def _table_of(state_dir: Path, text: str, node: int, note: Note, is_in_cluster: bool) -> TableSupervision:
    """The registration table of the node. Raises TableFolderUnusable."""
    folder = TableFolder.prepared(folder_path(state_dir))
    launch = PersisterLaunch(str(state_dir), str(folder.path), text, node, is_in_cluster=is_in_cluster)
    return TableSupervision(folder, PersisterProcess(launch, note), note)


def _checks(folder: StateFolder, has_run_before: bool) -> list[Check]:
    """What may be wrong at a start, and be put right while the appliance runs."""
    checks: list[Check] = [_descriptor_shortage]
    if has_run_before:
        checks.append(lambda settings: missing_registrations(folder.registrations_dir))
        checks.append(lambda settings: missing_database(settings, folder.path))
    return checks


def _descriptor_shortage(settings: Settings) -> str:
    limits = settings.limits
    return descriptor_shortage(limits.connections_max, worker_count(settings), limits.lookups_max)


def _taken_in(store: CommitStore, start: Start) -> str:
    """Make the configuration to start with the head, where it is not; a sentence when it cannot be kept."""
    if not start.comment:
        return ""
    try:
        store.add(start.text, SYSTEM, start.comment, clock.wall_time(), source=start.source)
        if start.file_text:
            store.keep_file(start.file_text)
    except OSError as fault:
        return str(fault)
    return ""


def _loop(supervisor: Supervisor, report: Report, on_ready: Callable[[], None] | None, manager: ServiceManager) -> int:
    with stop_signals() as signals:
        supervisor.watch(signals.fileno())
        is_ready = False
        # A worker that does not start shall not make systemd give up the others.
        ready_by = clock.monotonic() + READY_PATIENCE_S
        while supervisor.step() == RUNNING:
            are_live = [record.life == WorkerState.LIVE for record in supervisor.records]
            if not is_ready and (all(are_live) or (any(are_live) and clock.monotonic() > ready_by)):
                is_ready = True
                manager.ready()
                if on_ready is not None:
                    on_ready()
            for number in received(signals):
                report(f"{signal.Signals(number).name} received: the appliance stops.")
                manager.stopping()
                supervisor.stop()
    if manager.waiting or manager.given_up:
        report("systemd has not taken all that it was told: calls and sockets may not outlive a restart.")
    return supervisor.status
