"""From a typed line to the lines it shows: understood, done, drawn, filtered.

Knows nothing of terminals and scripts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cli.output import Output
from cli.pipes import filters_of, json_line, json_lines
from cli.printable import seen
from cli.session import Session
from cli.tokens import split_line


@dataclass(frozen=True, slots=True)
class Shown:
    """Lines to show; those of a stream come as they happen, so they are not held back page by page."""

    lines: Iterator[str]
    is_stream: bool


def execute(session: Session, text: str, is_json: bool = False) -> Shown:
    """Do what a line says. Raises Mistake or Failed, a stream also while its lines are taken."""
    line = split_line(text)
    wants_json, filters = filters_of(line)
    session.remember(text)
    output = session.execute(line)
    lines: Iterable[str] = _as_json(output) if is_json or wants_json else output.lines
    for filter_ in filters:
        lines = filter_(lines)
    return Shown((seen(line) for line in lines), output.items is not None)


def _as_json(output: Output) -> Iterator[str]:
    """The document; of a stream each event on a line, and how it ended."""
    if output.items is not None:
        yield from (json_line({kind: content}) for kind, content in output.items)
    elif output.document is not None:
        yield from json_lines(output.document)
