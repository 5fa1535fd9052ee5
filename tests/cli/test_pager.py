"""Pages, keys and search, without a terminal."""

from __future__ import annotations

import pytest

from cli.pager import HELP, MORE, Pager

LINES = [f"line {number}" for number in range(1, 11)]


class Typist:
    """A terminal of 20 columns and 5 rows."""

    def __init__(self, keys: str, search: str = "", rows: int = 5) -> None:
        self._keys = list(keys)
        self._search = search
        self._rows = rows

    def size(self) -> tuple[int, int]:
        return 20, self._rows

    def key(self) -> str:
        return self._keys.pop(0) if self._keys else ""

    def line(self, label: str) -> str:
        return self._search


def shown(typist: Typist, lines: list[str], length: int | None = None) -> list[str]:
    written: list[str] = []
    Pager(typist, length, written.append).show(lines)
    return [text.strip("\r\n ") or "erased" for text in written if text.strip() or text == "\n"]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("", [*LINES[:4], "--More--"]),
        ("q", [*LINES[:4], "--More--"]),
        (" q", [*LINES[:4], "--More--", *LINES[4:8], "--More--"]),
        ("\nq", [*LINES[:4], "--More--", LINES[4], "--More--"]),
        ("  ", [*LINES[:4], "--More--", *LINES[4:8], "--More--", *LINES[8:]]),
        ("?q", [*LINES[:4], "--More--", HELP, "--More--"]),
    ],
)
def test_keys(keys: str, expected: list[str]) -> None:
    assert shown(Typist(keys), LINES) == expected


def test_a_search_goes_on_where_it_is_found() -> None:
    assert shown(Typist("/q", "line 9"), LINES) == [*LINES[:4], "--More--", "line 9", "line 10"]
    assert shown(Typist("/q", "nowhere"), LINES)[-1] == "Pattern not found"


@pytest.mark.parametrize("length", [0, 100])
def test_what_fits_is_shown_at_once(length: int) -> None:
    assert shown(Typist(""), LINES, length) == LINES


def test_length_is_how_many_lines_are_shown_at_a_time() -> None:
    assert shown(Typist("q"), LINES, 3) == [*LINES[:3], "--More--"]


def test_a_long_line_takes_as_many_rows_as_it_fills() -> None:
    assert shown(Typist("q"), ["x" * 50, "short", "more"]) == ["x" * 50, "short", "--More--"]


def test_a_terminal_of_unknown_height_has_no_pages() -> None:
    assert shown(Typist("", rows=0), LINES) == LINES


def test_the_mark_of_a_page_is_erased() -> None:
    written: list[str] = []
    Pager(Typist("q"), 3, written.append).show(LINES)
    assert written[-2:] == [MORE, "\r" + " " * len(MORE) + "\r"]
