"""`signalbox witness`: a member with a vote and without calls, so that two nodes have a majority with it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from appliance.commands.cluster import add_join_options, join_as
from appliance.commands.state_option import DEFAULT_STATE_DIR, add_state
from appliance.ipc.running_appliances import announce, withdraw

if TYPE_CHECKING:
    from appliance.commands.command_line import Commands


def add_to(commands: Commands) -> None:
    """Add the subcommand to the command line."""
    witness = commands.add_parser(
        "witness",
        help="join a cluster as a witness, or run one",
        description="A witness votes in a cluster on which node owns an address, and handles no calls. Two nodes need "
        "one, on a third machine.",
    )
    actions = witness.add_subparsers(metavar="ACTION", required=True)
    join = actions.add_parser(
        "join",
        help="make this machine a witness of a cluster",
        description="Make this machine a witness of the cluster that a token is for.",
    )
    add_join_options(join)
    join.set_defaults(command=_join)
    run = actions.add_parser(
        "run",
        help="run the witness in the foreground until Ctrl-C",
        description="Run the witness in the foreground. Ctrl-C or SIGTERM stops it.",
    )
    run.set_defaults(command=_run)
    for action in (join, run):
        add_state(action)


def _join(options: argparse.Namespace) -> int:
    return join_as(options, is_witness=True)


def _run(options: argparse.Namespace) -> int:
    # Only here: what takes long to load is loaded by those commands that need it.
    from appliance.supervisor.run import to_stderr
    from appliance.supervisor.witness import run_witness

    state = options.state or DEFAULT_STATE_DIR
    noted = announce(state)
    try:
        return run_witness(state, to_stderr)
    finally:
        withdraw(noted)
