"""The commands for the machine that the shell carries out itself, after the appliance has allowed and logged them."""

from __future__ import annotations

import subprocess
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from appliance.catalogue.command_declaration import Command
from cli.errors import Failed
from cli.files import write_octets
from cli.keyboard import keys_of_another_program, write
from cli.output import NOTHING, Output, said
from cli.session import Session

SHELL: Final = ("/bin/bash", "--login")
# By the operator's own right to sudo: the appliance has none to install anything.
UPGRADE: Final = ("/usr/bin/sudo", "/usr/bin/python3", "-E", "-s", "/usr/lib/signalbox-image/upgrade.py")


def open_shell(session: Session, command: Command, arguments: Mapping[str, Any]) -> Output:
    """A shell of the operating system, as the account of the operator. Raises Failed."""
    if session.terminal.monitor is None:
        raise Failed("`system shell` requires a terminal.", "Run the shell on a terminal: ssh -t USER@HOST.")
    write(f"{session.ask(command.do, arguments)['text']}\n")
    with keys_of_another_program():
        subprocess.run(SHELL, check=False)
    return NOTHING


def upgrade(session: Session, command: Command, arguments: Mapping[str, Any]) -> Output:
    """Install a package. Raises Failed."""
    write(f"{session.ask(command.do, arguments)['text']}\n")
    status = _run([*UPGRADE, str(arguments["source"])])
    if status != 0:
        raise Failed("The package was not installed.", "See above for the reason.")
    return said("The package is installed. `show version` says which version runs.")


def _run(argv: Sequence[str]) -> int:
    try:
        return subprocess.run(argv, check=False).returncode
    except OSError as fault:
        raise Failed(f"{argv[0]} cannot be run: {fault.strerror}.") from None


def backup(session: Session, command: Command, arguments: Mapping[str, Any]) -> Output:
    """The archive, in a file or on standard output. What cannot be fetched is raised as Failed."""
    items = session.stream(command.do, {"passphrase": arguments["passphrase"]})
    octets = _octets(items)
    if "file" not in arguments:
        return Output(items=items, octets=octets)
    name = str(arguments["file"])
    size = write_octets(name, octets)
    return said(f"Backup written to {name}: {size} bytes.", document={"file": name, "size": size})


def _octets(items: Iterator[tuple[str, dict[str, Any]]]) -> Iterator[bytes]:
    return (b64decode(str(values["data"])) for kind, values in items if kind == "event")
