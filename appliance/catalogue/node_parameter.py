"""`node NAME|all`: commands whose result is that of one node can be asked of the other nodes of the cluster as well."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from appliance.catalogue.command_declaration import Command, Parameter
from appliance.catalogue.value_types import Name

NODE: Final = "node"
ALL_NODES: Final = "all"
# What Tab offers: the names of the nodes and `all`.
NODES: Final = "nodes"
NODE_PARAMETER: Final = Parameter(
    NODE, Name(), f"A node of the cluster, or `{ALL_NODES}` (default: this node).", NODE, True, NODES
)


def with_node(command: Command) -> Command:
    """The command with the parameter, where it is declared to be of a node."""
    return replace(command, parameters=(*command.parameters, NODE_PARAMETER)) if command.is_of_node else command
