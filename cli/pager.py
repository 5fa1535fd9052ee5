"""Long output, page by page, as IOS does it: blank for a page, Enter for a line, `/` searches, q ends."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Protocol

MORE = " --More-- "
ERASED = "\r" + " " * len(MORE) + "\r"
HELP = "Space: next page   Enter: next line   /: search   q: quit"


class Keys(Protocol):
    """Where keys and the size of the terminal come from."""

    def size(self) -> tuple[int, int]:
        """Columns and rows; 0 rows when unknown."""

    def key(self) -> str:
        """The next key; "" when there will be none."""

    def line(self, label: str) -> str:
        """A line typed behind a label."""


class Pager:
    """Shows lines by `write`; `length` is how many at a time, None the height of the terminal, 0 all of them."""

    def __init__(self, keys: Keys, length: int | None, write: Callable[[str], None]) -> None:
        self._keys = keys
        self._write = write
        self._columns, rows = keys.size()
        self._page = rows - 1 if length is None else length
        self._room = self._page
        self._wanted: re.Pattern[str] | None = None

    def show(self, lines: Iterable[str]) -> None:
        """Until the lines end or the operator has seen enough."""
        for line in lines:
            if self._page > 0 and self._room < self._rows_of(line) and not self._wait():
                return
            if self._wanted is not None and not self._wanted.search(line):
                continue
            self._wanted = None
            self._write(f"{line}\n")
            self._room -= self._rows_of(line)
        if self._wanted is not None:
            self._write("Pattern not found\n")

    def _rows_of(self, line: str) -> int:
        """Rows of the terminal that a line takes, one page at most."""
        return min(self._page, max(1, -(-len(line) // max(1, self._columns))))

    def _wait(self) -> bool:
        """Let the operator choose how to continue; False to stop."""
        while True:
            self._write(MORE)
            key = self._keys.key()
            self._write(ERASED)
            if key in ("q", "Q", "\x1b", ""):
                return False
            if key in ("?", "h"):
                self._write(f"{HELP}\n")
                continue
            if key == "/":
                self._wanted = _pattern(self._keys.line("/"))
            self._room = 1 if key in ("\r", "\n") else self._page
            return True


def _pattern(text: str) -> re.Pattern[str]:
    """What is searched for: a regular expression, or the text itself where it is none."""
    try:
        return re.compile(text)
    except re.error:
        return re.compile(re.escape(text))
