"""`signalbox cli`: the shell of operators."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from cli.options import add_options

if TYPE_CHECKING:
    from appliance.commands.command_line import Commands


def add_to(commands: Commands) -> None:
    """Add the subcommand to the command line."""
    parser = commands.add_parser(
        "cli",
        help="start the command line interface",
        description="The command line interface. Without -c, commands are read from standard input.",
    )
    add_options(parser)
    parser.set_defaults(command=_shell)


def _shell(options: argparse.Namespace) -> int:
    # Only here: other commands need no shell.
    from cli.main import run_shell

    return run_shell(options)
