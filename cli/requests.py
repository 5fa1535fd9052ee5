"""Commands that are one request: the arguments that are sent, and the view of what comes back."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from appliance.catalogue.command_declaration import Command
from cli.capture_saving import saved
from cli.long_tables import every_row, is_long, with_everything
from cli.output import Output
from cli.session import Session
from cli.views.registry import draw, draw_stream


def request(session: Session, command: Command, arguments: Mapping[str, Any]) -> Output:
    """Ask the appliance. Raises Failed."""
    if session.is_filtered and not command.is_stream:
        if is_long(command, arguments):
            return every_row(session, command, arguments, session.is_json)
        arguments = with_everything(command, arguments)
    local = {parameter.name for parameter in command.parameters if parameter.is_local}
    sent = {name: value for name, value in arguments.items() if name not in local}
    if command.is_stream:
        items = session.stream(command.do, sent)
        if arguments.get("save"):
            items = saved(arguments["save"], items)
        return Output(draw_stream(command, items, arguments), None, items)
    result = session.ask(command.do, sent)
    return Output(draw(command, result, arguments), result)


def support_archive(session: Session, command: Command) -> Output:
    """The octets of the archive. What cannot be fetched is raised as Failed while they are taken."""
    items = session.stream(command.do, {})
    return Output(items=items, octets=(b64decode(str(values["data"])) for kind, values in items if kind == "event"))
