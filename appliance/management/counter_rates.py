"""Rates of counters over the last 5 seconds, minute and five minutes, from samples taken every second or few.

Bounded: those of 15 s, then one every 5 s for five minutes. A counter that has stepped back
(its worker was replaced by one of another version) has rate 0 until it has moved on.
"""

from __future__ import annotations

from collections import deque
from typing import Final

WINDOWS_S: Final = (5.0, 60.0, 300.0)
FINE_S: Final = 15.0
COARSE_STEP_S: Final = 5.0
TOLERANCE_S: Final = 0.5

Counts = dict[str, int]


class Samples:
    """What was counted when."""

    def __init__(self) -> None:
        self._fine: deque[tuple[float, Counts]] = deque()
        self._coarse: deque[tuple[float, Counts]] = deque()

    def add(self, now: float, counts: Counts) -> None:
        """Take a sample; those that are no longer needed go."""
        self._fine.append((now, counts))
        while now - self._fine[0][0] > FINE_S:
            self._fine.popleft()
        if not self._coarse or now - self._coarse[-1][0] >= COARSE_STEP_S - TOLERANCE_S:
            self._coarse.append((now, counts))
        while now - self._coarse[0][0] > WINDOWS_S[-1] + COARSE_STEP_S:
            self._coarse.popleft()

    @property
    def latest(self) -> Counts:
        """The last sample."""
        return self._fine[-1][1] if self._fine else {}

    def rates(self, name: str) -> tuple[float, ...]:
        """Per second, over each of the windows; over what there is, as long as that is shorter."""
        return tuple(self._rate(name, window_s) for window_s in WINDOWS_S)

    def _rate(self, name: str, window_s: float) -> float:
        if not self._fine:
            return 0.0
        now, counts = self._fine[-1]
        then, before = self._sample_before(now - window_s - TOLERANCE_S)
        if now <= then:
            return 0.0
        return round(max(counts.get(name, 0) - before.get(name, 0), 0) / (now - then), 2)

    def _sample_before(self, begin: float) -> tuple[float, Counts]:
        """The oldest sample that is not older than `begin`."""
        samples = [sample for sample in (*self._coarse, *self._fine) if sample[0] >= begin]
        return min(samples, key=lambda sample: sample[0])
