"""The process of the SNMP agent: `python -m appliance.management.snmp`, with its launch document on standard input.

Exit status: 0 after a request to end, 2 it could not start.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from importlib import metadata
from pathlib import Path
from typing import Final

from appliance import clock
from appliance.catalogue.settings import Settings
from appliance.ipc.bus import Bus
from appliance.ipc.launch import SnmpLaunch
from appliance.management.snmp.agent import Agent
from appliance.management.snmp.engine_state import started_engine
from appliance.management.snmp.served_registrations import ServedRegistrations
from appliance.messages.snmp_messages import AlarmsChanged, NotifyTest, SnmpConfiguration
from appliance.process_start import ENDED, CannotStart, run_process, settings_in_force
from appliance.transport.process_id import SNMP_AGENT, SUPERVISOR, ProcessId, process_id

# How often operators' figures of the agent are renewed, and the bus is looked at without a sign.
REPORT_INTERVAL_S: Final = 2.0
# Until the supervisor has taken the first report: before, it tells the agent nothing.
FIRST_INTERVAL_S: Final = 0.05


def main() -> int:
    """Serve until a request to end; returns the exit status."""
    return run_process("the SNMP agent", SNMP_AGENT, SnmpLaunch, serve)


async def serve(launch: SnmpLaunch, settings: Settings, bus: Bus) -> int:
    """Answer and notify until a request to end. Raises CannotStart."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    try:
        agent = _opened(launch, settings)
    except OSError as fault:
        raise CannotStart(str(fault)) from fault
    link = SupervisorLink(agent, bus, process_id(launch.node, SUPERVISOR))
    loop.add_reader(bus.fileno(), link.receive)
    reporting = asyncio.ensure_future(link.report())
    await ended.wait()
    reporting.cancel()
    agent.engine.close()
    return ENDED


def _opened(launch: SnmpLaunch, settings: Settings) -> Agent:
    state_dir = Path(launch.state_dir)
    folder = state_dir / "snmp"
    folder.mkdir(mode=0o700, exist_ok=True)
    registrations = ServedRegistrations(launch.table_dir, clock.lifetime_clock(launch.lifetime_offset_s))
    agent = Agent(state_dir, settings, started_engine(folder), _version(), launch.boot_hex, registrations)
    agent.engine.open(launch.sockets, agent.receive)
    agent.notifier.tell_start()
    return agent


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
                settings = settings_in_force(message.config_text)
                if settings is not None:
                    self._agent.go_by(settings)
            elif isinstance(message, NotifyTest):
                self._agent.notifier.tell_test(message.user)
        if any(isinstance(message, AlarmsChanged) for _, message in arrived):
            task = asyncio.get_running_loop().create_task(self._agent.read_alarms())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

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
