"""The persister process: `python -m appliance.persister`, with its launch document on standard input.

Its work is done by a thread, which waits for the disk; the main thread shows that the process lives.
Exit status: 0 told to end, all is on the disk; 1 a fault of its own, or something is not on the disk; 2 it could not
start.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import threading
from pathlib import Path
from typing import Final

from appliance import clock
from appliance.catalogue.counters import LOG_LINES_LOST, PERSISTER_PASSES_LATE
from appliance.catalogue.settings import Settings
from appliance.ipc.bus import Bus
from appliance.ipc.launch import PersisterLaunch
from appliance.messages.bus_messages import Heartbeat
from appliance.messages.table_messages import PersisterSettings, TableUnsound
from appliance.persister.persister import Persister
from appliance.process_start import ENDED, FAULT, run_process, settings_in_force
from appliance.storage.log_file import lines_lost
from appliance.storage.shared_store import StoreUnusable
from appliance.storage.table_folder import TableFolder
from appliance.transport.process_id import PERSISTER, SUPERVISOR, ProcessId, process_id

FLUSH_MAX_S: Final = 15.0

log = logging.getLogger("signalbox.persister")


def main() -> int:
    """Serve until told to end; returns the exit status."""
    return run_process("the persister", PERSISTER, PersisterLaunch, serve)


async def serve(launch: PersisterLaunch, settings: Settings, bus: Bus) -> int:
    """Carry the table to the disk until told to end; returns the exit status."""
    tables = TableFolder(Path(launch.table_dir))
    wall_time = clock.lifetime_clock(launch.lifetime_offset_s)
    folder = Path(launch.state_dir) / "registrations"
    persister = Persister(folder, tables, settings.limits.bindings_max, wall_time)
    supervisor = process_id(launch.node, SUPERVISOR)
    return await Serving(persister, settings, bus, supervisor, launch.is_in_cluster).run()


class Serving:
    """The process between its start and its end."""

    def __init__(
        self, persister: Persister, settings: Settings, bus: Bus, supervisor: ProcessId, is_in_cluster: bool
    ) -> None:
        self._persister = persister
        self._is_in_cluster = is_in_cluster
        self._settings = settings
        self._bus = bus
        self._supervisor = supervisor
        self._ending = threading.Event()
        self._is_loaded = False
        self._turn = 0
        self._go_by(settings)

    async def run(self) -> int:
        """Work and send heartbeats until told to end; returns the exit status."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._ending.set)
        work = loop.run_in_executor(None, self._work)
        while not work.done():
            self._receive()
            self._send_heartbeat()
            await asyncio.wait([work], timeout=self._settings.supervision.heartbeat_ms / 1000)
        try:
            return work.result()
        except StoreUnusable as fault:
            log.critical("the registration table cannot be loaded: %s", fault)
            return FAULT

    def _work(self) -> int:
        """What the thread does."""
        persister = self._persister
        persister.load()
        self._is_loaded = True
        while not self._ending.is_set():
            began = clock.monotonic()
            persister.work()
            interval_s = self._settings.persist.interval_ms / 1000
            left_s = began + interval_s - clock.monotonic()
            if left_s < 0:
                persister.counters[PERSISTER_PASSES_LATE] += 1
            self._ending.wait(max(left_s, 0.0))
        is_done = persister.flush(clock.monotonic() + FLUSH_MAX_S)
        persister.close()
        return ENDED if is_done else FAULT

    def _receive(self) -> None:
        for _, message in self._bus.receive():
            if isinstance(message, TableUnsound):
                self._persister.rebuild(message.directory, message.fault)
            elif isinstance(message, PersisterSettings):
                self._go_by(settings_in_force(message.config_text) or self._settings)

    def _go_by(self, settings: Settings) -> None:
        self._settings = settings
        self._persister.limit = settings.limits.bindings_max
        self._persister.changes_kept = settings.cluster.changes_kept if self._is_in_cluster else 0

    def _send_heartbeat(self) -> None:
        self._turn += 1
        persister = self._persister
        # Without the generation of a table, the supervisor does not start workers.
        gauges = persister.gauges() if self._is_loaded else {}
        persister.counters[LOG_LINES_LOST] = lines_lost()
        heartbeat = Heartbeat(PERSISTER, list(persister.counters), gauges, self._turn, persister.alarms())
        self._bus.send(self._supervisor, [heartbeat])


if __name__ == "__main__":
    sys.exit(main())
