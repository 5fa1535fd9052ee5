"""Every command, declared once; what is typed in configuration mode to set something is made from the settings."""

from __future__ import annotations

from typing import Final

from appliance.catalogue.action_commands import ACTION_COMMANDS
from appliance.catalogue.command_declaration import Command, Mode, Right
from appliance.catalogue.shell_commands import SHELL_COMMANDS
from appliance.catalogue.show_commands import SHOW_COMMANDS

COMMANDS: Final[tuple[Command, ...]] = (*SHOW_COMMANDS, *ACTION_COMMANDS, *SHELL_COMMANDS)

# The help of words that begin several commands.
BEGINNINGS: Final = {
    "show": "Look at something.",
    "show configuration": "The history of the configuration.",
    "test": "Try something without doing it.",
    "ping": "Ask whether somebody is there.",
    "traceroute": "Find the way to a host.",
    "debug": "Look at live traffic.",
    "terminal": "Set this terminal.",
    "terminal no": "Take a setting of this terminal back.",
    "acknowledge": "Note that you have seen something.",
    "clear": "Forget something.",
    "drain": "Take something out of use, gently.",
    "undrain": "Put something that was drained into use again.",
    "restart": "Start something anew.",
    "subscriber": "Change who may register.",
    "copy": "Write something elsewhere.",
    "copy running-config": "Nothing: a commit is saved at once.",
}

# What other systems call what is called otherwise here: an operator types it, and is told.
HABITS: Final = {
    "discard": "abort",
    "erase": "no",
    "interface": "listener",
    "root": "end",
    "show interfaces": "show listeners",
    "show processors": "show processes",
    "top": "end",
    "undebug": "debug sip, which ends by itself",
    "undo": "no",
    "username": "operator",
}

# What follows `|` after a command.
PIPES: Final = {
    "include": ("REGEX", "Only lines in which it is found."),
    "exclude": ("REGEX", "Only lines in which it is not found."),
    "begin": ("REGEX", "From the first line in which it is found."),
    "section": ("REGEX", "Only sections in whose first line it is found."),
    "count": ("", "How many lines."),
    "redirect": ("FILE", "Into a file on the machine of this shell; it has to come last."),
    "json": ("", "The result for programs; it has to come first."),
}


def commands_of(mode: Mode, right: Right) -> tuple[Command, ...]:
    """The commands that may be typed in a mode by somebody with that right."""
    return tuple(
        command
        for command in COMMANDS
        if command.mode in (mode, Mode.BOTH) and (command.right is Right.LOOK or right is Right.ACT)
    )
