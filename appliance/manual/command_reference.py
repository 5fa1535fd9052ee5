"""The part of docs/reference.md about commands: how they are typed, and what they answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from appliance.catalogue.command_declaration import Command, Field, Mode, Right, Shape
from appliance.catalogue.commands import COMMANDS, PIPES

HEADINGS = {
    "Looking": (Right.LOOK, Mode.BOTH),
    "At the first prompt": (Right.LOOK, Mode.EXEC),
    "At the first prompt, after `enable`": (Right.ACT, Mode.EXEC),
    "Everywhere, after `enable`": (Right.ACT, Mode.BOTH),
    "In configuration mode": (None, Mode.CONFIGURE),
}

INTRODUCTION = """\
## Commands

Words may be in any case and may be shortened while they stay unique; `?` shows what may follow, Tab completes. A value
with blanks in it stands in double quotes. What stands in brackets may be left out; values with a word of their own may
come in any order. In configuration mode every setting below is a command, too: alone, after `no` (a switch off, a line
or a section away, any other setting to its default), or after `default`; `do` takes any command of the first prompt.
"""

FILTERS = """\
### Filters

Behind ` | `, after any command, one after another:
"""

RESULTS = """\
## Results as JSON

What `| json` and `--json` print. Later versions add names and take none away. Times are Unix time in seconds, sizes are
bytes. A failure is `{"error": {"message", "remedy", ...}}`, and the exit status of a script is then 1.
"""

JSON_TYPES = {Shape.TEXTS: "array of strings", Shape.ROWS: "array of objects"}


def commands_part() -> Iterator[str]:
    """How commands are typed."""
    yield INTRODUCTION
    for heading, (right, mode) in HEADINGS.items():
        yield f"### {heading}\n"
        yield from _table(
            ("command", "what it does"),
            ((f"`{c.syntax}`", _what_it_does(c)) for c in COMMANDS if c.mode is mode and right in (None, c.right)),
        )
    yield FILTERS
    rows = ((f"`{name} {argument}`".replace(" `", "`"), help) for name, (argument, help) in PIPES.items())
    yield from _table(("filter", "what is left"), rows)


def _what_it_does(command: Command) -> str:
    """Its help, then each value with its range."""
    values = [
        f"{parameter.kind.placeholder or parameter.keyword}: {parameter.help.rstrip('.')}"
        + (f"; {parameter.kind.range_text}" if parameter.kind.placeholder else "")
        for parameter in command.parameters
    ]
    return " ".join([command.help, *(f"{value}." for value in values)])


def results_part() -> Iterator[str]:
    """What commands answer."""
    yield RESULTS
    for command in COMMANDS:
        if command.result or command.events:
            yield from _result_part(command)


def _result_part(command: Command) -> Iterator[str]:
    yield f"### `{command.name}`\n"
    if command.events:
        yield 'A line of JSON for each `{"event": ...}`, at the end one with `{"result": ...}`. An event has:\n'
        yield from _table(("name", "type", "meaning"), _rows(command.events, ""))
    if command.events and command.result:
        yield "The result has:\n"
    if command.result:
        yield from _table(("name", "type", "meaning"), _rows(command.result, ""))


def _rows(fields: Iterable[Field], prefix: str) -> Iterator[tuple[str, ...]]:
    for field in fields:
        yield f"`{prefix}{field.name}`", JSON_TYPES.get(field.shape, field.shape.value), field.help
        yield from _rows(field.fields, f"{prefix}{field.name}[].")


def _table(heading: Iterable[str], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    names = tuple(heading)
    yield f"| {' | '.join(names)} |"
    yield "|" + "---|" * len(names)
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
    yield ""
