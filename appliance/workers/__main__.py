"""A worker process: `python -m appliance.workers`, with its launch document on standard input.

Exit status: 0 told to end, 1 a fault of its own, 2 it could not start.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from appliance import clock
from appliance.catalogue.errors import ConfigError
from appliance.catalogue.listener_ids import placed_by_names, with_places
from appliance.catalogue.settings import Settings
from appliance.configuration.text import parse_configuration
from appliance.descriptors import descriptors_for_connections
from appliance.ipc.bus import Bus, BusUnavailable
from appliance.ipc.launch import NO_DESCRIPTOR, WorkerLaunch
from appliance.ipc.launch_document import LaunchError
from appliance.messages.node_start import NodeStart
from appliance.privileges import lay_down_all
from appliance.sip.parser import syntax_limits
from appliance.stack import Stack
from appliance.storage.call_log import CallLogWriter
from appliance.storage.copied_calls import CopiedCallsReader
from appliance.storage.flight_recorder import Recorder
from appliance.storage.log_file import log_by, log_path, log_to_file, log_to_stderr
from appliance.storage.nonce_memory import shared_memory
from appliance.storage.registrations import SharedTable
from appliance.storage.replication_page import ReplicationPage
from appliance.storage.route_store import RouteFollower, RouteStore
from appliance.transport.process_id import REPLICATOR, process_id, supervisor_of
from appliance.transport.transport_table import is_stream
from appliance.workers.accepting_sockets import Endpoint
from appliance.workers.datagram_sockets import DatagramSockets
from appliance.workers.datagrams import DatagramSocket
from appliance.workers.gc_schedule import leave_it_to_us
from appliance.workers.held_outgoings import HeldOutgoings
from appliance.workers.lookup_doors import LateStore, Resolver, Store
from appliance.workers.reconfiguration import FLOWS_CACHED_MAX
from appliance.workers.resolver_thread import ResolverThread
from appliance.workers.worker import Worker

# A message does not wait until the supervisor, or a sibling that is just starting, lets the processor go.
NICENESS: Final = -5

log = logging.getLogger("signalbox.worker")


def main() -> int:
    """Serve until told to end; returns the exit status."""
    log_to_stderr(SIGNALBOX_WORKER="".join(sys.argv[1:]))
    try:
        launch = WorkerLaunch.from_stdin(sys.stdin.buffer)
        log_to_file(log_path(Path(launch.state_dir)))
        settings = placed_settings(launch)
        log_by(settings)
        # The library would write a line for each connection of a stranger.
        logging.getLogger("websockets").setLevel(logging.CRITICAL)
        recorder = Recorder(launch.recording_fd, launch.bank_len, launch.number, launch.bank)
        table = SharedTable.attach(Path(launch.table_dir), settings.limits.bindings_max)
        if launch.page_fd != NO_DESCRIPTOR:
            table.replication = ReplicationPage(launch.page_fd, launch.event_fd)
        bus = Bus(Path(launch.state_dir) / "run", launch.process)
    except (LaunchError, ConfigError, BusUnavailable, OSError, ValueError) as fault:
        log.critical("the worker cannot start: %s", fault)
        return 2
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(serve(launch, settings, table, bus, recorder))


def new_event_loop() -> asyncio.AbstractEventLoop:
    """The fast loop where it is installed, else Python's own."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


