"""The virtual clock of a simulation: what happens when."""

from __future__ import annotations

import heapq
from collections.abc import Callable


class Schedule:
    """Deeds by the time they are due; deeds of one time in the order they were planned."""

    def __init__(self, now: float) -> None:
        self.now = now
        self._deeds: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    def after(self, delay_s: float, deed: Callable[[], None]) -> None:
        """Plan a deed."""
        self._count += 1
        heapq.heappush(self._deeds, (self.now + delay_s, self._count, deed))

    def next_due(self) -> float:
        """When the next deed is due; infinity when nothing is planned."""
        return self._deeds[0][0] if self._deeds else float("inf")

    def do_next(self) -> None:
        """Move the clock to the next deed and do it."""
        due, _, deed = heapq.heappop(self._deeds)
        self.now = max(self.now, due)
        deed()
