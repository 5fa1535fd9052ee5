"""The `signalbox` command: reads the command line and puts the parts together.

Exit status: 0 done, 1 it could not be done (sentences on standard error say why), 2 the command line is wrong.
"""

from __future__ import annotations

import argparse
import getpass
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.catalogue.password_hash import hash_of
from appliance.catalogue.settings import Settings
from appliance.commands.check import check, read_configuration
from appliance.commands.last_configuration import last_configuration
from appliance.commands.starting_configuration import starting_configuration
from appliance.commands.status import ask_status, write_json
from appliance.ipc.running_appliances import SeveralRun, announce, state_folder, withdraw
from appliance.management.errors import CommandFailed
from appliance.storage.subscriber import database_path
from cli.options import add_options
from cli.views.node_status import draw_node_report

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
    status = ask_status(_state(options) / "run")
    print(write_json(status) if options.json else "\n".join(draw_node_report(status, options.all)))
    return 0


def _add(options: argparse.Namespace) -> int:
    settings = _settings(options)
    address = _read_address(options.address, settings)
    password = _read_password(options.password_stdin, str(address))
    with _commands(options, settings, may_make=True) as commands:
        print(commands.add(address, password))
    return 0


def _password(options: argparse.Namespace) -> int:
    settings = _settings(options)
    address = _read_address(options.address, settings)
    password = _read_password(options.password_stdin, str(address))
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


def _hash_secret(options: argparse.Namespace) -> int:
    print(hash_of(_read_password(options.secret_stdin, "the account", "--secret-stdin"), os.urandom(16)))
    return 0


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


@contextmanager
def _commands(
    options: argparse.Namespace, settings: Settings | None, may_make: bool = False
) -> Iterator[SubscriberCommands]:
    """The commands on the database, which is made when there is none, where it may be. Raises CommandFailed."""
    from appliance.management.subscriber_commands import SubscriberCommands
    from appliance.privileges import acting_as_owner

    state = _state(options)
    if may_make or state.is_file():
        _make_folder(state)
    with acting_as_owner(state):
        if not may_make and not (settings and settings.subscribers_url) and not database_path(state).exists():
            raise CommandFailed(
                f"There is no subscriber database in {state}: no appliance has used this folder, and no subscriber was "
                "added. Use --state DIR to select the state folder."
            )
        with closing(SubscriberCommands(settings, state)) as commands:
            yield commands


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError:
        raise CommandFailed(f"The state folder {path} cannot be created: it is a file. Use another folder.") from None
    except OSError as fault:
        raise CommandFailed(f"The state folder {path} cannot be created: {fault.strerror}.") from None


def _read_password(is_stdin: bool, address: str, option: str = "--password-stdin") -> str:
    """A password typed twice, or with `option` the first line of standard input. Raises CommandFailed."""
    if is_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise CommandFailed(f"There is no terminal to ask for the password: use {option}.")
    try:
        password = getpass.getpass(f"Password of {address}: ")
        if getpass.getpass("Repeat the password: ") != password:
            raise CommandFailed("The passwords do not match; nothing was changed.")
    except EOFError:
        raise CommandFailed("No password was given; nothing was changed.") from None
    return password


# -- the command line --------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="signalbox",
        description="A SIP signalling appliance: registrar and proxy.",
        epilog="Use `signalbox COMMAND --help` for help on a command. docs/reference.md lists all settings.",
    )
    parser.add_argument("--version", action=_ShowVersion, nargs=0, help="show version and build")
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
        description="Run the appliance in the foreground. Ctrl-C or SIGTERM stops it; a second one at once.",
    )
    run.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="a configuration file to load; it is loaded again only when it has changed since the last commit",
    )
    run.add_argument("--demo", action="store_true", help="create two demo subscribers and show their phone settings")
    run.add_argument(
        "--user", metavar="NAME", help="run as this user, who becomes owner of the state folder (requires root)"
    )
    run.add_argument(
        "--state", type=Path, metavar="DIR", default=DEFAULT_STATE_DIR, help="the state folder (default: %(default)s)"
    )
    run.set_defaults(command=_run)


def _add_check(commands: Commands) -> None:
    parser = commands.add_parser(
        "check",
        help="check a configuration",
        description="Check a configuration. Shows each fault with its line and a correction.",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", required=True, help="the configuration")
    parser.set_defaults(command=_check)


def _add_status(commands: Commands) -> None:
    status = commands.add_parser(
        "status",
        help="show workers, slots, registrations, transactions and counters",
        description="Show the status of the appliance that runs on a state folder.",
    )
    status.add_argument("--json", action="store_true", help="show the report as JSON")
    status.add_argument("--all", action="store_true", help="include counters that are 0")
    _add_state(status)
    status.set_defaults(command=_status)


def _add_cli(commands: Commands) -> None:
    cli = commands.add_parser(
        "cli",
        help="start the command line interface",
        description="The command line interface. Without -c, commands are read from standard input.",
    )
    add_options(cli)
    cli.set_defaults(command=_shell)


def _add_hash_secret(commands: Commands) -> None:
    parser = commands.add_parser(
        "hash-secret",
        help="generate the hash of a secret",
        description="Prompt for a secret and print its hash, for `secret` of an operator and for `enable secret`.",
    )
    parser.add_argument("--secret-stdin", action="store_true", help="read it from the first line of standard input")
    parser.set_defaults(command=_hash_secret)


def _add_subscriber(commands: Commands) -> None:
    subscriber = commands.add_parser(
        "subscriber",
        help="add, remove, list or import subscribers",
        description="Manage subscribers, whether or not the appliance is running.",
    )
    actions = subscriber.add_subparsers(metavar="ACTION", required=True)
    add = actions.add_parser("add", help="add a subscriber", description="Add a subscriber; prompts for the password.")
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
        _add_state(action)


def _add_state(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--state", type=Path, metavar="DIR", help="the state folder (default: that of the running appliance)"
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
