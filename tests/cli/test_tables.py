"""Tables that fit the terminal: every word of them is still there."""

from __future__ import annotations

import pytest

from cli.views.registry import draw
from cli.views.tables import columns, folded
from tests.cli.shells import new_session, script
from tests.cli.stand_in import CANNED, StandIn
from tests.cli.test_views import command_of

TABLE = [["name", "first", "second", "third"], ["a", "1", "some words", "x"], ["longer", "20", "more", "yy"]]


def test_a_table_that_fits_is_left_alone() -> None:
    lines = columns(TABLE)
    assert list(folded(lines, 80)) == list(lines) == list(folded(lines, 0))


def test_a_table_that_is_too_wide_is_shown_in_groups_that_begin_with_the_first_column() -> None:
    assert list(folded(["TITLE", *columns(TABLE), "the end"], 21)) == [
        "TITLE",
        "name    first",
        "a           1",
        "longer     20",
        "",
        "name    second",
        "a       some words",
        "longer  more",
        "",
        "name    third",
        "a       x",
        "longer  yy",
        "the end",
    ]


@pytest.mark.parametrize("do", CANNED)
def test_every_table_fits_80_columns_and_loses_nothing(do: str) -> None:
    lines = list(draw(command_of(do), CANNED[do], {}))
    shown = list(folded(lines, 80))
    words = {word for line in lines for word in line.split()}
    assert words == {word for line in shown for word in line.split()}
    if do in ("show workers", "show status", "show processes", "show listeners", "show users"):
        assert max(map(len, shown)) <= 80


def test_the_width_is_that_of_the_terminal_unless_it_is_set(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    whole = script(session, "show workers").lines
    session.terminal.measure = lambda: 80
    assert max(map(len, script(session, "show workers").lines)) <= 80
    assert script(session, "terminal width 0", "show workers").lines == whole
    assert max(map(len, script(session, "terminal width 60", "show workers").lines)) <= 60
    assert script(session, "terminal no width", "show workers | include live").lines == whole[1:]
    assert "width: terminal width" in script(session, "show terminal").out
