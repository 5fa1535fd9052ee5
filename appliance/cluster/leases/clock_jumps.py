"""Has this machine stood still? Clocks that run on, or are set right, while it does tell it: suspended machines by the
boot clock, machines that were paused or moved by unix time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

JUMP_S: Final = 0.05


class ClockJumps:
    """Compares clocks in each turn of a loop."""

    def __init__(self, read: Callable[[], tuple[float, float, float]] | None = None) -> None:
        """`read` gives the monotonic clock, the boot clock and unix time."""
        self._clocks = read or _clocks
        self._offsets = self._read()

    def has_jumped(self) -> bool:
        """Has one of the clocks gained on the monotonic one since the last call? A clock set back does not count."""
        before, self._offsets = self._offsets, self._read()
        return any(after - earlier > JUMP_S for earlier, after in zip(before, self._offsets, strict=True))

    def _read(self) -> tuple[float, float]:
        while True:
            monotonic, boot, unix = self._clocks()
            # A process that was held up between two clocks reads them again.
            if self._clocks()[0] - monotonic < JUMP_S / 5:
                return boot - monotonic, unix - monotonic


def _clocks() -> tuple[float, float, float]:
    return time.monotonic(), time.clock_gettime(time.CLOCK_BOOTTIME), time.time()
