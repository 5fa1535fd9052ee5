"""`signalbox status`: asks the supervisor, also when no management process runs. cli/views/node_status.py draws it."""

from __future__ import annotations

import json
from pathlib import Path

from appliance.catalogue.node_status import NodeStatus
from appliance.ipc.bus import BusUnavailable, ask_supervisor
from appliance.management.errors import CommandFailed
from appliance.messages.bus_messages import Refusal
from appliance.messages.plain_values import plain
from appliance.messages.supervisor_requests import StatusRequest

TIMEOUT_S = 3.0


def ask_status(runtime_dir: Path) -> NodeStatus:
    """What the supervisor says. Raises CommandFailed when it does not answer."""
    try:
        reply = ask_supervisor(runtime_dir, StatusRequest(), TIMEOUT_S)
    except BusUnavailable as fault:
        raise CommandFailed(str(fault)) from None
    if isinstance(reply, Refusal):
        raise CommandFailed(reply.sentence)
    return reply.status


def write_json(status: NodeStatus) -> str:
    """The status for programs."""
    return json.dumps(plain(status), indent=2)
