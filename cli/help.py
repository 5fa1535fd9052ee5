"""Help by `?`: the words that are possible at the cursor, with a line of help for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from appliance.catalogue.commands import PIPES
from appliance.catalogue.value_types import Choice, Choices, Integer, Kind, helps_of
from cli.errors import Mistake
from cli.grammar import Node, Slot, follow, matching_edges
from cli.tokens import Token, split_line

ENTER = "<cr>"
EXECUTE = "Execute the command."
GAP = 2


def help_lines(roots: Sequence[Node], text: str) -> list[str]:
    """The help for what stands before the cursor, by the first grammar that has some. Raises the first Mistake."""
    *others, last = roots
    for root in others:
        with suppress(Mistake):
            return _help_lines(root, text)
    try:
        return _help_lines(last, text)
    except Mistake:
        return _help_lines(roots[0], text)


def _help_lines(root: Node, text: str) -> list[str]:
    line = split_line(text)
    if line.pipes:
        return _columns(list(_pipe_rows(line.pipes[-1][1])))
    tokens, partial = split_partial(text, line.tokens)
    node = follow(root, tokens).node
    rows = list(_word_rows(node, partial))
    if node.slot is not None and (partial is None or not rows):
        rows.extend(_value_rows(node.slot, partial))
    if partial is None and node.action is not None:
        rows.append((ENTER, EXECUTE))
    if not rows and partial is not None:
        follow(root, [*tokens, partial])
    return _columns(rows)


def split_partial(text: str, tokens: tuple[Token, ...]) -> tuple[list[Token], Token | None]:
    """The whole words, and the one that is still being typed: the last, where no blank follows it."""
    if (tokens and not text[-1].isspace()) or (tokens and not tokens[-1].is_closed):
        return list(tokens[:-1]), tokens[-1]
    return list(tokens), None


def _word_rows(node: Node, partial: Token | None) -> Iterator[tuple[str, str]]:
    edges = [edge for edge in node.edges if partial is None or edge.word.startswith(partial.text.lower())]
    if partial is not None and not matching_edges(node, partial):
        edges = []
    for edge in sorted(edges, key=lambda edge: edge.word):
        yield edge.word, edge.help


def _value_rows(slot: Slot, partial: Token | None) -> Iterator[tuple[str, str]]:
    typed = partial.text.lower() if partial is not None else ""
    words, helps = words_of(slot.kind), dict(helps_of(slot.kind))
    for word in words:
        if word.startswith(typed):
            yield word, f"{helps.get(word, slot.help)} {slot.note}".rstrip()
    if not isinstance(slot.kind, Choice | Choices):
        text = slot.kind.range_text
        help = slot.help if isinstance(slot.kind, Integer) else f"{slot.help} Type {text}."
        yield range_of(slot.kind), f"{help} {slot.note}".rstrip()


def words_of(kind: Kind) -> tuple[str, ...]:
    """The words that a value of the kind may be."""
    if isinstance(kind, Choice | Choices):
        return kind.words
    if isinstance(kind, Integer) and kind.zero_word:
        return (kind.zero_word,)
    return ()


def range_of(kind: Kind) -> str:
    """A value in help: `<1-65535>` for a number, else its placeholder."""
    if isinstance(kind, Integer):
        return f"<{kind.least}-{kind.most}>" + (f" {kind.unit}" if kind.unit else "")
    return kind.placeholder


def _pipe_rows(text: str) -> Iterator[tuple[str, str]]:
    words = text.split()
    if len(words) > 1 or (words and text[-1].isspace()):
        word = next((pipe for pipe in PIPES if pipe.startswith(words[0].lower())), "")
        if word and PIPES[word][0]:
            yield PIPES[word]
        if word and (len(words) > 1 or not PIPES[word][0]):
            yield ENTER, EXECUTE
        return
    for name, (_, help) in PIPES.items():
        if not words or name.startswith(words[0].lower()):
            yield name, help


def _columns(rows: list[tuple[str, str]]) -> list[str]:
    width = max((len(word) for word, _ in rows), default=0)
    return [f"  {word.ljust(width + GAP)}{help}".rstrip() for word, help in rows]

