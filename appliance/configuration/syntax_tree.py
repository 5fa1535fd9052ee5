"""The configuration text as a tree: one statement a line, a section's statements indented under it.

    listener phones
      address 127.0.0.1
    !

A line that begins with `!` is a remark. Words are separated by blanks; a word with blanks in it
stands in double quotes, and inside them a backslash takes the next character as it is. A line
belongs to the nearest line above it that is indented less.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from appliance.catalogue.errors import Fault

LINES_MAX = 100_000
LINE_LEN_MAX = 1000
DEPTH_MAX = 8
TAB_WIDTH = 8

_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"(?=[ \t]|$)|([^ \t"]+)')
_PLAIN = re.compile(r'[^ \t"!][^ \t"]*')


@dataclass(frozen=True, slots=True)
class Word:
    """One word; `column` counts from 1."""

    text: str
    column: int


@dataclass(slots=True)
class Statement:
    """One line and the lines under it. `words` is never empty; `line` counts from 1."""

    line: int
    words: tuple[Word, ...]
    children: list[Statement] = field(default_factory=list)

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(word.text for word in self.words)


def parse_statements(text: str) -> tuple[list[Statement], list[Fault]]:
    """The statements of a text, and the faults of the lines that could not be read (they are left out)."""
    faults: list[Fault] = []
    tops: list[Statement] = []
    # The lines above that may still get children: (indentation, statement).
    above: list[tuple[int, Statement]] = []
    lines = text.removeprefix("\ufeff").split("\n")
    if len(lines) > LINES_MAX:
        return [], [Fault(LINES_MAX + 1, 0, f"there are more than {LINES_MAX} lines", "use a smaller file")]
    for number, line in enumerate(lines, 1):
        content = line.rstrip(" \t\r").expandtabs(TAB_WIDTH)
        if not content or content.lstrip(" ").startswith("!"):
            continue
        indentation = len(content) - len(content.lstrip(" "))
        fault = _line_fault(content, number) or _place_fault(indentation, above, number)
        words = () if fault else _split(content)
        if fault or not words:
            faults.append(fault or _quote_fault(content, number))
            continue
        statement = Statement(number, words)
        while above and above[-1][0] >= indentation:
            above.pop()
        (above[-1][1].children if above else tops).append(statement)
        above.append((indentation, statement))
    return tops, faults


def _line_fault(content: str, number: int) -> Fault | None:
    if len(content) > LINE_LEN_MAX:
        return Fault(number, 0, f"the line has more than {LINE_LEN_MAX} characters", "make it shorter")
    for column, character in enumerate(content, 1):
        if not character.isprintable():
            return Fault(number, column, f"invalid character ({character!a})", "delete it")
    return None


def _place_fault(indentation: int, above: Sequence[tuple[int, Statement]], number: int) -> Fault | None:
    if indentation and not above:
        return Fault(number, 0, "the line is indented, but is not in a section", "remove the indentation")
    if len(above) >= DEPTH_MAX and above[-1][0] < indentation:
        return Fault(number, 0, "the line is indented too deep", "reduce the indentation")
    return None


def _split(content: str) -> tuple[Word, ...]:
    """The words of a line; () when its quotes do not match."""
    words: list[Word] = []
    place = 0
    while place < len(content):
        if content[place] == " ":
            place += 1
            continue
        match = _WORD.match(content, place)
        if match is None:
            return ()
        quoted, plain = match.groups()
        text = plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        words.append(Word(text, place + 1))
        place = match.end()
        if place < len(content) and content[place] != " ":
            return ()
    return tuple(words)


def _quote_fault(content: str, number: int) -> Fault:
    remedy = "begin and end the word with a quote, and type \\\" for a quote inside it"
    return Fault(number, content.index('"') + 1, "unmatched double quote, or a double quote inside a word", remedy)


def write_word(word: str) -> str:
    """The word as it is typed: in quotes where it needs them."""
    if _PLAIN.fullmatch(word):
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
