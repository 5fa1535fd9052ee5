"""Status codes that come too often (RFC 4780 sipCommonStatusCodeNotifTable): responses of an interval, a threshold.

It is fed with the counts of the node now and then. Each crossing is told once: the next one only after the number of an
interval has been at the threshold or below.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from appliance.catalogue.snmp_status_codes import StatusThreshold

# So many looks in an interval.
LOOKS: Final = 10
LOOK_MIN_S, LOOK_MAX_S = 1.0, 30.0
DIRECTIONS: Final = ("received", "sent")

Traffic = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Crossing:
    """A threshold was exceeded by responses that were received, or sent. `count`: all since the node was started."""

    of: StatusThreshold
    direction: str
    count: int


@dataclass(slots=True)
class _Watched:
    """`looks`: (time, count) of an interval, the oldest first."""

    looks: deque[tuple[float, int]] = field(default_factory=deque)
    is_exceeded: bool = False


class StatusCodeMonitor:
    """Times are monotonic."""

    def __init__(self) -> None:
        self._thresholds: tuple[StatusThreshold, ...] = ()
        self._watched: dict[tuple[StatusThreshold, str], _Watched] = {}

    def go_by(self, thresholds: Sequence[StatusThreshold]) -> None:
        """Look at these from now on; those that stay go on."""
        self._thresholds = tuple(thresholds)
        keys = [(threshold, direction) for threshold in thresholds for direction in DIRECTIONS]
        self._watched = {key: self._watched.get(key) or _Watched() for key in keys}

    @property
    def pause_s(self) -> float | None:
        """The time between two looks; None where there is nothing to look at."""
        shortest = min((threshold.interval_s for threshold in self._thresholds), default=None)
        return None if shortest is None else min(max(shortest / LOOKS, LOOK_MIN_S), LOOK_MAX_S)

    def look(self, traffic: Traffic, now: float) -> Iterator[Crossing]:
        """What was exceeded since the last look."""
        for (threshold, direction), watched in self._watched.items():
            count = traffic.get(f"{direction} {threshold.method} {threshold.code}", 0)
            is_more = _within(watched.looks, threshold.interval_s, count, now) > threshold.threshold
            if is_more and not watched.is_exceeded:
                yield Crossing(threshold, direction, count)
            watched.is_exceeded = is_more


def _within(looks: deque[tuple[float, int]], interval_s: int, count: int, now: float) -> int:
    """How many there were in an interval; the look before it stays, for it is where the interval begins."""
    looks.append((now, count))
    while len(looks) > 1 and looks[1][0] <= now - interval_s:
        looks.popleft()
    return count - looks[0][1]
