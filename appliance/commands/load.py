"""`signalbox load`: commits what has changed in a configuration file, on the running appliance."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from appliance.commands.check import read_configuration
from appliance.commands.state_option import add_state, state_of
from appliance.management.errors import CommandFailed

if TYPE_CHECKING:
    from appliance.commands.command_line import Commands


def add_to(commands: Commands) -> None:
    """Add the subcommand to the command line."""
    parser = commands.add_parser(
        "load",
        help="commit what has changed in a configuration file",
        description="Commit what has changed in a configuration file since it was loaded; changes that operators have "
        "committed stay. `systemctl reload signalbox` does this with the file of the service.",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", required=True, help="the configuration")
    parser.add_argument("--replace", action="store_true", help="make the file the whole configuration")
    add_state(parser)
    parser.set_defaults(command=_load)


def _load(options: argparse.Namespace) -> int:
    text = read_configuration(options.config)[1]
    name = str(options.config)
    result = ask_as_admin(state_of(options), "load", {"text": text, "name": name, "replace": options.replace})
    if result["number"] == 0:
        print(f"{name} has not changed since it was loaded.")
        return 0
    print(f"Commit {result['number']} is active: loaded from {name}.")
    for warning in result.get("warnings", []):
        print(f"Warning: {warning}")
    return 0


def ask_as_admin(state_dir: Path, do: str, args: dict[str, Any]) -> dict[str, Any]:
    """The result of a request to the running appliance for which an administrator is needed. Raises CommandFailed."""
    from cli.control import Control
    from cli.errors import Failed

    control = Control(state_dir / "run" / "control.sock", {"script": True})
    try:
        control.open()
        control.ask("enable", {})
        return control.ask(do, args)
    except Failed as failure:
        raise CommandFailed(" ".join(part for part in (failure.problem, failure.remedy) if part)) from None
    finally:
        control.close()
