"""`show system` and `show interfaces`: the machine that the appliance runs on, as its kernel shows it."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Any

from appliance import clock
from appliance.machine import interfaces, machine_state
from appliance.management.appliance_client import Call
from appliance.management.errors import Refused
from appliance.version import version_text

Result = dict[str, Any]


async def show_system(call: Call) -> Result:
    """The machine now."""
    status = await call.client.read_status()
    try:
        state = await asyncio.to_thread(machine_state, call.client.state_dir)
    except OSError as fault:
        raise Refused(f"The machine cannot be examined: {fault.strerror}.") from None
    return {
        "hostname": status.hostname,
        "version": version_text(),
        "machine_uptime_s": round(clock.monotonic(), 1),
        "uptime_s": status.supervisor.uptime_s,
        **asdict(state),
        **_interfaces(),
    }


async def show_interfaces(call: Call) -> Result:
    """Its network interfaces."""
    return _interfaces()


def _interfaces() -> Result:
    return {"interfaces": [asdict(interface) for interface in interfaces()]}
