"""The part of docs/reference.md about commands: how they are typed, and what they answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from appliance.catalogue.command_declaration import Command, Field, Mode, Right, Shape
from appliance.catalogue.commands import COMMANDS, PIPES

HEADINGS = {
    "Show commands": (Right.VIEW, Mode.BOTH),
    "Exec mode": (Right.VIEW, Mode.EXEC),
    "Privileged exec mode (after `enable`)": (Right.ADMIN, Mode.EXEC),
    "All modes, after `enable`": (Right.ADMIN, Mode.BOTH),
    "Configuration mode": (None, Mode.CONFIGURE),
}

INTRODUCTION = """\
## Commands

Keywords are not case-sensitive and can be abbreviated as long as they are unique. `?` shows help, Tab completes. A
value with spaces requires double quotes. Parameters in brackets are optional; parameters with a keyword can be in any
order. In configuration mode every setting below is a command, too. `no` turns a switch off, deletes a line or section,
or restores a default; `default` restores the default. `do` runs an exec command.
"""

FILTERS = """\
### Filters

After any command, following ` | `; several filters can be chained:
"""

RESULTS = """\
## Results as JSON

The output of `| json` and `--json`. Later versions add names and remove none. Times are Unix time in seconds, sizes are
bytes. An error is `{"error": {"message", "remedy", ...}}`, and the exit status of a script is then 1.
"""

JSON_TYPES = {Shape.TEXTS: "array of strings", Shape.ROWS: "array of objects"}


def commands_part() -> Iterator[str]:
    """The syntax of commands."""
    yield INTRODUCTION
    for heading, (right, mode) in HEADINGS.items():
        yield f"### {heading}\n"
        yield from _table(
            ("command", "description"),
            ((f"`{c.syntax}`", described_command(c)) for c in COMMANDS if c.mode is mode and right in (None, c.right)),
        )
    yield FILTERS
    rows = ((f"`{name} {argument}`".replace(" `", "`"), help) for name, (argument, help) in PIPES.items())
    yield from _table(("filter", "description"), rows)


def described_command(command: Command) -> str:
    """Its help, then each value with its range."""
    values = [
        f"{parameter.kind.placeholder or parameter.keyword}: {parameter.help.rstrip('.')}"
        + (f"; {parameter.kind.range_text}" if parameter.kind.placeholder else "")
        for parameter in command.parameters
    ]
    return " ".join([command.help, *(f"{value}." for value in values)])


def results_part() -> Iterator[str]:
    """The results of commands."""
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
