"""The `signalbox` command: reads the command line and puts the parts together.

Exit status: 0 done, 1 it could not be done (sentences on standard error say why), 2 the command line is wrong.
"""

from __future__ import annotations

import argparse
import getpass
import os
import platform
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.catalogue.password_hash import hash_of
from appliance.catalogue.settings import Settings
from appliance.commands.check import check, read_configuration
from appliance.commands.last_configuration import last_configuration
from appliance.commands.starting_configuration import starting_configuration
from appliance.commands.status import ask_status, draw_status, write_json
from appliance.ipc.running_appliances import SeveralRun, announce, state_folder, withdraw
from appliance.management.errors import CommandFailed
from appliance.storage.subscriber import database_path
from cli.options import add_options

if TYPE_CHECKING:
    from appliance.management.subscriber_commands import Address, SubscriberCommands

DEFAULT_STATE_DIR = Path("/var/lib/signalbox")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.command(options)
        sys.stdout.flush()
        return status
    except CommandFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever read the output has seen enough; nothing more can be said to him.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


# -- commands ----------------------------------------------------------------------------------------


def _run(options: argparse.Namespace) -> int:
    # Only here, as below: what takes long to load is loaded by those commands that need it.
    from appliance.management.subscriber_check import check_subscribers
    from appliance.supervisor.run import run

    settings, start = starting_configuration(options.config, options.state)
    _make_folder(options.state)
    noted = announce(options.state)
    if options.user:
        _become(options.user, options.state)
    warning = check_subscribers(settings, options.state)
    if warning:
        print(warning, file=sys.stderr)
    if options.demo:
        from appliance.commands.demo import prepare_demo

        print(prepare_demo(settings, options.state), flush=True)
    name = str(options.config) if options.config else "the configuration"
    try:
        return run(settings, start, options.state, config_name=name)
    finally:
        withdraw(noted)


def _become(user: str, state_dir: Path) -> None:
    from appliance.descriptors import raise_descriptor_limit
    from appliance.privileges import PrivilegesFault, become

    raise_descriptor_limit()
    try:
        become(user, state_dir)
    except PrivilegesFault as fault:
        raise CommandFailed(str(fault)) from None


def _check(options: argparse.Namespace) -> int:
    print(check(options.config))
    return 0


def _status(options: argparse.Namespace) -> int:
    report = ask_status(_state(options) / "run")
    print(write_json(report) if options.json else draw_status(report, options.all))
    return 0


def _add(options: argparse.Namespace) -> int:
    settings = _settings(options)
    address = _read_address(options.address, settings)
    password = _read_password(options.password_stdin, str(address))
    with closing(_commands(options, settings, may_make=True)) as commands:
        print(commands.add(address, password))
    return 0


def _password(options: argparse.Namespace) -> int:
    settings = _settings(options)
    address = _read_address(options.address, settings)
    password = _read_password(options.password_stdin, str(address))
    with closing(_commands(options, settings)) as commands:
        print(commands.password(address, password))
    return 0


def _export(options: argparse.Namespace) -> int:
    with closing(_commands(options, _settings(options))) as commands:
        if options.file is None:
            commands.export(sys.stdout)
            return 0
        try:
            with open(options.file, "w", encoding="utf-8", newline="", opener=_for_owner) as file:
                count = commands.export(file)
        except OSError as fault:
            raise CommandFailed(f"The file {options.file} cannot be written: {fault.strerror}.") from None
    print(f"{count} subscriber{'' if count == 1 else 's'} exported to {options.file}.")
    return 0


def _for_owner(path: str, flags: int) -> int:
    """The hashes are as good as passwords."""
    return os.open(path, flags, 0o600)


def _hash_secret(options: argparse.Namespace) -> int:
    print(hash_of(_read_password(options.secret_stdin, "the account", "--secret-stdin"), os.urandom(16)))
    return 0


def _remove(options: argparse.Namespace) -> int:
    settings = _settings(options)
    address = _read_address(options.address, settings)
    with closing(_commands(options, settings)) as commands:
        print(commands.remove(address))
    return 0


