"""The lookup server: `python -m appliance.lookup_server`, with its launch document on standard input.

Exit status: 0 after a request to end, 2 it could not start.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from pathlib import Path

from appliance.catalogue.counters import LOG_LINES_LOST
from appliance.catalogue.errors import ConfigError
from appliance.catalogue.settings import Settings
from appliance.configuration.text import parse_configuration
from appliance.ipc.bus import Bus, BusUnavailable
from appliance.ipc.launch import LaunchError, LookupServerLaunch
from appliance.lookup_server.route_sources import RouteSources
from appliance.messages.route_table_messages import LookupServerReport, LookupServerSettings, ReadTable
from appliance.privileges import lay_down_all
from appliance.storage.log_file import lines_lost, log_by, log_path, log_to_file, log_to_stderr
from appliance.transport.process_id import LOOKUP_SERVER, SUPERVISOR, process_id

log = logging.getLogger("signalbox.lookups")


def main() -> int:
    """Serve until a request to end; returns the exit status."""
    lay_down_all()
    log_to_stderr()
    try:
        launch = LookupServerLaunch.from_stdin(sys.stdin.buffer)
        state_dir = Path(launch.state_dir)
        log_to_file(log_path(state_dir))
        settings = parse_configuration(launch.config_text)
        log_by(settings)
        bus = Bus(state_dir / "run", process_id(launch.node, LOOKUP_SERVER))
    except (LaunchError, ConfigError, BusUnavailable) as fault:
        log.critical("the lookup server cannot start: %s", fault)
        return 2
    try:
        return asyncio.run(Serving(launch, settings, bus).serve())
    finally:
        bus.close()


class Serving:
    """The process between its start and its end."""

    def __init__(self, launch: LookupServerLaunch, settings: Settings, bus: Bus) -> None:
        self._settings = settings
        self._bus = bus
        self._supervisor = process_id(launch.node, SUPERVISOR)
        self._sources = RouteSources(launch.state_dir, launch.config_text)

    async def serve(self) -> int:
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
        return 0

    def _receive(self) -> None:
        for _, message in self._bus.receive():
            if isinstance(message, LookupServerSettings):
                self._go_by(message.config_text)
            elif isinstance(message, ReadTable):
                self._sources.read_now(message.table)

    def _go_by(self, text: str) -> None:
        try:
            self._settings = parse_configuration(text)
            self._sources.use(text)
        except ConfigError as fault:
            log.error("the configuration in force cannot be read: %s", fault)
            return
        log_by(self._settings)

    def _report(self) -> None:
        self._sources.counters[LOG_LINES_LOST] = lines_lost()
        self._bus.send(self._supervisor, [LookupServerReport(list(self._sources.counters), self._sources.rows())])


if __name__ == "__main__":
    sys.exit(main())
