"""How long messages wait before they are read, from any socket.

A datagram has its age. A stream has none: there the length of a turn of the loop stands for it, for what comes
in a turn waits for that turn to end. Where more comes than a turn may take, it is as well how long a source waits for
its turn, or a message of a sibling; what a source has to wait for its own messages before is no delay of the others.
What was measured lately counts, the worst of it.
"""

from __future__ import annotations

from typing import Final

# Longer than a turn, shorter than what is called a standing queue.
MEMORY_S: Final = 0.05


class QueueDelay:
    """The newest measure of each door."""

    __slots__ = ("_datagram_s", "_datagram_until", "_queue_s", "_queue_until", "_turn_s", "_turn_until")

    def __init__(self) -> None:
        self._datagram_s = self._datagram_until = 0.0
        self._turn_s = self._turn_until = 0.0
        self._queue_s = self._queue_until = 0.0

    def note_datagram(self, age_s: float, now: float) -> None:
        """The oldest datagram that was just read is so old."""
        self._datagram_s = age_s
        self._datagram_until = now + MEMORY_S

    def note_turn(self, turn_s: float, now: float) -> None:
        """A turn of the loop took so long."""
        self._turn_s = turn_s
        self._turn_until = now + MEMORY_S

    def note_queue(self, waited_s: float, now: float) -> None:
        """What is handled now had waited so long for its turn."""
        if waited_s >= self._queue_s or now > self._queue_until:
            self._queue_s = waited_s
            self._queue_until = now + MEMORY_S

    def worst(self, now: float) -> float:
        """The longest delay, in seconds, that was measured lately."""
        worst = self._datagram_s if now <= self._datagram_until else 0.0
        if self._turn_s > worst and now <= self._turn_until:
            worst = self._turn_s
        return self._queue_s if self._queue_s > worst and now <= self._queue_until else worst
