"""The filters of lines that follow `|`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from appliance.catalogue.commands import PIPES
from appliance.catalogue.errors import alternatives, nearest
from cli.errors import AMBIGUOUS, INCOMPLETE, INVALID, Mistake
from cli.output import Heading
from cli.tokens import Line, split_words

Lines = Iterable[str]
Filter = Callable[[Lines], Iterator[str]]
JSON = "json"
REDIRECT = "redirect"


def file_of(line: Line) -> str:
    """The file that the lines go to; "" for none. Raises Mistake."""
    named = [_pipe(column, text) for column, text in line.pipes]
    for name, _, column in named[:-1]:
        if name == REDIRECT:
            raise Mistake(column, INVALID, "`redirect` must be the last filter", "move it to the end of the line")
    return _unquoted(named[-1][1]) if named and named[-1][0] == REDIRECT else ""


def filters_of(line: Line) -> tuple[bool, list[Filter]]:
    """Is the result wanted as JSON, and the filters in order. Raises Mistake."""
    named = [_pipe(column, text) for column, text in line.pipes]
    is_json = bool(named) and named[0][0] == JSON
    for place, (name, _, column) in enumerate(named):
        if name == JSON and place > 0:
            raise Mistake(column, INVALID, "`json` must be the first filter", "move it behind the first `|`")
    return is_json, [_filter(name, argument, column) for name, argument, column in named[is_json:] if name != REDIRECT]


def _pipe(column: int, text: str) -> tuple[str, str, int]:
    """The name of a pipe, its argument, and where the argument (else the name) is."""
    word, _, argument = text.strip().partition(" ")
    place = column + len(text) - len(text.lstrip())
    name = _name_of(word, place)
    wants = PIPES[name][0]
    if wants and not argument.strip():
        raise Mistake(column + len(text), INCOMPLETE, f"`{name}` needs an argument", f"type {wants} after it")
    if argument.strip() and not wants:
        raise Mistake(place + len(word) + 1, INVALID, f"nothing may follow `{name}`", f"type `{name}` alone")
    return name, argument.strip(), place + len(word) + 1 if wants else place


def _name_of(word: str, column: int) -> str:
    if not word:
        raise Mistake(column, INCOMPLETE, "a filter is missing after `|`", f"type {alternatives(PIPES)}")
    found = [name for name in PIPES if name.startswith(word.lower())]
    if len(found) > 1:
        raise Mistake(column, AMBIGUOUS, f'"{word}" could be {alternatives(found)}', "type more letters")
    if not found:
        guess = nearest(word, PIPES)
        remedy = f'did you mean "{guess}"?' if guess else f"type {alternatives(PIPES)}"
        raise Mistake(column, INVALID, f'unknown filter "{word}"', remedy)
    return found[0]


def _filter(name: str, argument: str, column: int) -> Filter:
    if name == "count":
        return _count
    pattern = _pattern(argument, column)
    if name == "include":
        return lambda lines: (line for line in lines if pattern.search(line))
    if name == "exclude":
        return lambda lines: (line for line in lines if not pattern.search(line))
    if name == "begin":
        return lambda lines: _begin(lines, pattern)
    return lambda lines: _section(lines, pattern)


def _pattern(argument: str, column: int) -> re.Pattern[str]:
    try:
        return re.compile(_unquoted(argument))
    except re.error as fault:
        problem = f"invalid regular expression ({fault.msg})"
        remedy = "type a backslash before a character to match it literally"
        raise Mistake(column + (fault.pos or 0), INVALID, problem, remedy) from None


def _unquoted(argument: str) -> str:
    words = split_words(argument)
    return words[0].text if len(words) == 1 and words[0].is_quoted else argument


def _count(lines: Lines) -> Iterator[str]:
    """How many rows or lines there are, without headings."""
    number = sum(not isinstance(line, Heading) for line in lines)
    yield f"{number} line{'' if number == 1 else 's'}"


def _begin(lines: Lines, pattern: re.Pattern[str]) -> Iterator[str]:
    has_begun = False
    for line in lines:
        has_begun = has_begun or bool(pattern.search(line))
        if has_begun:
            yield line


def _section(lines: Lines, pattern: re.Pattern[str]) -> Iterator[str]:
    """A line that is not indented and in which it is found, with the indented lines below it."""
    is_inside = False
    for line in lines:
        if line and not line[0].isspace():
            is_inside = not line.startswith("!") and bool(pattern.search(line))
        if is_inside:
            yield line


def json_lines(document: Any) -> list[str]:
    """The document for programs."""
    return json.dumps(document, indent=2).split("\n")


def json_line(event: Mapping[str, Any]) -> str:
    """One event for programs, on one line."""
    return json.dumps(event)


def json_text(value: Any) -> str:
    """One value for programs."""
    return json.dumps(value)
