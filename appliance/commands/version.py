"""`signalbox version`: the version, its build, the formats of stored data, and the libraries."""

from __future__ import annotations

import argparse
import json
import platform
from importlib import metadata
from typing import TYPE_CHECKING, Any

from appliance.storage.state_format import FORMATS
from appliance.version import build_text, version_text

if TYPE_CHECKING:
    from appliance.commands.command_line import Commands


def add_to(commands: Commands) -> None:
    """Add the subcommand to the command line."""
    parser = commands.add_parser(
        "version",
        help="show the version, the formats of stored data and the libraries",
        description="Show the version and build, the formats of stored data, and the versions of the libraries.",
    )
    parser.add_argument("--json", action="store_true", help="show it as JSON")
    parser.set_defaults(command=_version)


class ShowVersion(argparse.Action):
    """`--version`: the first line of it."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Show it and end."""
        print(version_line())
        parser.exit()


def version_line() -> str:
    """The version, which build it is, and the Python below it."""
    return f"signalbox {version_text()} ({build_text()}, Python {platform.python_version()})"


def facts() -> dict[str, Any]:
    """All of it, by name."""
    return {
        "version": version_text(),
        "build": build_text(),
        "python": platform.python_version(),
        "formats": dict(FORMATS),
        "libraries": {
            found.name: found.version
            for found in sorted(metadata.distributions(), key=lambda found: found.name.lower())
            if found.name != "signalbox"
        },
    }


def _version(options: argparse.Namespace) -> int:
    known = facts()
    if options.json:
        print(json.dumps(known, indent=2))
        return 0
    print(version_line())
    print("Formats:   " + ", ".join(f"{part} {number}" for part, number in known["formats"].items()))
    print("Libraries: " + ", ".join(f"{name} {number}" for name, number in known["libraries"].items()))
    return 0
