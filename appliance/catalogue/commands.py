"""Every command, declared once; what is typed in configuration mode to set something is made from the settings."""

from __future__ import annotations

from typing import Final

from appliance.catalogue.action_commands import ACTION_COMMANDS
from appliance.catalogue.address_commands import ADDRESS_COMMANDS
from appliance.catalogue.cluster_commands import CLUSTER_COMMANDS
from appliance.catalogue.command_declaration import Command, Mode, Right
from appliance.catalogue.dns_commands import DNS_COMMANDS
from appliance.catalogue.machine_commands import MACHINE_COMMANDS
from appliance.catalogue.node_parameter import with_node
from appliance.catalogue.routing_commands import ROUTING_COMMANDS
from appliance.catalogue.shell_commands import SHELL_COMMANDS
from appliance.catalogue.show_commands import SHOW_COMMANDS
from appliance.catalogue.snmp_commands import SNMP_COMMANDS

_DECLARED: Final = (
    *SHOW_COMMANDS,
    *MACHINE_COMMANDS,
    *ACTION_COMMANDS,
    *SNMP_COMMANDS,
    *CLUSTER_COMMANDS,
    *ADDRESS_COMMANDS,
    *DNS_COMMANDS,
    *ROUTING_COMMANDS,
    *SHELL_COMMANDS,
)
COMMANDS: Final[tuple[Command, ...]] = tuple(map(with_node, _DECLARED))
# What the nodes of a cluster ask of each other.
NODE_REQUESTS: Final = frozenset(command.do for command in COMMANDS if command.is_of_node)

# The help of words that begin several commands.
BEGINNINGS: Final = {
    "show": "Show information.",
    "show configuration": "Configuration history.",
    "show dns": "DNS and the hosts it leads to.",
    "show routing": "Routing of calls to telephone numbers.",
    "test": "Test without making changes.",
    "ping": "Test whether a host is reachable.",
    "traceroute": "Trace the path to a host.",
    "debug": "Show live traffic.",
    "monitor": "Show live events.",
    "terminal": "Terminal settings.",
    "terminal no": "Reset a terminal setting.",
    "acknowledge": "Acknowledge an alarm.",
    "clear": "Clear data.",
    "drain": "Drain a worker.",
    "undrain": "Return a drained worker to service.",
    "restart": "Restart a worker.",
    "system": "Restart the machine or power it off.",
    "cluster": "Move virtual addresses between nodes.",
    "snmp": "Test the SNMP agent.",
    "subscriber": "Manage subscribers.",
    "copy": "Copy data.",
    "copy running-config": "No operation: every commit is saved.",
}

# Commands of other systems, and what to type here instead.
HABITS: Final = {
    "discard": "abort",
    "erase": "no",
    "root": "end",
    "show processors": "show processes",
    "top": "end",
    "undebug": "debug sip (it stops automatically)",
    "undo": "no",
    "username": "operator",
}

# What follows `|` after a command.
PIPES: Final = {
    "include": ("REGEX", "Only lines that match."),
    "exclude": ("REGEX", "Only lines that do not match."),
    "begin": ("REGEX", "Start at the first line that matches."),
    "section": ("REGEX", "Only sections whose first line matches."),
    "count": ("", "Count the lines, without headings."),
    "redirect": ("FILE", "Write to a local file; must be the last filter."),
    "json": ("", "JSON output; must be the first filter."),
}


def commands_of(mode: Mode, right: Right) -> tuple[Command, ...]:
    """The commands that may be typed in a mode with that right."""
    return tuple(
        command
        for command in COMMANDS
        if command.mode in (mode, Mode.BOTH) and (command.right is Right.VIEW or right is Right.ADMIN)
    )
