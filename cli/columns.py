"""Words side by side, as many in a row as there is room for."""

from __future__ import annotations

from collections.abc import Sequence

GAP = 2


def in_rows(words: Sequence[str], width: int) -> list[str]:
    """The words in columns of one width, row by row."""
    column = max((len(word) for word in words), default=0) + GAP
    count = max(1, width // column)
    rows = [words[place : place + count] for place in range(0, len(words), count)]
    return ["".join(word.ljust(column) for word in row).rstrip() for row in rows]
