"""Has this machine stood still? Clocks that run on, or are set right, while it does tell it: suspended machines by the
boot clock, machines that were paused or moved by unix time."""

from __future__ import annotations

import time
from typing import Final

JUMP_S: Final = 0.05


class ClockJumps:
    """Compares clocks in each turn of a loop."""

    def __init__(self) -> None:
        self._offsets = self._read()

    def has_jumped(self) -> bool:
        """Has one of the clocks gained on the monotonic one since the last call? A clock set back does not count."""
        before, self._offsets = self._offsets, self._read()
        return any(after - earlier > JUMP_S for earlier, after in zip(before, self._offsets, strict=True))

    def _read(self) -> tuple[float, float]:
        while True:
            begun = time.monotonic()
            boot, unix = time.clock_gettime(time.CLOCK_BOOTTIME), time.time()
            if time.monotonic() - begun < JUMP_S / 5:
                return boot - begun, unix - begun
