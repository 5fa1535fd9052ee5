"""The process that serves operators: `python -m appliance.management`, with its launch document on standard input.

Exit status: 0 after a request to end, 2 it could not start.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from pathlib import Path

from appliance.catalogue.errors import ConfigError
from appliance.configuration.text import parse_configuration
from appliance.ipc.bus import Bus, BusUnavailable
from appliance.ipc.launch import LaunchError, ManagementLaunch
from appliance.management.appliance_client import CALM_INTERVAL_S, SAMPLE_INTERVAL_S, ApplianceClient
from appliance.management.control_socket import ControlSocket
from appliance.management.worker_link import WorkerLink
from appliance.privileges import lay_down_all
from appliance.storage.log_file import log_by, log_path, log_to_file, log_to_stderr
from appliance.transport.process_id import MANAGEMENT, process_id

log = logging.getLogger("signalbox.management")


def main() -> int:
    """Serve until a request to end; returns the exit status."""
    lay_down_all()
    log_to_stderr()
    try:
        launch = ManagementLaunch.from_stdin(sys.stdin.buffer)
        state_dir = Path(launch.state_dir)
        log_to_file(log_path(state_dir))
        settings = parse_configuration(launch.config_text)
        log_by(settings)
        bus = Bus(state_dir / "run", process_id(launch.node, MANAGEMENT))
    except (LaunchError, ConfigError, BusUnavailable) as fault:
        log.critical("the management process cannot start: %s", fault)
        return 2
    try:
        return asyncio.run(serve(ApplianceClient(state_dir, settings, WorkerLink(bus, launch.node)), bus))
    except OSError as fault:
        log.critical("the control socket cannot be opened: %s", fault)
        return 2
    finally:
        bus.close()


async def serve(client: ApplianceClient, bus: Bus) -> int:
    """Open the control socket, and keep the samples going."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    loop.add_reader(bus.fileno(), client.workers.receive)
    control = ControlSocket(client.state_dir / "run" / "control.sock", client)
    await control.open()
    sampling = asyncio.ensure_future(sample(client, control))
    await ended.wait()
    sampling.cancel()
    await control.close()
    return 0


async def sample(client: ApplianceClient, control: ControlSocket) -> None:
    """Sample the state of the appliance; less often while no client is connected."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        await client.sample()
        client.sessions.tend(loop.time(), client.settings)
        # The descriptor of the bus reports changes only: what arrived before it was polled is read here.
        client.workers.receive()
        due = max(due + (SAMPLE_INTERVAL_S if control.is_serving else CALM_INTERVAL_S), loop.time())
        await asyncio.sleep(due - loop.time())


if __name__ == "__main__":
    sys.exit(main())
