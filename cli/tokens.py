"""The typed line as words with their positions, and the pipes that follow.

    show log | include "two words"      words: show log      pipes: include "two words"

A word with blanks in it stands in double quotes. A bar with blanks around it begins a pipe.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_WORD = re.compile(r'"((?:[^"\\]|\\.)*)("?)|([^\s"]+)')
_BAR = re.compile(r"(?:(?<=\s)|^)\|(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Token:
    """One word; `column` counts from 0. A quoted word is never taken for an abbreviation."""

    text: str
    column: int
    is_quoted: bool = False
    is_closed: bool = True


@dataclass(frozen=True, slots=True)
class Line:
    """A line: the words of the command, and each pipe as (its column, its text without the bar)."""

    tokens: tuple[Token, ...]
    pipes: tuple[tuple[int, str], ...]


def split_line(text: str) -> Line:
    """The words and pipes of a line."""
    parts = _split_at_bars(text)
    pipes = tuple((column, part) for column, part in parts[1:])
    return Line(split_words(parts[0][1]), pipes)


def split_words(text: str) -> tuple[Token, ...]:
    """The words of a text without pipes."""
    tokens: list[Token] = []
    for match in _WORD.finditer(text):
        quoted, end, plain = match.groups()
        if plain is not None:
            tokens.append(Token(plain, match.start()))
        else:
            tokens.append(Token(re.sub(r"\\(.)", r"\1", quoted), match.start(), True, bool(end)))
    return tuple(tokens)


def _split_at_bars(text: str) -> list[tuple[int, str]]:
    """The command and what stands behind each bar, with the column where it begins; bars in quotes are text."""
    quoted = [match.span() for match in _WORD.finditer(text) if match.group(1) is not None]
    bars = [
        match.start() for match in _BAR.finditer(text) if not any(start < match.start() < end for start, end in quoted)
    ]
    starts = [0, *(bar + 1 for bar in bars)]
    ends = [*bars, len(text)]
    return [(start, text[start:end]) for start, end in zip(starts, ends, strict=True)]
