"""`signalbox subscriber`: add, password, remove, list, import, export, whether or not the appliance runs."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.catalogue.settings import Settings
from appliance.commands.check import read_configuration
from appliance.commands.last_configuration import last_configuration
from appliance.commands.password_prompt import read_password
from appliance.commands.state_option import add_state, make_folder, state_of
from appliance.management.errors import CommandFailed
from appliance.storage.state_format import NewerFormat, refuse_newer
from appliance.storage.subscriber import database_path

if TYPE_CHECKING:
    from appliance.commands.command_line import Commands
    from appliance.management.subscriber_commands import Address, SubscriberCommands


def add_to(commands: Commands) -> None:
    """Add the subcommand to the command line."""
    subscriber = commands.add_parser(
        "subscriber",
        help="add, remove, list or import subscribers",
        description="Manage subscribers, whether or not the appliance is running.",
    )
    actions = subscriber.add_subparsers(metavar="ACTION", required=True)
    add = actions.add_parser(
        "add",
        help="add a subscriber",
        description="Add a subscriber; prompts for the password. USER alone is in the first domain configured.",
    )
    add.add_argument("address", metavar="USER@DOMAIN")
    add.add_argument("--password-stdin", action="store_true", help="read it from the first line of standard input")
    add.set_defaults(command=_add)
    password = actions.add_parser(
        "password", help="change a password", description="Change the password of a subscriber; prompts for it."
    )
    password.add_argument("address", metavar="USER@DOMAIN")
    password.add_argument("--password-stdin", action="store_true", help="read it from the first line of standard input")
    password.set_defaults(command=_password)
    exporting = actions.add_parser(
        "export",
        help="export all subscribers to a file, with password hashes",
        description="Export the subscribers as CSV, `username,domain,ha1-md5,ha1-sha256`. Protect the hashes like "
        "passwords; a new file is readable by its owner only. `import` reads the file.",
    )
    exporting.add_argument("file", type=Path, metavar="FILE.csv", nargs="?", help="default: standard output")
    exporting.set_defaults(command=_export)
    remove = actions.add_parser("remove", help="remove a subscriber", description="Remove a subscriber.")
    remove.add_argument("address", metavar="USER@DOMAIN")
    remove.set_defaults(command=_remove)
    listing = actions.add_parser("list", help="list all subscribers", description="List all subscribers, one per line.")
    listing.set_defaults(command=_list)
    importing = actions.add_parser(
        "import",
        help="import subscribers from a file",
        description="Import rows `username,domain,password` from a file: all rows, or none if one is invalid.",
    )
    importing.add_argument("file", type=Path, metavar="FILE.csv")
    importing.add_argument("--replace", action="store_true", help="update the passwords of existing subscribers")
    importing.set_defaults(command=_import)
    for action in (add, password, remove, listing, importing, exporting):
        action.add_argument(
            "--config", type=Path, metavar="FILE", help="the configuration (default: the last one used)"
        )
        add_state(action)


def _add(options: argparse.Namespace) -> int:
    settings = _settings(options)
    address = _read_address(options.address, settings)
    password = read_password(options.password_stdin, str(address))
    with _commands(options, settings, may_make=True) as commands:
        print(commands.add(address, password))
    return 0


def _password(options: argparse.Namespace) -> int:
    settings = _settings(options)
    address = _read_address(options.address, settings)
    password = read_password(options.password_stdin, str(address))
    with _commands(options, settings) as commands:
        print(commands.password(address, password))
    return 0


def _export(options: argparse.Namespace) -> int:
    settings = _settings(options)
    with _commands(options, settings):
        # Only when there is something to export, a file is made; by the user who wants it.
        pass
    if options.file is None:
        with _commands(options, settings) as commands:
            commands.export(sys.stdout)
        return 0
    try:
        with (
            open(options.file, "w", encoding="utf-8", newline="", opener=_for_owner) as file,
            _commands(options, settings) as commands,
        ):
            count = commands.export(file)
    except OSError as fault:
        raise CommandFailed(f"The file {options.file} cannot be written: {fault.strerror}.") from None
    print(f"{count} subscriber{'' if count == 1 else 's'} exported to {options.file}.")
    return 0


def _for_owner(path: str, flags: int) -> int:
    """The hashes are as good as passwords."""
    return os.open(path, flags, 0o600)


def _remove(options: argparse.Namespace) -> int:
    settings = _settings(options)
    address = _read_address(options.address, settings)
    with _commands(options, settings) as commands:
        print(commands.remove(address))
    return 0


def _list(options: argparse.Namespace) -> int:
    with _commands(options, _settings(options)) as commands:
        for line in commands.list():
            print(line)
    return 0


def _import(options: argparse.Namespace) -> int:
    settings = _settings(options)
    try:
        with (
            options.file.open(encoding="utf-8-sig", newline="") as lines,
            _commands(options, settings, may_make=True) as commands,
        ):
            print(commands.import_csv(lines, str(options.file), options.replace))
    except OSError as fault:
        raise CommandFailed(f"The file {options.file} cannot be read: {fault.strerror}.") from None
    return 0


def _settings(options: argparse.Namespace) -> Settings | None:
    """The configuration given, else the one that was last in use with the state folder, else none."""
    if options.config is not None:
        return read_configuration(options.config)[0]
    return last_configuration(state_of(options))


def _read_address(text: str, settings: Settings | None) -> Address:
    from appliance.management.subscriber_commands import read_address

    return read_address(text, settings)


@contextmanager
def _commands(
    options: argparse.Namespace, settings: Settings | None, may_make: bool = False
) -> Iterator[SubscriberCommands]:
    """The commands on the database, which is made when there is none, where it may be. Raises CommandFailed."""
    from appliance.management.subscriber_commands import SubscriberCommands
    from appliance.privileges import acting_as_owner

    state = state_of(options)
    if may_make or state.is_file():
        make_folder(state)
    try:
        refuse_newer(state)
    except NewerFormat as fault:
        raise CommandFailed(str(fault)) from None
    with acting_as_owner(state):
        if not may_make and not (settings and settings.subscribers_url) and not database_path(state).exists():
            raise CommandFailed(
                f"There is no subscriber database in {state}: no appliance has used this folder, and no subscriber was "
                "added. Use --state DIR to select the state folder."
            )
        with closing(SubscriberCommands(settings, state)) as commands:
            yield commands
