"""`signalbox run`: the appliance in the foreground, as a service or in a terminal."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.commands.starting_configuration import starting_configuration
from appliance.commands.state_option import DEFAULT_STATE_DIR, make_folder
from appliance.ipc.running_appliances import announce, withdraw
from appliance.management.errors import CommandFailed
from appliance.service_manager import ServiceManager

if TYPE_CHECKING:
    from appliance.commands.command_line import Commands


def add_to(commands: Commands) -> None:
    """Add the subcommand to the command line."""
    parser = commands.add_parser(
        "run",
        help="run the appliance in the foreground until Ctrl-C",
        description="Run the appliance in the foreground. Ctrl-C or SIGTERM stops it; a second one at once.",
    )
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="a configuration file to load; it is loaded again only when it has changed since the last commit",
    )
    parser.add_argument("--demo", action="store_true", help="create two demo subscribers and show their phone settings")
    parser.add_argument(
        "--user", metavar="NAME", help="run as this user, who becomes owner of the state folder (requires root)"
    )
    parser.add_argument(
        "--state", type=Path, metavar="DIR", default=DEFAULT_STATE_DIR, help="the state folder (default: %(default)s)"
    )
    parser.set_defaults(command=_run)


def _run(options: argparse.Namespace) -> int:
    try:
        return _started(options)
    except CommandFailed as failure:
        ServiceManager(os.environ).tell_status(str(failure))
        raise


def _started(options: argparse.Namespace) -> int:
    # Only here: what takes long to load is loaded by those commands that need it.
    from appliance.management.subscriber_check import check_subscribers
    from appliance.supervisor.run import run

    settings, start = starting_configuration(options.config, options.state)
    make_folder(options.state)
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
    from appliance.storage.cluster_file import cluster_path

    raise_descriptor_limit()
    try:
        become(user, state_dir, is_in_cluster=cluster_path(state_dir).exists())
    except PrivilegesFault as fault:
        raise CommandFailed(str(fault)) from None
