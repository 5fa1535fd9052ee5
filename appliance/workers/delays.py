"""How long messages wait before they are read, by whichever door they come.

A datagram has its age. A stream has none: there the length of a turn of the loop stands for it, for what comes
in a turn waits for that turn to end. What was measured lately counts, the worst of it.

Knows nothing of what is done about it.
"""

from __future__ import annotations

from typing import Final

# Longer than a turn, shorter than what is called a standing queue.
MEMORY_S: Final = 0.05


class Delays:
    """The newest measure of each door."""

    __slots__ = ("_datagrams", "_turn")

    def __init__(self) -> None:
        self._datagrams = (0.0, 0.0)
        self._turn = (0.0, 0.0)

    def note_datagram(self, age_s: float, now: float) -> None:
        """The oldest datagram that was just read is so old."""
        self._datagrams = (age_s, now)

    def note_turn(self, turn_s: float, now: float) -> None:
        """A turn of the loop took so long."""
        self._turn = (turn_s, now)

    def worst(self, now: float) -> float:
        """The longest delay, in seconds, that was measured lately."""
        worst = 0.0
        for delay_s, measured_at in (self._datagrams, self._turn):
            if delay_s > worst and now - measured_at <= MEMORY_S:
                worst = delay_s
        return worst
