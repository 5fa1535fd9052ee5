"""Which function does which command; a command that has none is one request to the appliance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from appliance.catalogue.command_declaration import Command, Mode
from cli import configuring, terminal_commands
from cli.failure import Failed, NoOperator
from cli.output import NOTHING, Output
from cli.requests import request, support_archive
from cli.session import Session

Handler = Callable[[Session, Mapping[str, Any]], Output]

HANDLERS: Final[Mapping[str, Handler]] = {
    "enable": terminal_commands.enable,
    "disable": terminal_commands.disable,
    "write": terminal_commands.write,
    "write memory": terminal_commands.write,
    "copy running-config startup-config": terminal_commands.write,
    "show history": terminal_commands.show_history,
    "show terminal": terminal_commands.show_terminal,
    "terminal length": terminal_commands.set_length,
    "terminal no length": terminal_commands.unset_length,
    "terminal width": terminal_commands.set_width,
    "terminal no width": terminal_commands.unset_width,
    "terminal no monitor": terminal_commands.stop_monitor,
    "quit": configuring.leave_shell,
    "logout": configuring.leave_shell,
    "configure": configuring.configure,
    "configure terminal": configuring.configure,
    "show candidate": configuring.show_candidate,
    "show diff": configuring.show_diff,
    "show configuration": configuring.show_diff,
    "show configuration diff": configuring.show_diff,
    "exit": configuring.leave,
    "end": configuring.end,
    "validate": configuring.validate,
    "commit": configuring.commit,
    "commit confirmed": configuring.commit,
    "abort": configuring.abort,
    "rollback": configuring.rollback,
    "rebase": configuring.rebase,
    "load": configuring.load,
    "load merge": configuring.load_merge,
    "save": configuring.save,
}


def is_request(command: Command) -> bool:
    """Is it one request, so that the shell has nothing to do but to draw the answer?"""
    return bool(command.do) and command.mode is not Mode.CONFIGURE


def run_command(session: Session, command: Command, arguments: Mapping[str, Any]) -> Output:
    """Do a command. Raises Failed."""
    if command.do == "terminal monitor" and session.terminal.monitor is not None:
        session.terminal.monitor(True)
        return NOTHING
    if command.do in ("subscriber add", "subscriber password") and "password" not in arguments:
        arguments = {**arguments, "password": _new_secret(session, "Password")}
    if command.do == "hash secret" and "secret" not in arguments:
        arguments = {**arguments, "secret": _new_secret(session, "Secret")}
    if command.do == "rollback" and not arguments.get("is_confirmed"):
        configuring.ask_about_rollback(session, arguments)
    if command.do == "reload" and not arguments.get("is_confirmed"):
        ask_about_reload(session)
    if command.do == "copy tech-support":
        return support_archive(session, command)
    if is_request(command):
        return request(session, command, arguments)
    return HANDLERS[command.name](session, arguments)


def ask_about_reload(session: Session) -> None:
    """Ask whether all workers shall be restarted. Raises Failed unless the answer is yes; Enter is one."""
    question = "Proceed with reload?"
    try:
        typed = session.asker.ask(f"{question} [confirm] ").strip().lower()
    except NoOperator:
        raise Failed(question, "Type `reload confirm` to reload without a question.") from None
    if typed and not any(word.startswith(typed) for word in ("yes", "confirm")):
        raise Failed("Nothing was restarted.")


def _new_secret(session: Session, word: str) -> str:
    secret = session.asker.ask(f"{word}: ", is_hidden=True)
    if session.asker.ask(f"Repeat {word.lower()}: ", is_hidden=True) != secret:
        raise Failed(f"The {word.lower()}s do not match; nothing was changed.")
    return secret
