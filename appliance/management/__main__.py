"""The process that serves operators: `python -m appliance.management`, with its launch document on standard input.

Exit status: 0 after a request to end, 2 it could not start.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from functools import partial
from pathlib import Path

from appliance.catalogue.settings import Settings
from appliance.ipc.bus import Bus
from appliance.ipc.launch import ManagementLaunch
from appliance.management.appliance_client import CALM_INTERVAL_S, SAMPLE_INTERVAL_S, ApplianceClient
from appliance.management.control_socket import ControlSocket
from appliance.management.node_answers import answer_node
from appliance.management.worker_link import WorkerLink
from appliance.process_start import ENDED, CannotStart, run_process
from appliance.transport.process_id import MANAGEMENT


def main() -> int:
    """Serve until a request to end; returns the exit status."""
    return run_process("the management process", MANAGEMENT, ManagementLaunch, serve)


async def serve(launch: ManagementLaunch, settings: Settings, bus: Bus) -> int:
    """Open the control socket, and keep the samples going. Raises CannotStart."""
    client = ApplianceClient(Path(launch.state_dir), settings, WorkerLink(bus, launch.node))
    client.workers.replicator_told = client.nodes.receive
    client.nodes.answer = partial(answer_node, client)
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    loop.add_reader(bus.fileno(), client.workers.receive)
    control = ControlSocket(client.state_dir / "run" / "control.sock", client)
    try:
        await control.open()
    except OSError as fault:
        raise CannotStart(f"the control socket cannot be opened: {fault}") from fault
    sampling = asyncio.ensure_future(sample(client, control))
    await ended.wait()
    sampling.cancel()
    await control.close()
    return ENDED


async def sample(client: ApplianceClient, control: ControlSocket) -> None:
    """Sample the state of the appliance; less often while no client is connected."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        await client.sample()
        client.greet_replicator()
        client.sessions.tend(loop.time(), client.settings)
        # The descriptor of the bus reports changes only: what arrived before it was polled is read here.
        client.workers.receive()
        due = max(due + (SAMPLE_INTERVAL_S if control.is_serving else CALM_INTERVAL_S), loop.time())
        await asyncio.sleep(due - loop.time())


if __name__ == "__main__":
    sys.exit(main())
