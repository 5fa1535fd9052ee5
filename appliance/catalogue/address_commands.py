"""The commands that order about virtual addresses and nodes of a cluster; each may be typed at any node."""

from __future__ import annotations

from typing import Final

from appliance.catalogue import results
from appliance.catalogue.command_declaration import Command, Parameter, act
from appliance.catalogue.value_types import Choice, Name, Text

_HERE: Final = Parameter("node", Name(), "The node (default: this one).", is_optional=True, completes="node")
_ON_OR_OFF: Final = Choice(("on", "off"), ("Addresses move only by order.", "Nodes take over."))

# fmt: off
ADDRESS_COMMANDS: Final[tuple[Command, ...]] = (
    act("cluster switchover", "Move a virtual address to another node.", "cluster switchover", (
        Parameter("address", Text(64, "ADDRESS"), "The name of the virtual address, or one of its IP addresses.",
                  completes="virtual-address"),
        Parameter("node", Name(), "The node that gets it (default: the most preferred one).", "to", is_optional=True,
                  completes="node"),
    ), results.SENTENCE),
    act("cluster drain", "Move all virtual addresses away from a node, until `cluster undrain`.", "cluster drain",
        (_HERE,), results.SENTENCE),
    act("cluster undrain", "Let a drained node own virtual addresses again.", "cluster undrain", (_HERE,),
        results.SENTENCE),
    act("cluster maintenance",
        "Turn take-overs without an order off or on, on all nodes.",
        "cluster maintenance",
        (Parameter("state", _ON_OR_OFF, "Maintenance on or off."),),
        results.SENTENCE),
    act("cluster rotate-key",
        "Seal tokens with a new key; what the key before the present one has sealed opens no more.",
        "cluster rotate-key",
        (Parameter("how", Choice(("force",), ("Do not wait for nodes.",)),
                   "Use the key that is being distributed, without the nodes that lack it.", is_optional=True),),
        results.SENTENCE),
)
# fmt: on