async def serve(
    launch: WorkerLaunch, settings: Settings, table: SharedTable, bus: Bus, recorder: Recorder
) -> int:
    """Put the parts together and run them; returns the exit status."""
    workers = settings.workers or len(os.sched_getaffinity(0))
    siblings = [process_id(launch.node, number) for number in range(workers) if number != launch.number]
    # In a cluster the replicator has to know the connections of this worker before a phone registers by one.
    replicators = [process_id(launch.node, REPLICATOR)] if table.replication is not None else []
    bus.connect([supervisor_of(launch.process), *replicators, *siblings])
    lifetime_clock = clock.lifetime_clock(launch.lifetime_offset_s)
    start = node_start(launch)
    stack = Stack(settings, launch.process, launch.key, table, clock.monotonic(), lifetime_clock(), start)
    stack.use_sealing_keys(launch.sealing)
    if table.replication is not None:
        stack.node_flows.connections.use_links(table.replication.is_linked)
    folder = Path(launch.state_dir)
    worker = Worker(
        launch.process,
        settings,
        syntax_limits(settings.syntax),
        stack,
        bus,
        datagram_doors(launch),
        ResolverThread(new_resolver, settings.limits.lookup_timeout_ms / 1000),
        LateStore(lambda: open_store(settings.subscribers_url, folder)),
        table,
        recorder,
        socket.socket(fileno=launch.door_fd) if launch.door_fd != NO_DESCRIPTOR else None,
        descriptors_for_connections(workers, settings.limits.lookups_max),
        lifetime_clock,
        RouteFollower(RouteStore(folder)),
        call_log_of(launch),
        copied_calls_of(launch),
        held_outgoings_of(launch, settings, table, stack),
    )
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.stop)
    if any(listener.authenticate for listener in settings.listeners):
        # Loaded now, or the first phones would wait for that, and calls with them.
        import appliance.storage.subscriber_database  # noqa: F401
    leave_it_to_us()
    come_first()
    return await worker.run(stream_sockets(launch))


def new_resolver(timeout_s: float) -> Resolver:
    """Who asks DNS. Only here: a worker that has no names to ask for starts without all that this takes."""
    from appliance.resolver import HostResolver

    return HostResolver(timeout_s)


def open_store(url: str, folder: Path) -> Store:
    """The subscribers. Only here: a worker that asks for no passwords starts without all that this takes."""
    from appliance.storage.subscriber_database import SubscriberStore, database_url

    return SubscriberStore(database_url(url, folder))


def come_first() -> None:
    """Before other processes of the machine, where that is allowed (CAP_SYS_NICE); the start is over."""
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
    lay_down_all()


def placed_settings(launch: WorkerLaunch) -> Settings:
    """The settings with the listeners at the places they have in this node. Raises ConfigError."""
    settings = parse_configuration(launch.config_text)
    if not launch.places:
        return settings
    return with_places(settings, placed_by_names(settings.listeners, launch.places))


def node_start(launch: WorkerLaunch) -> NodeStart:
    """What the siblings have, too."""
    memory = None if launch.nonces_fd == NO_DESCRIPTOR else shared_memory(launch.nonces_fd)
    return NodeStart(launch.boot, memory, launch.addresses)


def call_log_of(launch: WorkerLaunch) -> CallLogWriter | None:
    """Where copies of calls go, in a cluster. Raises OSError."""
    if launch.call_log_fd == NO_DESCRIPTOR:
        return None
    return CallLogWriter(launch.call_log_fd, launch.call_log_len, launch.number)


def copied_calls_of(launch: WorkerLaunch) -> CopiedCallsReader | None:
    """Where calls of other nodes are taken from, in a cluster."""
    if launch.copied_calls_fd == NO_DESCRIPTOR:
        return None
    return CopiedCallsReader(launch.copied_calls_fd, launch.copied_calls_len)


def held_outgoings_of(
    launch: WorkerLaunch, settings: Settings, table: SharedTable, stack: Stack
) -> HeldOutgoings | None:
    """What waits until another node has the calls, in a cluster."""
    if table.replication is None:
        return None
    held = HeldOutgoings(launch.number, table.replication, stack.counters)
    held.go_by(settings)
    return held


def datagram_doors(launch: WorkerLaunch) -> DatagramSockets:
    """The inherited sockets that take datagrams."""
    return DatagramSockets(
        {
            listener: DatagramSocket(fd, listener, FLOWS_CACHED_MAX)
            for listener, transport, fd in launch.sockets
            if not is_stream(transport)
        }
    )


def stream_sockets(launch: WorkerLaunch) -> dict[Endpoint, socket.socket]:
    """The inherited sockets that accept connections, by listener and transport."""
    return {
        (listener, transport): socket.socket(fileno=fd)
        for listener, transport, fd in launch.sockets
        if is_stream(transport)
    }


if __name__ == "__main__":
    sys.exit(main())
