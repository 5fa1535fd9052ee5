"""The function that carries out each command. A command without a function is one request to the appliance."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any, Final

from appliance.catalogue.command_declaration import Command, Mode
from appliance.catalogue.node_parameter import NODE
from cli import configuration_commands, system_commands, terminal_commands
from cli.capture import saved
from cli.errors import Failed, NoOperator
from cli.files import path_of, read_text
from cli.long_tables import every_row, is_long, with_everything
from cli.output import Output
from cli.session import Session
from cli.views.nodes import draw_nodes, has_failed
from cli.views.registry import draw, draw_stream

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
    "quit": configuration_commands.leave_shell,
    "logout": configuration_commands.leave_shell,
    "configure": configuration_commands.configure,
    "configure terminal": configuration_commands.configure,
    "show candidate": configuration_commands.show_candidate,
    "show diff": configuration_commands.show_diff,
    "show configuration": configuration_commands.show_diff,
    "show configuration diff": configuration_commands.show_diff,
    "exit": configuration_commands.leave,
    "end": configuration_commands.end,
    "validate": configuration_commands.validate,
    "commit": configuration_commands.commit,
    "commit confirmed": configuration_commands.commit,
    "abort": configuration_commands.abort,
    "rollback": configuration_commands.rollback,
    "rebase": configuration_commands.rebase,
    "load": configuration_commands.load,
    "load merge": configuration_commands.load_merge,
    "save": configuration_commands.save,
}

# Restarts, which end what goes on: an operator is asked first.
ASKED_ABOUT: Final = frozenset({"reload", "system reboot", "system shutdown"})


# The appliance is asked whether it may be done; then the shell does it.
BY_THE_SHELL: Final[Mapping[str, Callable[[Session, Command, Mapping[str, Any]], Output]]] = {
    "system backup": system_commands.backup,
    "system shell": system_commands.open_shell,
    "system upgrade": system_commands.upgrade,
}


def is_request(command: Command) -> bool:
    """Is it one request, so that the shell has nothing to do but to draw the answer?"""
    return bool(command.do) and command.mode is not Mode.CONFIGURE


def run_command(session: Session, command: Command, arguments: Mapping[str, Any]) -> Output:
    """Do a command. Raises Failed."""
    if command.do == "terminal monitor":
        return terminal_commands.start_monitor(session, arguments)
    if command.do in ("subscriber add", "subscriber password") and "password" not in arguments:
        arguments = {**arguments, "password": _new_secret(session, "Password")}
    if command.do == "hash secret" and "secret" not in arguments:
        arguments = {**arguments, "secret": _new_secret(session, "Secret")}
    if command.do == "rollback" and not arguments.get("is_confirmed"):
        configuration_commands.ask_about_rollback(session, arguments)
    if command.do in ASKED_ABOUT and not arguments.get("is_confirmed"):
        ask_about(session, command)
    if command.do == "system backup" and "passphrase" not in arguments:
        arguments = {**arguments, "passphrase": _new_secret(session, "Passphrase")}
    if command.do == "import routes":
        arguments = {"text": read_text(path_of(arguments["file"]))}
    if command.do in BY_THE_SHELL:
        return BY_THE_SHELL[command.do](session, command, arguments)
    if command.do == "copy tech-support":
        return support_archive(session, command)
    if is_request(command):
        return request(session, command, arguments)
    return HANDLERS[command.name](session, arguments)


def ask_about(session: Session, command: Command) -> None:
    """Ask whether that shall be done. Raises Failed unless the answer is yes; Enter is one."""
    question = f"Proceed with {command.name}?"
    try:
        typed = session.asker.ask(f"{question} [confirm] ").strip().lower()
    except NoOperator:
        raise Failed(question, "Type the same line with `confirm` at its end to do it without a question.") from None
    if typed and not any(word.startswith(typed) for word in ("yes", "confirm")):
        raise Failed("Nothing was done.")


def _new_secret(session: Session, word: str) -> str:
    secret = session.asker.ask(f"{word}: ", is_hidden=True)
    if session.asker.ask(f"Repeat {word.lower()}: ", is_hidden=True) != secret:
        raise Failed(f"The {word.lower()}s do not match; nothing was changed.")
    return secret


def request(session: Session, command: Command, arguments: Mapping[str, Any]) -> Output:
    """Ask the appliance. Raises Failed."""
    if session.is_filtered and not command.is_stream:
        if is_long(command, arguments) and not (command.is_of_node and NODE in arguments):
            return every_row(session, command, arguments, session.is_json)
        arguments = with_everything(command, arguments)
    local = {parameter.name for parameter in command.parameters if parameter.is_local}
    sent = {name: value for name, value in arguments.items() if name not in local}
    if command.is_stream:
        items = session.stream(command.do, sent)
        if arguments.get("save"):
            items = saved(arguments["save"], items)
        columns = 0 if session.is_filtered else session.terminal.columns
        return Output(draw_stream(command, items, arguments, columns), None, items)
    result = session.ask(command.do, sent)
    if command.is_of_node and NODE in sent:
        return of_nodes(command, result.get("nodes", {}), arguments)
    return Output(draw(command, result, arguments), result)


def of_nodes(command: Command, nodes: Mapping[str, Mapping[str, Any]], arguments: Mapping[str, Any]) -> Output:
    """What several nodes show, by name."""
    lines = draw_nodes(nodes, lambda result: draw(command, result, arguments))
    return Output(lines, nodes, has_failed=any(map(has_failed, nodes.values())))


def support_archive(session: Session, command: Command) -> Output:
    """The octets of the archive. What cannot be fetched is raised as Failed while they are taken."""
    items = session.stream(command.do, {})
    return Output(items=items, octets=(b64decode(str(values["data"])) for kind, values in items if kind == "event"))