def _list(options: argparse.Namespace) -> int:
    with closing(_commands(options, _settings(options))) as commands:
        for line in commands.list():
            print(line)
    return 0


def _import(options: argparse.Namespace) -> int:
    with closing(_commands(options, _settings(options), may_make=True)) as commands:
        print(commands.import_csv(options.file, options.replace))
    return 0


def _shell(options: argparse.Namespace) -> int:
    from cli.main import run_shell

    return run_shell(options)


def _settings(options: argparse.Namespace) -> Settings | None:
    """The configuration given, else the one that was last in use with the state folder, else none."""
    if options.config is not None:
        return read_configuration(options.config)[0]
    return last_configuration(_state(options))


def _state(options: argparse.Namespace) -> Path:
    """The state folder that is named, else that of the appliance that runs here, else the usual one."""
    try:
        return options.state or state_folder(DEFAULT_STATE_DIR)
    except SeveralRun as fault:
        raise CommandFailed(str(fault)) from None


def _read_address(text: str, settings: Settings | None) -> Address:
    from appliance.management.subscriber_commands import read_address

    return read_address(text, settings)


def _commands(options: argparse.Namespace, settings: Settings | None, may_make: bool = False) -> SubscriberCommands:
    """The commands on the database, which is made when there is none, where it may be. Raises CommandFailed."""
    from appliance.management.subscriber_commands import SubscriberCommands

    state = _state(options)
    if may_make or state.is_file():
        _make_folder(state)
    elif not (settings and settings.subscribers_url) and not database_path(state).exists():
        raise CommandFailed(
            f"There is no subscriber database in {state}: no appliance has asked for one there, and no subscriber was "
            "added. Name the state folder by --state DIR."
        )
    return SubscriberCommands(settings, state)


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError:
        raise CommandFailed(f"The state folder {path} cannot be made: that is a file. Name another folder.") from None
    except OSError as fault:
        raise CommandFailed(f"The state folder {path} cannot be made: {fault.strerror}.") from None


def _read_password(is_stdin: bool, address: str, option: str = "--password-stdin") -> str:
    """A password typed twice, or with `option` the first line of standard input. Raises CommandFailed."""
    if is_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise CommandFailed(f"There is no terminal to ask for the password: use {option}.")
    try:
        password = getpass.getpass(f"Password of {address}: ")
        if getpass.getpass("The same again: ") != password:
            raise CommandFailed("The two passwords differ; nothing was changed.")
    except EOFError:
        raise CommandFailed("No password was given; nothing was changed.") from None
    return password


# -- the command line --------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="signalbox",
        description="A SIP signalling appliance: registrar and proxy.",
        epilog="`signalbox COMMAND --help` says more about a command. docs/reference.md lists every setting.",
    )
    parser.add_argument("--version", action=_ShowVersion, nargs=0, help="the version, and which build it is")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_run(commands)
    _add_check(commands)
    _add_status(commands)
    _add_cli(commands)
    _add_subscriber(commands)
    _add_hash_secret(commands)
    return parser


if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def _add_run(commands: Commands) -> None:
    run = commands.add_parser(
        "run",
        help="run the appliance in the foreground until Ctrl-C",
        description="Run the appliance in the foreground. Ctrl-C or SIGTERM stops it; a second one stops it at once.",
    )
    run.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="a configuration to take in; once it was, the last commit goes on until the file changes",
    )
    run.add_argument("--demo", action="store_true", help="make two demo subscribers and say what to type into a phone")
    run.add_argument(
        "--user", metavar="NAME", help="go on as this user, who gets the state folder (needs root at the start)"
    )
    run.add_argument(
        "--state", type=Path, metavar="DIR", default=DEFAULT_STATE_DIR, help="the state folder (default: %(default)s)"
    )
    run.set_defaults(command=_run)


