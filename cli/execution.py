"""From a typed line to its output: the line is parsed, carried out, drawn and filtered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cli.files import write_lines
from cli.output import Footer, Output, printable
from cli.pipes import Filter, file_of, filters_of, json_line, json_lines
from cli.session import Session
from cli.tokens import split_line
from cli.views.tables import NO_ROWS, folded


@dataclass(frozen=True, slots=True)
class Shown:
    """Lines to show; those of a stream come as they happen, so they are not held back page by page.

    `has_failed`: a script ends after them, with the exit status of a failure.
    """

    lines: Iterator[str]
    is_stream: bool
    octets: Iterable[bytes] | None = None
    has_failed: bool = False


def execute(session: Session, text: str, is_json: bool = False) -> Shown:
    """Execute a line. Raises Mistake or Failed, a stream also while its lines are taken."""
    line = split_line(session.without_alias(text))
    wants_json, filters = filters_of(line)
    path = file_of(line)
    session.remember(text)
    session.is_filtered, session.is_json = bool(line.pipes), is_json or wants_json
    output = session.execute(line)
    if output.octets is not None and not session.is_json:
        return Shown(iter(()), True, output.octets)
    lines: Iterable[str] = _as_json(output) if session.is_json else output.lines
    width = 0 if session.is_filtered or output.items is not None else session.terminal.columns
    wanted = (printable(line) for line in folded(_filtered(lines, filters), width))
    if path:
        return Shown(_into_file(wanted, path), False, has_failed=output.has_failed)
    return Shown(wanted, output.items is not None, has_failed=output.has_failed)


def _into_file(lines: Iterator[str], path: str) -> Iterator[str]:
    """Write the lines to a file, and report how many. Raises Failed."""
    count = write_lines(path, lines)
    yield f"{count} line{'' if count == 1 else 's'} written to {path}."


def _filtered(lines: Iterable[str], filters: Sequence[Filter]) -> Iterator[str]:
    """The lines that filters leave; what is no row comes behind them."""
    if not filters:
        yield from lines
        return
    footers: list[str] = []
    lines = _rows(lines, footers)
    for filter_ in filters:
        lines = filter_(lines)
    yield from lines
    yield from footers


def _rows(lines: Iterable[str], footers: list[str]) -> Iterator[str]:
    for line in lines:
        if not isinstance(line, Footer):
            yield line
        elif line != NO_ROWS:
            footers.append(line)


def _as_json(output: Output) -> Iterator[str]:
    """The document; of a stream each event on a line, and how it ended."""
    if output.items is not None:
        yield from (json_line({kind: content}) for kind, content in output.items)
    elif output.document is not None:
        yield from json_lines(output.document)
    else:
        yield from output.written
