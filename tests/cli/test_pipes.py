"""Filters behind a bar."""

from __future__ import annotations

import pytest

from cli.errors import Mistake
from cli.pipes import filters_of
from cli.tokens import split_line

LINES = ["hostname box", "listener phones", "  port 5062", "  authenticate", "!", "registrar", "  contacts 3", "!"]


def piped(text: str) -> list[str]:
    is_json, filters = filters_of(split_line(text))
    assert not is_json
    lines = iter(LINES)
    for filter_ in filters:
        lines = filter_(lines)
    return list(lines)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("show run", LINES),
        ("show run | include port", ["  port 5062"]),
        ("show run | i ^h|^r", ["hostname box", "registrar"]),
        ("show run | exclude ^ |!", ["hostname box", "listener phones", "registrar"]),
        ("show run | begin registrar", ["registrar", "  contacts 3", "!"]),
        ("show run | section listener", ["listener phones", "  port 5062", "  authenticate"]),
        ("show run | sec phones | include port", ["  port 5062"]),
        ("show run | count", ["8 lines"]),
        ("show run | include port | count", ["1 line"]),
        ('show run | include "s 3"', ["  contacts 3"]),
        ("show run | include nothing", []),
    ],
)
def test_a_filter(text: str, lines: list[str]) -> None:
    assert piped(text) == lines


def test_json_comes_first() -> None:
    assert filters_of(split_line("show clock | json"))[0]
    is_json, filters = filters_of(split_line("show clock | j | include x"))
    assert is_json and len(filters) == 1
    with pytest.raises(Mistake, match="must be the first filter"):
        filters_of(split_line("show clock | include x | json"))


@pytest.mark.parametrize(
    ("text", "column", "problem"),
    [
        ("show clock | ", 13, "a filter is missing after `|`"),
        ("show clock | x", 13, 'unknown filter "x"'),
        ("show clock | inclde x", 13, 'did you mean "include"'),
        ("show clock | include", 20, "`include` needs an argument"),
        ("show clock | count 5", 19, "nothing may follow `count`"),
        ("show clock | include a(b", 22, "invalid regular expression"),
    ],
)
def test_a_filter_that_is_wrong_is_pointed_at(text: str, column: int, problem: str) -> None:
    with pytest.raises(Mistake) as mistake:
        filters_of(split_line(text))
    assert problem in str(mistake.value)
    assert mistake.value.column == column


def test_a_bar_in_quotes_or_in_a_word_begins_no_pipe() -> None:
    assert split_line('debug sip call "a | b"').pipes == ()
    assert split_line("debug sip call a|b").pipes == ()
    line = split_line('debug sip call "a | b" | count')
    assert [token.text for token in line.tokens] == ["debug", "sip", "call", "a | b"]
