"""The commands for the session itself: rights, the terminal, the history, and commands known from other systems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from appliance.catalogue.command_declaration import Right
from cli.errors import Failed
from cli.output import NOTHING, Output, said
from cli.session import Session

Arguments = Mapping[str, Any]


def enable(session: Session, arguments: Arguments) -> Output:
    """Enter privileged mode."""
    if session.right is not Right.ADMIN:
        session.connect()
        session.enable()
    return NOTHING


def disable(session: Session, arguments: Arguments) -> Output:
    """Leave privileged mode: the connection is closed, as the appliance gives rights to connections."""
    session.right = Right.VIEW
    session.control.close()
    return NOTHING


def show_history(session: Session, arguments: Arguments) -> Output:
    return Output([f"  {line}" for line in session.history], {"lines": list(session.history)})


def show_terminal(session: Session, arguments: Arguments) -> Output:
    length = session.terminal.length
    words = "terminal height" if length is None else f"{length} lines" if length else "unlimited"
    width = session.terminal.width
    facts = {"user": session.user, "right": session.right.value, "length": length, "width": width}
    columns = "terminal width" if width is None else f"{width} columns" if width else "unlimited"
    line = f"User: {session.user}, privilege: {session.right.value}, length: {words}, width: {columns}"
    return said(line, document=facts)


def set_length(session: Session, arguments: Arguments) -> Output:
    session.terminal.length = int(arguments["lines"])
    return NOTHING


def unset_length(session: Session, arguments: Arguments) -> Output:
    session.terminal.length = None
    return NOTHING


def set_width(session: Session, arguments: Arguments) -> Output:
    session.terminal.width = int(arguments["columns"])
    return NOTHING


def unset_width(session: Session, arguments: Arguments) -> Output:
    session.terminal.width = None
    return NOTHING


def start_monitor(session: Session, arguments: Arguments) -> Output:
    """Show the log above the prompt; a script has none, and would never end."""
    if session.terminal.monitor is None:
        raise Failed("`terminal monitor` requires a terminal.", "Scripts read the log by `show logging`.")
    session.terminal.monitor(True)
    return NOTHING


def stop_monitor(session: Session, arguments: Arguments) -> Output:
    if session.terminal.monitor is None:
        raise Failed("`terminal no monitor` requires a terminal.", "Scripts read the log by `show logging`.")
    session.terminal.monitor(False)
    return NOTHING


def write(session: Session, arguments: Arguments) -> Output:
    """What an operator of IOS types after every change."""
    if session.candidate is not None and session.candidate.is_changed:
        return said("Nothing was saved. Type `commit` to apply and save the candidate.")
    return said("Nothing to save: every commit is saved already.")
