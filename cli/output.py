"""What a command returns: lines for the terminal, and the same as a document for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

# ("event", what came) again and again, then ("result", how it ended)
Item = tuple[str, dict[str, Any]]


@dataclass(slots=True)
class Output:
    """`lines` may come slowly. `document` is the same for programs, None for nothing; `items` that of a stream.

    `written` is a document that is too long to be held: its lines. `octets` are for a file or a pipe, and no lines.
    `has_failed`: a part of it could not be shown, and the output says so.
    """

    lines: Iterable[str] = ()
    document: Any = None
    items: Iterator[Item] | None = None
    written: Iterable[str] = ()
    octets: Iterable[bytes] | None = None
    has_failed: bool = False


NOTHING = Output()


class Footer(str):
    """A line below a table that is no row of it: filters leave it alone."""

    __slots__ = ()


class Heading(str):
    """A line above rows that is none of them: it is not counted."""

    __slots__ = ()


def said(*lines: str, document: Any = None) -> Output:
    """A few sentences."""
    return Output(lines, document)


class TableLine(str):
    """A line of a table; `starts` are the places at which its columns begin, and one object for the whole table."""

    __slots__ = ("starts",)
    starts: tuple[int, ...]


class TableHeading(TableLine, Heading):
    """The headings of the columns of a table."""

    __slots__ = ()


def table_line(text: str, starts: tuple[int, ...], is_heading: bool = False) -> TableLine:
    """The text as a line of a table."""
    line = TableHeading(text) if is_heading else TableLine(text)
    line.starts = starts
    return line


def printable(line: str) -> str:
    """The line with its control characters escaped: text from the network must not control the terminal."""
    if line.isprintable():
        return line
    letters = line.expandtabs()
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in letters)
