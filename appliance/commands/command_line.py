"""The command line of `signalbox`: the parts that each subcommand declares in its own file.

A module of a subcommand has `add_to(commands)`, which adds its parser; `command` in the options is the function that
does it and returns the exit status.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from appliance.commands import (
    backup,
    certificate,
    check,
    check_upgrade,
    cluster,
    hash_secret,
    load,
    routes,
    run,
    shell,
    status,
    subscriber,
    version,
    witness,
)

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

SUBCOMMANDS: Final = (
    run,
    check,
    load,
    status,
    shell,
    subscriber,
    routes,
    cluster,
    witness,
    certificate,
    hash_secret,
    backup,
    check_upgrade,
    version,
)


def command_line() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="signalbox",
        description="A SIP signalling appliance: registrar and proxy.",
        epilog="Use `signalbox COMMAND --help` for help on a command. docs/reference.md lists all settings.",
    )
    parser.add_argument("--version", action=version.ShowVersion, nargs=0, help="show version and build")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for subcommand in SUBCOMMANDS:
        subcommand.add_to(commands)
    return parser
