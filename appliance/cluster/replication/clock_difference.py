"""How much the clock of registrations of another node is behind the own one.

Each message that says what the other clock shows is a bit late; the least late one of a session says most. Clocks
that agree within a second are taken to be equal: then records are carried literally.
"""

from __future__ import annotations

from typing import Final

EQUAL_S: Final = 1.0


class ClockDifference:
    """Of one session of a link."""

    def __init__(self) -> None:
        self._least_s: float | None = None

    def note(self, own: float, other: float) -> None:
        """A message that arrives at `own` says that the other clock showed `other`."""
        difference_s = own - other
        if self._least_s is None or difference_s < self._least_s:
            self._least_s = difference_s

    @property
    def seconds(self) -> float:
        """To be added to a time of the other node; 0.0 where both agree, or nothing is known."""
        if self._least_s is None or abs(self._least_s) < EQUAL_S:
            return 0.0
        return self._least_s
