"""The grammar of the commands with their parameters, and of the settings, that the catalogue declares.

    port 5062                    in its section
    listener phones port 5062    from the top, in one line
    no listener phones           removes the section
    default port                 restores the default
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from appliance.catalogue.cluster_values import ListenerAddress
from appliance.catalogue.command_declaration import Command, Extent, Parameter
from appliance.catalogue.machine_values import InterfaceLine, LogHost
from appliance.catalogue.password_hash import SecretHash
from appliance.catalogue.peers import Peer
from appliance.catalogue.region_values import OwnedSection
from appliance.catalogue.setting_declaration import Section, Setting, declared, sections
from appliance.catalogue.snmp_values import SnmpLine
from appliance.catalogue.time_window import TimeWindowText
from appliance.catalogue.translation_values import HeaderField, NumberRule
from appliance.catalogue.value_types import Choices, Kind, Remark, Switch, Text
from appliance.manual.reference import write_default
from cli.grammar import Edge, Node, Slot, graft

# Kinds whose values are several words.
WITH_PARTS = (
    *(Choices, HeaderField, InterfaceLine, ListenerAddress, LogHost, NumberRule, OwnedSection, Peer, Remark, SnmpLine),
    TimeWindowText,
)
NAME = "name"
VALUE = "value"
SECRET_LEN_MAX = 256
# What Tab offers out of the candidate: the names of its sections, and the values of a setting that has many.
NAMES_OF = "names-of"
VALUES_OF = "values-of"


class Verb(Enum):
    """What an edit does; the value is the word typed before it."""

    SET = ""
    NO = "no"
    DEFAULT = "default"


VERB_HELP = {
    Verb.NO: "Disable a setting, remove a line or section, or restore a default.",
    Verb.DEFAULT: "Restore the default of a setting or section.",
}


@dataclass(frozen=True, slots=True)
class Edit:
    """A setting to change. The arguments of the line hold its value, and the name of its section."""

    verb: Verb
    section: Section | None
    setting: Setting


@dataclass(frozen=True, slots=True)
class Visit:
    """A section to enter or, by `no` and `default`, to take away. The name is in the arguments of the line."""

    verb: Verb
    section: Section


# -- settings --------------------------------------------------------------------------------------


def graft_settings(root: Node, settings_class: type[Any], section: Section | None = None) -> None:
    """Let all settings of a class begin at `root`, and with `no` and `default` before them; sections, too."""
    _graft_verb(root, settings_class, section, Verb.SET)
    for verb in (Verb.NO, Verb.DEFAULT):
        node = Node()
        _graft_verb(node, settings_class, section, verb)
        root.edges.append(Edge(verb.value, VERB_HELP[verb], node))


def _graft_verb(root: Node, settings_class: type[Any], section: Section | None, verb: Verb) -> None:
    settings = declared(settings_class)
    for setting in settings:
        graft(root, setting.words, _helps(setting, settings), _setting_node(Edit(verb, section, setting)))
    if section is None:
        for inner in sections(settings_class):
            graft(root, (inner.keyword,), (inner.help,), _section_node(inner, verb))


def _helps(setting: Setting, settings: Sequence[Setting]) -> list[str]:
    """The help of each word of a setting; that of a word that several begin with says what may follow."""
    helps = []
    for count in range(1, len(setting.words)):
        alike = [other for other in settings if other.words[:count] == setting.words[:count]]
        words = list(dict.fromkeys(other.words[count] for other in alike))
        helps.append(f"Options: {', '.join(words)}." if len(words) > 1 else setting.help)
    return [*helps, setting.help]


def _setting_node(edit: Edit) -> Node:
    setting = edit.setting
    if setting.is_switch:
        return Node(action=edit)
    kind, after = _typed_kind(setting.kind), Node(action=edit)
    slot = Slot(VALUE, kind, setting.help, after, _extent(setting), note=_note(setting))
    if edit.verb is Verb.NO and setting.is_many:
        slot = replace(slot, completes=f"{VALUES_OF} {setting.attribute}")
    if edit.verb is Verb.SET or (edit.verb is Verb.NO and setting.is_many):
        return Node(slot=slot)
    # The value may be typed, as by an operator who puts `no` before a line of the configuration.
    return Node(slot=slot if edit.verb is Verb.NO else None, action=edit)


def is_hashed(kind: Kind) -> bool:
    """Is it a secret that is kept as a hash?"""
    return isinstance(kind, SecretHash)


def _typed_kind(kind: Kind) -> Kind:
    """The kind of what is typed: a secret is typed in plain text."""
    return Text(SECRET_LEN_MAX, "SECRET") if is_hashed(kind) else kind


def _extent(setting: Setting) -> Extent:
    has_parts = isinstance(setting.kind, WITH_PARTS)
    return Extent.WORDS if has_parts else Extent.ONE


def _note(setting: Setting) -> str:
    default = "" if setting.is_many else f"default {write_default(setting).strip('`')}, "
    return f"({default}applied: {setting.effect.value})"


def _section_node(section: Section, verb: Verb) -> Node:
    inner = Node(action=Visit(verb, section))
    _graft_verb(inner, section.settings_class, section, verb)
    if section.name_kind is None:
        return inner
    help = f"The name of the {section.keyword}."
    return Node(slot=Slot(NAME, section.name_kind, help, inner, completes=f"{NAMES_OF} {section.attribute}"))


# -- commands --------------------------------------------------------------------------------------


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
