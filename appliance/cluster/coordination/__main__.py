"""The cluster process: `python -m appliance.cluster.coordination`, with its launch document on standard input.

Its work is done by a thread, which waits for etcd; the main thread shows that the process lives.
Exit status: 0 told to end, or this node is no member any more; 1 a fault of its own; 2 it could not start.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Final

from appliance import clock
from appliance.catalogue.settings import Settings
from appliance.cluster.coordination.coordinator import Coordinator
from appliance.cluster.coordination.key_store import StoreRefused
from appliance.cluster.coordination.store import EtcdStore
from appliance.ipc.bus import Bus
from appliance.ipc.launch import ClusterLaunch
from appliance.messages.bus_messages import BusMessage
from appliance.messages.cluster_commits import CommitState
from appliance.messages.cluster_messages import (
    ClusterConfiguration,
    TakeOver,
    TakeOverKey,
    TakeOversRecorded,
    VersionInForce,
)
from appliance.messages.sealing_messages import RotationAsked, SealingState
from appliance.process_start import ENDED, FAULT, CannotStart, run_process, settings_in_force
from appliance.storage.cluster_file import ClusterFileUnusable, read_cluster
from appliance.transport.process_id import CLUSTER, SUPERVISOR, ProcessId, process_id
from appliance.version import version_text

# How long one turn waits for changes in etcd, and so how late a take-over is taken up.
WAIT_S: Final = 0.5
REPORT_INTERVAL_S: Final = 1.0
# A turn is bounded by deadlines; one that takes so long is stuck.
TURN_MAX_S: Final = 60.0

log = logging.getLogger("signalbox.cluster")


def main() -> int:
    """Serve until told to end; returns the exit status."""
    return run_process("the cluster process", CLUSTER, ClusterLaunch, serve)


async def serve(launch: ClusterLaunch, settings: Settings, bus: Bus) -> int:
    """Work and report until told to end; returns the exit status. Raises CannotStart."""
    state_dir = Path(launch.state_dir)
    try:
        known = read_cluster(state_dir)
        if known is None:
            raise CannotStart("this node is in no cluster")
        store = EtcdStore(known.etcd)
    except (ClusterFileUnusable, StoreRefused) as fault:
        raise CannotStart(str(fault)) from fault
    coordinator = Coordinator(store, known, state_dir, version_text())
    return await Serving(coordinator, settings, bus, process_id(launch.node, SUPERVISOR)).run()


class Serving:
    """The process between its start and its end."""

    def __init__(self, coordinator: Coordinator, settings: Settings, bus: Bus, supervisor: ProcessId) -> None:
        self._coordinator = coordinator
        self._settings = settings
        self._bus = bus
        self._supervisor = supervisor
        self._ending = threading.Event()
        self._turned_at = clock.monotonic()
        self._report_at = 0.0
        self._recorded: list[TakeOverKey] = []
        self._history_told = coordinator.history
        self._news_told = 0, True, -1

    async def run(self) -> int:
        """Work and report until told to end; returns the exit status."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._ending.set)
        work = loop.run_in_executor(None, self._work)
        while not work.done():
            self._receive()
            self._tell()
            if clock.monotonic() - self._turned_at > TURN_MAX_S:
                log.critical("the cluster process waits for etcd for more than %d s; it ends", TURN_MAX_S)
                # The thread cannot be ended otherwise.
                os._exit(FAULT)
            await asyncio.wait([work], timeout=self._settings.supervision.heartbeat_ms / 1000)
        work.result()
        self._tell()
        return ENDED

    def _work(self) -> None:
        """What the thread does."""
        coordinator = self._coordinator
        while not self._ending.is_set() and coordinator.is_member:
            pause_s = coordinator.work(WAIT_S)
            self._turned_at = clock.monotonic()
            self._ending.wait(pause_s)
        coordinator.close()

    def _receive(self) -> None:
        for _, message in self._bus.receive():
            if isinstance(message, TakeOver):
                self._coordinator.note(message)
            elif isinstance(message, CommitState):
                self._coordinator.commits.heard(message)
            elif isinstance(message, VersionInForce):
                self._coordinator.version_in_force = message.members_version
            elif isinstance(message, SealingState):
                self._coordinator.sealing.heard(message)
            elif isinstance(message, RotationAsked):
                self._coordinator.sealing.ask(message)
            elif isinstance(message, ClusterConfiguration):
                self._settings = settings_in_force(message.config_text) or self._settings

    def _tell(self) -> None:
        """What etcd has got; the history, members and keys when they have changed, and a report every second."""
        coordinator, now = self._coordinator, clock.monotonic()
        self._recorded += coordinator.recorded()
        if self._recorded and self._send(TakeOversRecorded(self._recorded)):
            self._recorded = []
        for order in coordinator.commits.orders():
            # One that the bus has no room for is repeated.
            self._send(order)
        for ended in coordinator.sealing.ended():
            self._send(ended)
        history, report = coordinator.history, coordinator.report
        if history is not self._history_told and self._send(history):
            self._history_told = history
        news = report.status.membership, report.is_member, report.sealing_step
        is_news = news != self._news_told
        if (is_news or now >= self._report_at) and self._send(report):
            self._report_at = now + REPORT_INTERVAL_S
            self._news_told = news

    def _send(self, message: BusMessage) -> bool:
        return self._bus.send(self._supervisor, [message])


if __name__ == "__main__":
    sys.exit(main())
