"""How fast the machine is just now: what load tests ask of it goes by that, for others may be at work on it."""

from __future__ import annotations

import time
from typing import Final

import pytest

# CPU seconds that the loop takes where the rates that the tests name can be had, with room for those beside them.
FAST_ENOUGH_S: Final = 0.06
_LOOPS: Final = 1_000_000
_TRIES: Final = 3


def _loop_s() -> float:
    begun = time.process_time()
    total = 0
    for number in range(_LOOPS):
        total += number
    return time.process_time() - begun


SLOWNESS: Final = max(1.0, min(_loop_s() for _ in range(_TRIES)) / FAST_ENOUGH_S)
"""1, or how many times slower this machine is than the tests would have it."""


def rate(per_s: int) -> int:
    """So many a second, or as many fewer as the machine is slower."""
    return max(int(per_s / SLOWNESS), 1)


def within(seconds: float) -> float:
    """So many seconds, or as many more as the machine is slower."""
    return seconds * SLOWNESS


STATISTICAL: Final = pytest.mark.flaky(reruns=2)
"""For a test of a rate or a share, which other programs on the machine can spoil: it is tried three times at most, and
the report names each try that failed."""
