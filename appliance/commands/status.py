"""`signalbox status`: asks the supervisor, so it needs no management process. cli/views/node_status.py draws it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.catalogue.node_status import NodeStatus
from appliance.commands.state_option import add_state, state_of
from appliance.ipc.bus import BusUnavailable, ask_supervisor
from appliance.management.errors import CommandFailed
from appliance.messages.bus_messages import Refusal
from appliance.messages.plain_values import plain
from appliance.messages.supervisor_requests import StatusRequest

if TYPE_CHECKING:
    from appliance.commands.command_line import Commands

TIMEOUT_S = 3.0


def add_to(commands: Commands) -> None:
    """Add the subcommand to the command line."""
    parser = commands.add_parser(
        "status",
        help="show workers, slots, registrations, transactions and counters",
        description="Show the status of the appliance that runs on a state folder.",
    )
    parser.add_argument("--json", action="store_true", help="show the report as JSON")
    parser.add_argument("--all", action="store_true", help="include counters that are 0")
    add_state(parser)
    parser.set_defaults(command=_status)


def _status(options: argparse.Namespace) -> int:
    # Only here: other commands draw nothing.
    from cli.views.node_status import draw_node_report

    status = ask_status(state_of(options) / "run")
    print(write_json(status) if options.json else "\n".join(draw_node_report(status, options.all)))
    return 0


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
