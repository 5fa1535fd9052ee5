"""Requests refused because what had to be asked of the world could not be answered: each keeps its one fate.

Such a request has waited without a transaction and is refused without one, for nothing is proved (RFC 3261 8.2.7). Its
retransmissions are under way meanwhile; one that was looked up anew could be forwarded, and a call would ring whose
caller has had its 503. So for 64*T1 (17.2.1, 17.2.2: timers H and J) the same refusal is given again. Only the key is
kept and which refusal it was. The table is bounded: the oldest entry goes, and its request is asked for anew should it
come again. Entries do not follow when slots move to another worker.
"""

from __future__ import annotations

from typing import Final

from appliance.catalogue.counters import FAILED_LOOKUPS_FORGOTTEN
from appliance.proxy.stage_results import Reply

REMEMBERED_MAX: Final = 4096


class FailedLookups:
    """The refusals of one worker, by the key of the transaction that the request would have had."""

    __slots__ = ("_counters", "_refused", "limit")

    def __init__(self, counters: list[int], limit: int = REMEMBERED_MAX) -> None:
        self._counters = counters
        self.limit = limit
        # In the order in which they end: all last equally long.
        self._refused: dict[bytes, tuple[Reply, float]] = {}

    def __len__(self) -> int:
        return len(self._refused)

    def remember(self, key: bytes, refusal: Reply, now: float, lasts_s: float) -> None:
        """A request of this key was refused just now."""
        self._expire(now)
        if len(self._refused) >= self.limit:
            del self._refused[next(iter(self._refused))]
            self._counters[FAILED_LOOKUPS_FORGOTTEN] += 1
        self._refused[key] = (refusal, now + lasts_s)

    def refusal_of(self, key: bytes, now: float) -> Reply | None:
        """What a request of this key was refused with; None when it was not, or too long ago."""
        refusal, until = self._refused.get(key, (None, 0.0))
        return refusal if now < until else None

    def _expire(self, now: float) -> None:
        while self._refused:
            key = next(iter(self._refused))
            if now < self._refused[key][1]:
                return
            del self._refused[key]
