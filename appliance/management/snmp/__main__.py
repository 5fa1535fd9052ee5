"""The process of the SNMP agent: `python -m appliance.management.snmp`, with its launch document on standard input.

Exit status: 0 after a request to end, 2 it could not start.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from importlib import metadata
from pathlib import Path
from typing import Final

from appliance import clock
from appliance.catalogue.errors import ConfigError
from appliance.configuration.text import parse_configuration
from appliance.ipc.bus import Bus, BusUnavailable
from appliance.ipc.launch import LaunchError, SnmpLaunch
from appliance.management.snmp.agent import Agent
from appliance.management.snmp.engine_state import started_engine
from appliance.management.snmp.served_registrations import ServedRegistrations
from appliance.messages.snmp_messages import AlarmsChanged, NotifyTest, SnmpConfiguration
from appliance.privileges import lay_down_all
from appliance.storage.log_file import log_by, log_path, log_to_file, log_to_stderr
from appliance.transport.process_id import SNMP_AGENT, SUPERVISOR, ProcessId, process_id

# How often operators' figures of the agent are renewed, and the bus is looked at without a sign.
REPORT_INTERVAL_S: Final = 2.0
# Until the supervisor has taken the first report: before, it tells the agent nothing.
FIRST_INTERVAL_S: Final = 0.05

log = logging.getLogger("signalbox.snmp")


def main() -> int:
    """Serve until a request to end; returns the exit status."""
    lay_down_all()
    log_to_stderr()
    try:
        launch = SnmpLaunch.from_stdin(sys.stdin.buffer)
        state_dir = Path(launch.state_dir)
        log_to_file(log_path(state_dir))
        log_by(parse_configuration(launch.config_text))
        bus = Bus(state_dir / "run", process_id(launch.node, SNMP_AGENT))
    except (LaunchError, ConfigError, BusUnavailable) as fault:
        log.critical("the SNMP agent cannot start: %s", fault)
        return 2
    try:
        return asyncio.run(serve(launch, bus))
    except OSError as fault:
        log.critical("the SNMP agent cannot go on: %s", fault)
        return 2
    finally:
        bus.close()


async def serve(launch: SnmpLaunch, bus: Bus) -> int:
    """Answer and notify until a request to end."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    state_dir = Path(launch.state_dir)
    folder = state_dir / "snmp"
    folder.mkdir(mode=0o700, exist_ok=True)
    settings = parse_configuration(launch.config_text)
    registrations = ServedRegistrations(launch.table_dir, clock.lifetime_clock(launch.lifetime_offset_s))
    agent = Agent(state_dir, settings, started_engine(folder), _version(), launch.boot_hex, registrations)
    agent.engine.open(launch.sockets, agent.receive)
    agent.notifier.tell_start()
    link = SupervisorLink(agent, bus, process_id(launch.node, SUPERVISOR))
    loop.add_reader(bus.fileno(), link.receive)
    reporting = asyncio.ensure_future(link.report())
    await ended.wait()
    reporting.cancel()
    agent.engine.close()
    return 0


class SupervisorLink:
    """What the supervisor tells the agent, and the agent the supervisor."""

    def __init__(self, agent: Agent, bus: Bus, supervisor: ProcessId) -> None:
        self._agent = agent
        self._bus = bus
        self._supervisor = supervisor
        self._tasks: set[asyncio.Task[None]] = set()

    def receive(self) -> None:
        """Take in what has arrived."""
        arrived = self._bus.receive()
        while self._bus.pending():
            arrived += self._bus.receive()
        for _, message in arrived:
            if isinstance(message, SnmpConfiguration):
                self._go_by(message.config_text)
            elif isinstance(message, NotifyTest):
                self._agent.notifier.tell_test(message.user)
        if any(isinstance(message, AlarmsChanged) for _, message in arrived):
            task = asyncio.get_running_loop().create_task(self._agent.read_alarms())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _go_by(self, text: str) -> None:
        try:
            settings = parse_configuration(text)
        except ConfigError as fault:
            log.error("the configuration in force cannot be read: %s", fault)
            return
        log_by(settings)
        self._agent.go_by(settings)

    async def report(self) -> None:
        """Tell how the agent is, whenever that has changed."""
        told = None
        while True:
            # The descriptor of the bus reports changes only: what arrived before it was polled is read here.
            self.receive()
            report = self._agent.report()
            news = (report.counts, report.targets)
            if news != told and self._bus.send(self._supervisor, [report]):
                told = news
            await asyncio.sleep(FIRST_INTERVAL_S if told is None else REPORT_INTERVAL_S)


def _version() -> str:
    try:
        return metadata.version("signalbox")
    except metadata.PackageNotFoundError:
        return "of a source folder"


if __name__ == "__main__":
    sys.exit(main())
