"""The rate at which tables are compared: it depends on the idle time of both machines. Calls have precedence.

While they are idle the rate grows; as soon as they are not, it is taken back. It does not fall below a rate by which a
million addresses are compared in a minute, for a machine that is never idle needs the other node most. Pure.
"""

from __future__ import annotations

from typing import Final

RATE_MIN: Final = 20_000.0  # addresses a second
RATE_FIRST: Final = 60_000.0
RATE_MAX: Final = 500_000.0
LOOK_S: Final = 0.1
# Of all processors: below the first share it goes slower, above the second one faster.
TOO_LITTLE: Final = 0.10
ENOUGH: Final = 0.20
SLOWER: Final = 0.7
FASTER: Final = 1.25


class WalkPace:
    """`rate`: addresses a second. Call `note` again and again while tables are compared."""

    def __init__(self) -> None:
        self.rate = RATE_FIRST
        self._look_at = 0.0

    def is_look_due(self, now: float) -> bool:
        """Is it time to look how idle the machines are?"""
        return now >= self._look_at

    def note(self, idle: float, now: float) -> None:
        """The share of the processors that was idle since the last look, on the busier machine."""
        self._look_at = now + LOOK_S
        if idle < TOO_LITTLE:
            self.rate = max(RATE_MIN, self.rate * SLOWER)
        elif idle > ENOUGH:
            self.rate = min(RATE_MAX, self.rate * FASTER)
