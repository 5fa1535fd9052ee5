"""Digests of the 256 ranges of a table, now and as they were some seconds ago.

Each is the XOR of a 64-bit hash of every record in the range. What comes and goes is dated; the differences of the last
16 seconds are kept, so that what is newer than a second can be taken out again: two tables that are fed by each other
are never equal now, but they are equal as of then.
"""

from __future__ import annotations

from typing import Final

RANGES: Final = 256
RECENT_SECONDS: Final = 16  # how far back at() can look
AHEAD_MAX_S: Final = 60  # dates further ahead come from a clock that is wrong, or was


class Digests:
    """The digests of one table. Seconds are unix time."""

    __slots__ = ("_recent", "_recent_second", "newest", "now")

    def __init__(self) -> None:
        self.now = [0] * RANGES
        self.newest = 0  # the last second that anything was dated
        self._recent = [[0] * RANGES for _ in range(RECENT_SECONDS)]
        self._recent_second = [0] * RECENT_SECONDS

    def note(self, second: int, place: int, difference: int, clock: int) -> None:
        """A record came to range `place` or went, or both: XOR in the hashes. clock: the second it is now, about."""
        self.now[place] ^= difference
        if second > clock + AHEAD_MAX_S:
            return
        slot = second & (RECENT_SECONDS - 1)
        noted = self._recent_second[slot]
        if noted != second:
            if noted > second:
                return
            self._recent[slot] = [0] * RANGES
            self._recent_second[slot] = second
            self.newest = max(self.newest, second)
        self._recent[slot][place] ^= difference

    def set_back(self, second: int) -> None:
        """The clock was set back to `second`: what is dated after it came before, and cannot be taken out any more."""
        self.newest = min(self.newest, second)
        for slot in range(RECENT_SECONDS):
            if self._recent_second[slot] > second:
                self._recent_second[slot] = 0

    def at(self, second: int) -> list[int]:
        """All of them without what is dated after `second`; [] where that is too long ago to be known."""
        if second <= self.newest - RECENT_SECONDS:
            return []
        digests = self.now.copy()
        for slot in range(RECENT_SECONDS):
            if self._recent_second[slot] > second:
                digests = [digest ^ later for digest, later in zip(digests, self._recent[slot], strict=True)]
        return digests
