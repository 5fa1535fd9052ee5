"""Next hops that are left alone for a while: after a 503 with Retry-After (RFC 3261 21.5.4), or a failure (RFC 3263).

A hop that has asked for a pause gets no new request until its time is over. One that did not answer, or could not be
reached, is tried when the others have failed; an answer ends that. The table is bounded; at its limit the entry that
was made first goes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from appliance.sip.characters import number
from appliance.transport.flow import Flow

# Why a hop is left alone.
ASKED_FOR_PAUSE, TIMED_OUT, UNREACHABLE = range(3)
_ASKED: Final = ASKED_FOR_PAUSE


class UnavailableHops:
    """Until when each of them is left alone, by transport and remote address.

    `longest_s` bounds what a hop may ask for; `pause_s` is the time after a failure, 0 for none.
    """

    __slots__ = ("_entries", "limit", "longest_s", "pause_s")

    def __init__(self, limit: int, longest_s: float, pause_s: float) -> None:
        # When it ends, and why.
        self._entries: dict[tuple[int, str, int], tuple[float, int]] = {}
        self.limit = limit
        self.longest_s = longest_s
        self.pause_s = pause_s

    def __len__(self) -> int:
        return len(self._entries)

    def note(self, hop: Flow, retry_after: bytes, now: float) -> None:
        """The hop has answered 503 with this Retry-After (RFC 3261 20.33: seconds, a comment, parameters)."""
        seconds = number(retry_after.partition(b"(")[0].partition(b";")[0].strip())
        if seconds > 0:
            self._put(hop, now + min(float(seconds), self.longest_s), ASKED_FOR_PAUSE)

    def note_failure(self, hop: Flow, why: int, now: float) -> None:
        """The hop did not answer (TIMED_OUT), or could not be reached (UNREACHABLE)."""
        if self.pause_s > 0.0 and not self.has(hop, now):
            self._put(hop, now + self.pause_s, why)

    def note_answer(self, hop: Flow) -> None:
        """The hop has answered: an earlier failure is over."""
        if not self._entries:
            return
        key = (hop.transport, *hop.remote)
        entry = self._entries.get(key)
        if entry is not None and entry[1] != _ASKED:
            del self._entries[key]

    def has(self, hop: Flow, now: float) -> bool:
        """Has it asked for a pause that is not over yet?"""
        return self._why(hop, now) == _ASKED

    def is_failing(self, hop: Flow, now: float) -> bool:
        """Has it failed not long ago?"""
        return self._why(hop, now) > _ASKED

    def failing_last(self, hops: list[Flow], now: float) -> list[Flow]:
        """The hops in their order, those that have failed not long ago behind the others."""
        if not self._entries:
            return hops
        failing = [hop for hop in hops if self.is_failing(hop, now)]
        return [hop for hop in hops if hop not in failing] + failing if failing else hops

    def rows(self, now: float) -> Iterator[tuple[int, str, int, int, float]]:
        """Transport, address, port, why, and the seconds left, of each."""
        for (transport, address, port), (until, why) in self._entries.items():
            if now < until:
                yield transport, address, port, why, until - now

    def _put(self, hop: Flow, until: float, why: int) -> None:
        key = (hop.transport, *hop.remote)
        self._entries.pop(key, None)
        while len(self._entries) >= self.limit:
            del self._entries[next(iter(self._entries))]
        self._entries[key] = until, why

    def _why(self, hop: Flow, now: float) -> int:
        """Why it is left alone; -1 when it is not."""
        if not self._entries:
            return -1
        key = (hop.transport, *hop.remote)
        entry = self._entries.get(key)
        if entry is None:
            return -1
        if now < entry[0]:
            return entry[1]
        del self._entries[key]
        return -1
