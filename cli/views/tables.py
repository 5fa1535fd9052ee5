"""Results as tables, by the declaration of their fields: how a value is drawn follows from its name.

`_s` durations, `_per_s` rates, `wall_time` and `since` times, `rss` and `size` bytes. What is missing is drawn as `-`.
A table that is wider than the terminal is drawn in groups of columns, each beginning with the first column where that
leaves room:

    address            contact                       expires
    alice@example.com  sip:alice@192.0.2.7:5060     50min 0s

    address              q  source
    alice@example.com  1.0  192.0.2.7:5060
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from appliance.catalogue.command_declaration import Field, Shape
from cli.output import Footer, Heading, TableLine, table_line

GAP = "  "
NOTHING = "-"
NO_ROWS = Footer("No entries.")
MIB = 1024 * 1024
TIMES = ("wall_time", "since")
# The first column is repeated where it takes at most this much of the width.
REPEATED_MAX = 0.4


def draw_result(fields: Sequence[Field], result: Mapping[str, Any]) -> Iterator[str]:
    """All fields that have a heading, one below the other, and every table."""
    yield from draw_scalars(fields, result)
    for field in fields:
        if field.shape is Shape.ROWS:
            yield from draw_rows(field.fields, result.get(field.name, ()))
    yield from limit_footer(result)
    yield from silent_workers_footer(result)


def draw_scalars(fields: Iterable[Field], result: Mapping[str, Any]) -> Sequence[str]:
    """`heading  value`, one a line."""
    named = [field for field in fields if field.heading and field.shape is not Shape.ROWS and field.name in result]
    return columns([[field.heading, cell(field, result[field.name])] for field in named], has_headings=False)


def draw_rows(fields: Sequence[Field], rows: Sequence[object]) -> Sequence[str]:
    """The rows, maps or objects, under the headings of those fields that have one; `none` when there are no rows."""
    shown = [field for field in fields if field.heading]
    if not rows:
        return [NO_ROWS]
    table = [[cell(field, _value_of(row, field.name)) for field in shown] for row in rows]
    return columns([[field.heading for field in shown], *table])


def _value_of(row: object, name: str) -> Any:
    return row.get(name) if isinstance(row, Mapping) else getattr(row, name, None)


def draw_all_rows(fields: Sequence[Field], blocks: Iterable[Sequence[Mapping[str, Any]]]) -> Iterator[str]:
    """The rows of a long table, block by block, in columns as wide as the first block needs."""
    shown = [field for field in fields if field.heading]
    widths: list[int] = []
    are_numbers: list[bool] = []
    for block in blocks:
        table = [[cell(field, row.get(field.name)) for field in shown] for row in block]
        if not widths:
            table.insert(0, [field.heading for field in shown])
            widths, are_numbers = measured(table)
            yield Heading(drawn(table.pop(0), widths, are_numbers))
        yield from (drawn(line, widths, are_numbers) for line in table)
    if not widths:
        yield NO_ROWS


def silent_workers_footer(result: Mapping[str, Any]) -> Iterator[str]:
    """A line for each worker whose rows are missing."""
    yield from (Footer(f"Worker {worker} did not answer; its entries are missing.") for worker in _silent(result))


def _silent(result: Mapping[str, Any]) -> Iterable[Any]:
    silent = result.get("silent_workers", ())
    return silent if isinstance(silent, list | tuple) else ()


def limit_footer(result: Mapping[str, Any]) -> Iterator[str]:
    total, shown = result.get("total"), result.get("shown")
    if isinstance(total, int) and isinstance(shown, int) and total > shown:
        yield Footer(f"{shown} of {total} entries shown; `limit NUMBER` shows more, a filter searches all of them.")


def cell(field: Field, value: Any) -> str:
    """One value as it is drawn."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value) or NOTHING
    if not isinstance(value, int | float):
        return str(value)
    return _number(field, value)


def _number(field: Field, value: float) -> str:
    if field.name in TIMES:
        return time_text(value)
    if field.name.endswith("_per_s"):
        return f"{value:g}/s"
    if field.name.endswith("_s"):
        return duration(value)
    if "MiB" in field.heading:
        return f"{value / MIB:.0f}"
    return str(value) if isinstance(value, int) else f"{value:.1f}"


def time_text(wall_time: float) -> str:
    """A time as the operator's clock shows it."""
    return datetime.fromtimestamp(wall_time).strftime("%Y-%m-%d %H:%M:%S")


def duration(seconds: float) -> str:
    """`3d 4h`, `2h 5min`, `40s`: the two largest units."""
    parts: list[str] = []
    left = int(seconds)
    for length, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        amount, left = divmod(left, length)
        if amount or parts:
            parts.append(f"{amount}{unit}")
    return " ".join(parts[:2]) or "0s"


def columns(lines: Sequence[Sequence[str]], has_headings: bool = True) -> Sequence[TableLine]:
    """Cells in columns: numbers to the right, words to the left; the first line is that of the headings, if any."""
    if not lines:
        return []
    widths, are_numbers = measured(lines)
    starts = tuple(sum(widths[:place]) + place * len(GAP) for place in range(len(widths)))
    texts = [drawn(line, widths, are_numbers) for line in lines]
    return [table_line(text, starts, has_headings and place == 0) for place, text in enumerate(texts)]


def measured(lines: Sequence[Sequence[str]]) -> tuple[list[int], list[bool]]:
    """How wide each column is, and whether it holds numbers only; the first line is that of the headings."""
    places = range(len(lines[0]))
    widths = [max(len(line[place]) for line in lines) for place in places]
    return widths, [all(_is_number(line[place]) for line in lines[1:] or lines) for place in places]


def drawn(line: Sequence[str], widths: Sequence[int], are_numbers: Sequence[bool]) -> str:
    """One line of a table; a cell that is too long pushes those behind it."""
    cells = zip(line, widths, are_numbers, strict=True)
    return GAP.join(text.rjust(width) if is_number else text.ljust(width) for text, width, is_number in cells).rstrip()


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).removeprefix("-").isdigit() or text == NOTHING


# -- tables wider than the terminal ----------------------------------------------------------------


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


# -- lists of words --------------------------------------------------------------------------------


def in_rows(words: Sequence[str], width: int) -> list[str]:
    """The words in columns of one width, row by row."""
    column = max((len(word) for word in words), default=0) + len(GAP)
    count = max(1, width // column)
    rows = [words[place : place + count] for place in range(0, len(words), count)]
    return ["".join(word.ljust(column) for word in row).rstrip() for row in rows]