def _add_check(commands: Commands) -> None:
    parser = commands.add_parser(
        "check",
        help="name every fault of a configuration",
        description="Name every fault of a configuration, its line, and what to type instead.",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", required=True, help="the configuration")
    parser.set_defaults(command=_check)


def _add_status(commands: Commands) -> None:
    status = commands.add_parser(
        "status",
        help="show workers, slots, registrations, transactions and counters",
        description="Show what the appliance that runs on a state folder is doing.",
    )
    status.add_argument("--json", action="store_true", help="for programs: the whole report as JSON")
    status.add_argument("--all", action="store_true", help="show counters that are 0, too")
    _add_state(status)
    status.set_defaults(command=_status)


def _add_cli(commands: Commands) -> None:
    cli = commands.add_parser(
        "cli",
        help="operate the appliance: look, change its configuration, commit",
        description="The operator's shell. Without -c it reads commands from the terminal, or from standard input.",
    )
    add_options(cli)
    cli.set_defaults(command=_shell)


def _add_hash_secret(commands: Commands) -> None:
    parser = commands.add_parser(
        "hash-secret",
        help="make the hash of a secret, to stand in a configuration",
        description="Ask for a secret and print its hash, for `secret` of an operator and `enable secret`.",
    )
    parser.add_argument("--secret-stdin", action="store_true", help="take the first line of standard input instead")
    parser.set_defaults(command=_hash_secret)


def _add_subscriber(commands: Commands) -> None:
    subscriber = commands.add_parser(
        "subscriber",
        help="add, remove, list or import subscribers",
        description="Change and list the subscribers. It makes no difference whether the appliance is running.",
    )
    actions = subscriber.add_subparsers(metavar="ACTION", required=True)
    add = actions.add_parser("add", help="add a subscriber", description="Add a subscriber; asks for the password.")
    add.add_argument("address", metavar="USER@DOMAIN")
    add.add_argument("--password-stdin", action="store_true", help="take the first line of standard input instead")
    add.set_defaults(command=_add)
    password = actions.add_parser(
        "password", help="change a password", description="Change the password of a subscriber; asks for it."
    )
    password.add_argument("address", metavar="USER@DOMAIN")
    password.add_argument("--password-stdin", action="store_true", help="take the first line of standard input instead")
    password.set_defaults(command=_password)
    exporting = actions.add_parser(
        "export",
        help="write all subscribers to a file, with hashes of their passwords",
        description="Write the subscribers as CSV, `username,domain,ha1-md5,ha1-sha256`. The hashes are as good as "
        "passwords: a new file is readable by its owner only. `import` takes the file.",
    )
    exporting.add_argument("file", type=Path, metavar="FILE.csv", nargs="?", help="without it, standard output")
    exporting.set_defaults(command=_export)
    remove = actions.add_parser("remove", help="remove a subscriber", description="Remove a subscriber.")
    remove.add_argument("address", metavar="USER@DOMAIN")
    remove.set_defaults(command=_remove)
    listing = actions.add_parser("list", help="list all subscribers", description="List all subscribers, one a line.")
    listing.set_defaults(command=_list)
    importing = actions.add_parser(
        "import",
        help="add the subscribers of a file",
        description="Add the rows `username,domain,password` of a file: all of them, or none when one is wrong.",
    )
    importing.add_argument("file", type=Path, metavar="FILE.csv")
    importing.add_argument("--replace", action="store_true", help="give those who are there already the new password")
    importing.set_defaults(command=_import)
    for action in (add, password, remove, listing, importing, exporting):
        action.add_argument(
            "--config", type=Path, metavar="FILE", help="the configuration; without it, the one that ran last"
        )
        _add_state(action)


def _add_state(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--state", type=Path, metavar="DIR", help="the state folder (default: that of the appliance that runs here)"
    )


class _ShowVersion(argparse.Action):
    """`--version`: looked up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Show it and end."""
        print(_version())
        parser.exit()


def _version() -> str:
    """The version, which build it is, and the Python below it."""
    from importlib import metadata

    from appliance.sip import parser

    try:
        version = metadata.version("signalbox")
    except metadata.PackageNotFoundError:
        version = "of a source folder"
    build = "pure" if str(parser.__file__).endswith(".py") else "compiled"
    return f"signalbox {version} ({build}, Python {platform.python_version()})"


if __name__ == "__main__":
    sys.exit(main())
