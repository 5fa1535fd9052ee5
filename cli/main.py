"""The command line of the shell: `signalbox cli`, and `signalbox-shell` as the login shell of an account.

    signalbox cli [--state DIR] [-c COMMAND ...] [--json]

Exit status: 0 done, 1 a command failed or no appliance answers, 2 the command line is wrong.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from appliance.ipc.running_appliances import SeveralRun, state_folder
from cli.batch import run_batch
from cli.commands import run_command
from cli.control import Control
from cli.errors import Failed
from cli.options import add_options
from cli.prompts import NonInteractive
from cli.session import Session

DEFAULT_STATE_DIR = Path("/var/lib/signalbox")
SOCKET = Path("run/control.sock")
# How long a login waits for an appliance that starts, and how often it looks.
START_WAIT_S = 120.0
LOOK_S = 0.5


def run_shell(options: argparse.Namespace, start_wait_s: float = 0.0) -> int:
    """Do the commands that are given, or those of standard input, or what an operator types.

    `start_wait_s`: how long to wait for an appliance that is not there yet.
    """
    try:
        state = options.state or state_folder(DEFAULT_STATE_DIR)
    except SeveralRun as fault:
        print(fault, file=sys.stderr)
        return 1
    is_script = bool(options.commands) or not (sys.stdin.isatty() and sys.stdout.isatty())
    control = Control(state / SOCKET, {"script": is_script, "address": address_of_ssh()})
    session = Session(control, NonInteractive(), run_command)
    try:
        if is_script:
            commands: Iterable[str] = options.commands or (line.rstrip("\r\n") for line in sys.stdin)
            session.connect()
            return run_batch(session, commands, options.json, sys.stdout, sys.stderr)
        from cli.shell import run_interactive  # only here: scripts need no terminal

        wait_for_appliance(state / SOCKET, start_wait_s)
        return run_interactive(session)
    except Failed as failure:
        print("\n".join(failure.lines()), file=sys.stderr)
        return 1
    finally:
        control.close()


def wait_for_appliance(path: Path, wait_s: float) -> None:
    """At a login soon after the boot: until the socket is there, Ctrl-C is pressed, or the time is over."""
    ends_at = time.monotonic() + wait_s
    # Where permission is missing, opening it says so.
    with suppress(KeyboardInterrupt, PermissionError):
        if wait_s and not path.exists():
            print("The appliance starts. Ctrl-C stops waiting.", flush=True)
        while not path.exists() and time.monotonic() < ends_at:
            time.sleep(LOOK_S)


def address_of_ssh() -> str:
    """The address of the operator's SSH client; "" for a local one."""
    return (os.environ.get("SSH_CONNECTION", "").split() or [""])[0]


def main(arguments: Sequence[str] | None = None) -> int:
    """`signalbox-shell`. A login shell gets `-c` with everything in one argument, commands on several lines."""
    parser = argparse.ArgumentParser(prog="signalbox-shell", description="The shell of a Signalbox appliance.")
    add_options(parser)
    options = parser.parse_args(arguments)
    options.commands = [line for command in options.commands or () for line in command.splitlines()]
    try:
        return run_shell(options, START_WAIT_S)
    except BrokenPipeError:
        # The reader of the output has closed the pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
