"""Long tables behind a filter: all rows, fetched part by part, sorted, and drawn as they come.

Bounded: so many rows are held and sorted at a time; a table that is longer is sorted in blocks, and says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from appliance.catalogue.command_declaration import Command, Field
from cli.output import Footer, Output
from cli.pipes import json_lines, json_text
from cli.session import Session
from cli.views.tables import draw_all_rows, silent_workers_footer

PART_LEN = 1000
BLOCK_LEN = 50_000
ROWS, LIMIT, LINES, ALL = "rows", "limit", "lines", "all"
# What an answer says of its rows.
OWN_NAMES = frozenset({ROWS, "total", "shown", "silent_workers", "next"})
LIMIT_MAX, LINES_MAX = 1000, 10_000

Row = Mapping[str, Any]


def with_everything(command: Command, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """The arguments by which a command shows as much as it can, but for what the operator has limited."""
    names = {parameter.name for parameter in command.parameters if parameter.is_optional}
    most: dict[str, Any] = {LIMIT: LIMIT_MAX, LINES: LINES_MAX}
    if command.do == "show counters":
        most[ALL] = True
    return {**{name: value for name, value in most.items() if name in names}, **arguments}


def is_long(command: Command, arguments: Mapping[str, Any]) -> bool:
    """Is it a table that is read in parts, and not limited by the operator?"""
    return LIMIT not in arguments and rows_field(command) is not None


def rows_field(command: Command) -> Field | None:
    """The field of the rows of a table that is read in parts."""
    return next((field for field in command.result if field.name == ROWS), None)


def every_row(session: Session, command: Command, arguments: Mapping[str, Any], is_json: bool) -> Output:
    """All rows of a long table. What cannot be fetched is raised as Failed while the lines are taken."""
    field = rows_field(command)
    assert field is not None
    silent: list[int] = []
    beside: dict[str, Any] = {}
    parts = _parts(session, command.do, arguments, silent, beside)
    headed = [inner.name for inner in field.fields if inner.heading]
    blocks = _sorted_blocks(parts, headed)
    if is_json:
        return Output(written=_as_json(blocks, silent, beside))
    notes: list[str] = []
    lines = draw_all_rows(field.fields, _noted(blocks, notes))
    return Output(chain(lines, _footers(notes, silent)))


def _parts(
    session: Session, do: str, arguments: Mapping[str, Any], silent: list[int], beside: dict[str, Any]
) -> Iterator[list[Row]]:
    """The rows part by part. `silent` and `beside` get what else the answers say: workers, and names of their own."""
    place = ""
    while True:
        result = session.ask(do, {**arguments, LIMIT: PART_LEN, "after": place})
        silent += result.get("silent_workers", ())
        beside.update({name: value for name, value in result.items() if name not in OWN_NAMES})
        yield list(result.get(ROWS, ()))
        place = str(result.get("next", ""))
        if not place:
            return


def _sorted_blocks(parts: Iterable[list[Row]], names: list[str]) -> Iterator[list[Row]]:
    block: list[Row] = []
    for rows in parts:
        block += rows
        if len(block) >= BLOCK_LEN:
            yield sorted(block, key=lambda row: _key(row, names))
            block = []
    if block:
        yield sorted(block, key=lambda row: _key(row, names))


def _key(row: Row, names: list[str]) -> list[tuple[bool, Any]]:
    """Numbers by size, before words."""
    values = [row.get(name, "") for name in names]
    return [(False, value) if isinstance(value, int | float) else (True, str(value)) for value in values]


def _noted(blocks: Iterable[list[Row]], notes: list[str]) -> Iterator[list[Row]]:
    for number, block in enumerate(blocks):
        if number == 1:
            notes.append(f"Entries are sorted in blocks of {BLOCK_LEN}.")
        yield block


def _footers(notes: list[str], silent: list[int]) -> Iterator[str]:
    yield from map(Footer, notes)
    yield from silent_workers_footer({"silent_workers": silent})


def _as_json(blocks: Iterable[list[Row]], silent: list[int], beside: Mapping[str, Any]) -> Iterator[str]:
    """The document, row by row."""
    yield "{"
    yield '  "rows": ['
    count = 0
    for row in chain.from_iterable(blocks):
        lines = json_lines(row)
        if count:
            yield "    ,"
        yield from (f"    {line}" for line in lines)
        count += 1
    yield "  ],"
    for name, value in beside.items():
        yield f"  {json_text(name)}: {json_text(value)},"
    yield f'  "shown": {count},'
    yield f'  "silent_workers": {silent},'
    yield f'  "total": {count}'
    yield "}"
