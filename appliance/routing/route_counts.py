"""How often calls have followed each entry of the route tables, where operators want it: `show routing counters`."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

# Table, prefix and action, as operators read them.
Followed = tuple[str, str, str]


class RouteCounts:
    """At most `limit` entries, 0 for none; others are counted together in `uncounted`."""

    __slots__ = ("_counts", "limit", "uncounted")

    def __init__(self, limit: int) -> None:
        self._counts: dict[Followed, int] = {}
        self.limit = limit
        self.uncounted = 0

    def __len__(self) -> int:
        return len(self._counts)

    def note(self, entries: Iterable[Followed]) -> None:
        """A call has followed these."""
        counts = self._counts
        for entry in entries:
            if entry in counts or len(counts) < self.limit:
                counts[entry] = counts.get(entry, 0) + 1
            else:
                self.uncounted += 1

    def rows(self, table: str, limit: int, offset: int) -> tuple[int, list[tuple[Followed, int]]]:
        """How many entries there are, of one table or ("") of all; and so many, the most followed first."""
        own = [(entry, count) for entry, count in self._counts.items() if table in ("", entry[0])]
        own.sort(key=lambda row: (-row[1], row[0]))
        return len(own), list(islice(own, offset, offset + limit))

    def clear(self) -> int:
        """Begin anew; how many entries had been counted."""
        count = len(self._counts)
        self._counts = {}
        self.uncounted = 0
        return count
