"""The grammar of declared commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from appliance.catalogue.command_declaration import Command, Parameter
from appliance.catalogue.value_types import Switch
from cli.grammar import Edge, Node, Slot, graft


def command_grammar(commands: Sequence[Command], beginnings: Mapping[str, str]) -> Node:
    """The node in which every command begins; `beginnings` is the help of words that begin several."""
    root = Node()
    graft_commands(root, commands, beginnings)
    return root


def graft_commands(root: Node, commands: Sequence[Command], beginnings: Mapping[str, str]) -> None:
    """Let the commands begin at `root`."""
    helps = {command.name: command.help for command in commands}
    for command in commands:
        names = [" ".join(command.words[: count + 1]) for count in range(len(command.words))]
        texts = [helps.get(name) or beginnings.get(name, command.help) for name in names]
        graft(root, command.words, texts, _parameters_node(command, command.parameters))


def _parameters_node(command: Command, left: tuple[Parameter, ...]) -> Node:
    """What may follow while these parameters were not given: the first one without a keyword, or any with one."""
    node = Node()
    placed = [parameter for parameter in left if not parameter.keyword]
    if placed:
        node.slot = _slot(command, placed[0], left)
    if not placed or placed[0].is_optional:
        for parameter in (parameter for parameter in left if parameter.keyword):
            node.edges.append(_keyword_edge(command, parameter, left))
    if all(parameter.is_optional for parameter in left):
        node.action = command
    return node


def _keyword_edge(command: Command, parameter: Parameter, left: tuple[Parameter, ...]) -> Edge:
    if isinstance(parameter.kind, Switch):
        node = _parameters_node(command, _without(left, parameter))
        return Edge(parameter.keyword, parameter.help, node, parameter.name)
    return Edge(parameter.keyword, parameter.help, Node(slot=_slot(command, parameter, left)))


def _slot(command: Command, parameter: Parameter, left: tuple[Parameter, ...]) -> Slot:
    node = _parameters_node(command, _without(left, parameter))
    return Slot(parameter.name, parameter.kind, parameter.help, node, parameter.extent, parameter.completes)


def _without(left: tuple[Parameter, ...], parameter: Parameter) -> tuple[Parameter, ...]:
    """What may be given after `parameter`: those by place come before those with keywords."""
    rest = tuple(other for other in left if other is not parameter)
    return rest if not parameter.keyword else tuple(other for other in rest if other.keyword)
