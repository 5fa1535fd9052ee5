"""Tables that are wider than the terminal: their columns in groups, one group below the other, nothing cut.

    address            contact                       expires
    alice@example.com  sip:alice@192.0.2.7:5060     50min 0s

    address              q  source
    alice@example.com  1.0  192.0.2.7:5060

Each group begins with the first column, where that leaves room. Knows nothing of terminals.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from cli.output import TableLine

# Of the width, what the first column may take to be repeated.
REPEATED_MAX = 0.4


def folded(lines: Iterable[str], width: int) -> Iterator[str]:
    """The lines with tables folded to a width; 0 is any width."""
    if not width:
        yield from lines
        return
    for _, group in groupby(lines, key=lambda line: id(line.starts) if isinstance(line, TableLine) else 0):
        block = list(group)
        if isinstance(block[0], TableLine) and max(map(len, block)) > width:
            yield from _folded_table([line for line in block if isinstance(line, TableLine)], width)
        else:
            yield from block


def _folded_table(table: Sequence[TableLine], width: int) -> Iterator[str]:
    starts = table[0].starts
    ends = [*starts[1:], max(map(len, table))]
    for number, places in enumerate(_groups(list(zip(starts, ends, strict=True)), width)):
        if number:
            yield ""
        yield from ("".join(_cell(line, start, end) for start, end in places).rstrip() for line in table)


def _cell(line: str, start: int, end: int) -> str:
    return line[start:end].ljust(end - start)


def _groups(places: list[tuple[int, int]], width: int) -> Iterator[list[tuple[int, int]]]:
    """The columns of each group."""
    first = places[0]
    repeated = [first] if first[1] - first[0] <= width * REPEATED_MAX else []
    group: list[tuple[int, int]] = []
    for place in places:
        if group and sum(end - start for start, end in [*group, place]) > width:
            yield group
            group = list(repeated)
        group.append(place)
    yield group
