"""Completion by Tab: the letters added to the word before the cursor, and the possible words.

Live names (addresses, workers, commits) come from a function that the caller passes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from appliance.catalogue.commands import PIPES
from appliance.configuration.syntax_tree import write_word
from cli.errors import Mistake
from cli.grammar import Node, Slot, follow
from cli.help import split_partial, words_of
from cli.tokens import Token, split_line

# what, the letters so far -> the words
LiveNames = Callable[[str, str], list[str]]


@dataclass(frozen=True, slots=True)
class Completion:
    """`addition` is to be typed for the operator; `words` are what the word may become, when there are several."""

    addition: str
    words: tuple[str, ...] = ()


def complete(roots: Sequence[Node], text: str, live_names: LiveNames) -> Completion:
    """What Tab does behind `text`, by the first grammar that has a completion; nothing where the text is wrong."""
    found = (_complete(root, text, live_names) for root in roots)
    return next((completion for completion in found if completion != NOTHING), NOTHING)


def _complete(root: Node, text: str, live_names: LiveNames) -> Completion:
    line = split_line(text)
    if line.pipes:
        return _of_words(line.pipes[-1][1].lstrip(), list(PIPES)) if " " not in line.pipes[-1][1].strip() else NOTHING
    tokens, partial = split_partial(text, line.tokens)
    typed = partial.text if partial is not None else ""
    try:
        walk = follow(root, tokens)
    except Mistake:
        return NOTHING
    if partial is not None and partial.is_quoted:
        return NOTHING
    return _of_words(typed, _words_after(walk.node, tokens, typed, live_names))


NOTHING = Completion("")


def _words_after(node: Node, tokens: list[Token], typed: str, live_names: LiveNames) -> list[str]:
    words = [edge.word for edge in node.edges if edge.word.startswith(typed.lower())]
    if node.slot is not None:
        words.extend(_values(node.slot, tokens, typed, live_names))
    return sorted(words)


def _values(slot: Slot, tokens: list[Token], typed: str, live_names: LiveNames) -> list[str]:
    words = [word for word in words_of(slot.kind) if word.startswith(typed.lower())]
    if not slot.completes:
        return words
    return words + [word for word in live_names(slot.completes, typed) if word.startswith(typed)]


def _of_words(typed: str, words: list[str]) -> Completion:
    found = [word for word in words if word.lower().startswith(typed.lower())]
    if not found:
        return NOTHING
    if len(found) == 1:
        return _whole(typed, found[0])
    return Completion(_in_common(found)[len(typed) :], tuple(found))


def _in_common(words: list[str]) -> str:
    """The letters with which all the words begin."""
    first, last = min(words), max(words)
    length = next((place for place, letter in enumerate(first) if letter != last[place]), len(first))
    return first[:length]


def _whole(typed: str, word: str) -> Completion:
    """The rest of the only word, and a blank; a folder is not finished by it."""
    if write_word(word) != word:
        return Completion("", (write_word(word),))
    return Completion(word[len(typed) :] + ("" if word.endswith("/") else " "))
