"""How long messages wait before they are read, by whichever door they come.

A datagram has its age. A stream has none: there the length of a turn of the loop stands for it, for what comes
in a turn waits for that turn to end. What was measured lately counts, the worst of it.
"""

from __future__ import annotations

from typing import Final

# Longer than a turn, shorter than what is called a standing queue.
MEMORY_S: Final = 0.05


class QueueDelay:
    """The newest measure of each door."""

    __slots__ = ("_datagram_s", "_datagram_until", "_turn_s", "_turn_until")

    def __init__(self) -> None:
        self._datagram_s = self._datagram_until = 0.0
        self._turn_s = self._turn_until = 0.0

    def note_datagram(self, age_s: float, now: float) -> None:
        """The oldest datagram that was just read is so old."""
        self._datagram_s = age_s
        self._datagram_until = now + MEMORY_S

    def note_turn(self, turn_s: float, now: float) -> None:
        """A turn of the loop took so long."""
        self._turn_s = turn_s
        self._turn_until = now + MEMORY_S

    def worst(self, now: float) -> float:
        """The longest delay, in seconds, that was measured lately."""
        worst = self._datagram_s if now <= self._datagram_until else 0.0
        return self._turn_s if self._turn_s > worst and now <= self._turn_until else worst
