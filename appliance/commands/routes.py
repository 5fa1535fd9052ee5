"""`signalbox routes`: import, export, compare, roll back and list route tables, whether or not the appliance runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.commands.state_option import add_state, make_folder, state_of
from appliance.management.errors import CommandFailed
from appliance.storage.state_format import NewerFormat, refuse_newer

if TYPE_CHECKING:
    from appliance.commands.command_line import Commands
    from appliance.storage.route_store import RouteStore


def add_to(commands: Commands) -> None:
    """Add the subcommand to the command line."""
    routes = commands.add_parser(
        "routes",
        help="import, export, compare and roll back route tables",
        description="Manage the route tables of the node, whether or not the appliance is running.",
    )
    actions = routes.add_subparsers(metavar="ACTION", required=True)

    def add(name: str, command: Callable[[argparse.Namespace], int], help: str, text: str) -> argparse.ArgumentParser:
        action = actions.add_parser(name, help=help, description=text)
        action.set_defaults(command=command)
        add_state(action)
        return action

    importing = add(
        "import", _import, "replace the route tables by those of a file",
        "Replace all route tables by the rows of a file: all rows, "
        "or none if one is invalid. A running appliance uses them within about a second.",
    )  # fmt: skip
    comparing = add("diff", _diff, "compare a file with the route tables", "Show the rows that an import would change.")
    for action in (importing, comparing):
        action.add_argument("file", type=Path, metavar="FILE.csv")
    add("export", _export, "write the route tables as CSV", "Write the route tables as CSV to standard output.")
    back = add(
        "rollback", _rollback, "return to an earlier version",
        "Put the tables of an earlier import in force. Tables that are read from a database stay as they are.",
    )  # fmt: skip
    back.add_argument("version", type=int, nargs="?", metavar="VERSION", help="default: the previous version")
    add("list", _list, "list the stored versions", "List the stored versions.")


def _import(options: argparse.Namespace) -> int:
    from appliance.commands.last_configuration import last_configuration
    from appliance.commands.route_files import import_routes

    make_folder(state_of(options))
    with _store(options) as store:
        print(import_routes(store, options.file, last_configuration(state_of(options))))
    return 0


def _export(options: argparse.Namespace) -> int:
    from appliance.commands.route_files import export_routes

    with _store(options) as store:
        export_routes(store, sys.stdout)
    return 0


def _diff(options: argparse.Namespace) -> int:
    from appliance.commands.route_files import difference

    with _store(options) as store:
        for line in difference(store, options.file):
            print(line)
    return 0


def _rollback(options: argparse.Namespace) -> int:
    from appliance.commands.last_configuration import last_configuration
    from appliance.commands.route_files import rollback_routes

    with _store(options) as store:
        print(rollback_routes(store, options.version, last_configuration(state_of(options))))
    return 0


def _list(options: argparse.Namespace) -> int:
    from appliance.commands.route_files import list_versions

    with _store(options) as store:
        for line in list_versions(store):
            print(line)
    return 0


@contextmanager
def _store(options: argparse.Namespace) -> Iterator[RouteStore]:
    """The versions of a state folder, by its owner. Raises CommandFailed."""
    from appliance.privileges import acting_as_owner
    from appliance.storage.route_store import RouteStore, RouteStoreFault

    state = state_of(options)
    try:
        refuse_newer(state)
    except NewerFormat as fault:
        raise CommandFailed(str(fault)) from None
    except OSError as fault:
        raise CommandFailed(f"The state folder {state} cannot be read: {fault.strerror}.") from None
    try:
        with acting_as_owner(state):
            yield RouteStore(state)
    except RouteStoreFault as fault:
        raise CommandFailed(str(fault)) from None
