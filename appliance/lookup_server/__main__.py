"""The lookup server: `python -m appliance.lookup_server`, with its launch document on standard input.

Exit status: 0 after a request to end, 2 it could not start.
"""

from __future__ import annotations

import asyncio
import signal
import sys

from appliance.catalogue.counters import LOG_LINES_LOST
from appliance.catalogue.settings import Settings
from appliance.ipc.bus import Bus
from appliance.ipc.launch import LookupServerLaunch
from appliance.lookup_server.route_sources import RouteSources
from appliance.messages.route_table_messages import LookupServerReport, LookupServerSettings, ReadTable
from appliance.process_start import ENDED, run_process, settings_in_force
from appliance.storage.log_file import lines_lost
from appliance.transport.process_id import LOOKUP_SERVER, SUPERVISOR, process_id


def main() -> int:
    """Serve until a request to end; returns the exit status."""
    return run_process("the lookup server", LOOKUP_SERVER, LookupServerLaunch, serve)


async def serve(launch: LookupServerLaunch, settings: Settings, bus: Bus) -> int:
    """Work and report until a request to end; returns the exit status."""
    return await Serving(launch, settings, bus).run()


class Serving:
    """The process between its start and its end."""

    def __init__(self, launch: LookupServerLaunch, settings: Settings, bus: Bus) -> None:
        self._settings = settings
        self._bus = bus
        self._supervisor = process_id(launch.node, SUPERVISOR)
        self._sources = RouteSources(launch.state_dir, launch.config_text)

    async def run(self) -> int:
        """Work and report until told to end; returns the exit status."""
        ended = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
        tasks = [asyncio.ensure_future(task) for task in (ended.wait(), self._sources.run())]
        while not any(task.done() for task in tasks):
            self._receive()
            self._report()
            interval_s = self._settings.supervision.heartbeat_ms / 1000
            await asyncio.wait(tasks, timeout=interval_s, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome
        return ENDED

    def _receive(self) -> None:
        for _, message in self._bus.receive():
            if isinstance(message, LookupServerSettings):
                self._go_by(message.config_text)
            elif isinstance(message, ReadTable):
                self._sources.read_now(message.table)

    def _go_by(self, text: str) -> None:
        settings = settings_in_force(text)
        if settings is not None:
            self._settings = settings
            self._sources.use(text)

    def _report(self) -> None:
        self._sources.counters[LOG_LINES_LOST] = lines_lost()
        self._bus.send(self._supervisor, [LookupServerReport(list(self._sources.counters), self._sources.rows())])


if __name__ == "__main__":
    sys.exit(main())
