"""The grammar as a graph, and the walk of typed words through it.

A node says which words and which value may follow, and what the line means if it ends there. A word may be
shortened while it stays unique among the words of its node; a word that is none of them is the value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from appliance.catalogue.command_declaration import Extent
from appliance.catalogue.errors import ValueFault, alternatives, nearest
from appliance.catalogue.value_types import Kind
from cli.errors import AMBIGUOUS, INCOMPLETE, INVALID, Mistake
from cli.tokens import Token

NAMES_MAX = 8


@dataclass(frozen=True, slots=True)
class Edge:
    """A word that may follow. `flag` is an argument that is True because the word was typed."""

    word: str
    help: str
    node: Node
    flag: str = ""


@dataclass(frozen=True, slots=True)
class Slot:
    """A value that may follow, for the argument `name`. `note` follows the help of each value."""

    name: str
    kind: Kind
    help: str
    node: Node
    extent: Extent = Extent.ONE
    completes: str = ""
    note: str = ""


@dataclass(slots=True)
class Node:
    """What may follow here. `action` is what a line that ends here means; None when it is not complete."""

    edges: list[Edge] = field(default_factory=list)
    slot: Slot | None = None
    action: Any = None


@dataclass(frozen=True, slots=True)
class Meaning:
    """A line that was understood: its action, its arguments, and its words without abbreviations."""

    action: Any
    arguments: dict[str, Any]
    words: tuple[str, ...]


@dataclass(slots=True)
class Walk:
    """How far words lead: the node they end at, and what was gathered on the way."""

    node: Node
    arguments: dict[str, Any]
    words: list[str]


def understand(root: Node, tokens: Sequence[Token]) -> Meaning:
    """What the words mean. Raises Mistake."""
    walk = follow(root, tokens)
    if walk.node.action is None:
        raise _incomplete(walk.node, tokens)
    return Meaning(walk.node.action, walk.arguments, tuple(walk.words))


def follow(root: Node, tokens: Sequence[Token]) -> Walk:
    """Walk the words from `root`. Raises Mistake at the first one that leads nowhere."""
    walk = Walk(root, {}, [])
    place = 0
    while place < len(tokens):
        place += _step(walk, tokens, place)
    return walk


def _step(walk: Walk, tokens: Sequence[Token], place: int) -> int:
    """Take the word at `place`, or for a long value all that follow; returns how many were taken."""
    token, node = tokens[place], walk.node
    found = matching_edges(node, token)
    if len(found) > 1:
        # `conf t` can only be `configure terminal`, although `conf` alone may be `confirm`.
        found = [edge for edge in found if _leads_on(edge.node, tokens[place + 1 :])] or found
    if len(found) > 1:
        raise Mistake(token.column, AMBIGUOUS, f'"{token.text}" could be {_names(found)}', "type more letters")
    if found:
        return _take_word(walk, found[0])
    if node.slot is None:
        raise _invalid(node, token)
    return _take_value(walk, node.slot, tokens[place:])


def _leads_on(node: Node, tokens: Sequence[Token]) -> bool:
    """May these words, at least one, follow here?"""
    try:
        follow(node, tokens)
    except Mistake:
        return False
    return bool(tokens)


def _take_word(walk: Walk, edge: Edge) -> int:
    walk.words.append(edge.word)
    if edge.flag:
        walk.arguments[edge.flag] = True
    walk.node = edge.node
    return 1


def matching_edges(node: Node, token: Token) -> list[Edge]:
    """The words of the node that the token may be: the one it is, else those it begins."""
    if token.is_quoted or not token.text:
        return []
    typed = token.text.lower()
    exact = [edge for edge in node.edges if edge.word == typed]
    return exact or [edge for edge in node.edges if edge.word.startswith(typed)]


def _take_value(walk: Walk, slot: Slot, tokens: Sequence[Token]) -> int:
    texts = [token.text for token in tokens]
    count = 1 if slot.extent is Extent.ONE else len(tokens)
    words = [" ".join(texts)] if slot.extent is Extent.TEXT else texts[:count]
    try:
        value = slot.kind.read(words)
    except ValueFault as fault:
        token = tokens[0 if slot.extent is Extent.TEXT else min(fault.word, count - 1)]
        raise Mistake(token.column, INVALID, fault.problem, fault.remedy) from None
    walk.arguments[slot.name] = value
    walk.words.extend(slot.kind.write(value))
    walk.node = slot.node
    return count


def _names(edges: Sequence[Edge]) -> str:
    return alternatives(sorted(edge.word for edge in edges))


def _invalid(node: Node, token: Token) -> Mistake:
    names = sorted(edge.word for edge in node.edges)
    if not names:
        return Mistake(token.column, INVALID, f'unexpected "{token.text}"', "the command ends before it")
    problem = f'unknown keyword "{token.text}"'
    guess = nearest(token.text, names)
    if guess:
        return Mistake(token.column, INVALID, problem, f'did you mean "{guess}"?', guess)
    return Mistake(token.column, INVALID, problem, _what_to_type(names))


def _what_to_type(names: Sequence[str]) -> str:
    if len(names) > NAMES_MAX:
        return "type `?` in its place for the options"
    return f"type {alternatives(names)}"


def _incomplete(node: Node, tokens: Sequence[Token]) -> Mistake:
    names = sorted(edge.word for edge in node.edges)
    names += [node.slot.kind.placeholder] if node.slot is not None else []
    end = tokens[-1].column + len(tokens[-1].text) + 1 if tokens else 0
    so_far = " ".join(token.text for token in tokens)
    remedy = f"type {alternatives(names)}" if len(names) <= NAMES_MAX else "type ` ?` for the options"
    return Mistake(end, INCOMPLETE, f'more is required after "{so_far}"', remedy)


# -- making a graph ----------------------------------------------------------------------------------


def graft(root: Node, words: Sequence[str], helps: Sequence[str], leaf: Node) -> None:
    """Let `leaf` follow on `words`; words that are there already are shared. `helps` has one for each word."""
    node = root
    for word, help in zip(words, helps, strict=True):
        edge = next((edge for edge in node.edges if edge.word == word), None)
        if edge is None:
            edge = Edge(word, help, Node())
            node.edges.append(edge)
        node = edge.node
    assert node.action is None and node.slot is None, f"two things have the words {' '.join(words)}"
    node.edges.extend(leaf.edges)
    node.slot, node.action = leaf.slot, leaf.action
