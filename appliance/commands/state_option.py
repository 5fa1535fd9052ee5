"""The state folder that a command uses: that of `--state`, else that of the appliance that runs here."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from appliance.ipc.running_appliances import SeveralRun, state_folder
from appliance.management.errors import CommandFailed

DEFAULT_STATE_DIR: Final = Path("/var/lib/signalbox")


def add_state(parser: argparse.ArgumentParser) -> None:
    """The option `--state`."""
    parser.add_argument(
        "--state", type=Path, metavar="DIR", help="the state folder (default: that of the running appliance)"
    )


def state_of(options: argparse.Namespace) -> Path:
    """The state folder that is named, else that of the appliance that runs here, else the usual one."""
    try:
        return options.state or state_folder(DEFAULT_STATE_DIR)
    except SeveralRun as fault:
        raise CommandFailed(str(fault)) from None


def make_folder(path: Path) -> None:
    """Make a state folder where there is none. Raises CommandFailed."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError:
        raise CommandFailed(f"The state folder {path} cannot be created: it is a file. Use another folder.") from None
    except OSError as fault:
        raise CommandFailed(f"The state folder {path} cannot be created: {fault.strerror}.") from None
