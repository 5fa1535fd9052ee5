"""Next hops that have asked for a pause: a 503 with Retry-After (RFC 3261 21.5.4).

No new request is sent to such a hop until its time is over. The table is bounded; at its limit the entry that was
made first goes.
"""

from __future__ import annotations

from appliance.sip.characters import number
from appliance.transport.flow import Flow


class UnavailableHops:
    """When each of them may be tried again, by transport and remote address. `longest_s` bounds what a hop may ask."""

    __slots__ = ("_until", "limit", "longest_s")

    def __init__(self, limit: int, longest_s: float) -> None:
        self._until: dict[tuple[int, str, int], float] = {}
        self.limit = limit
        self.longest_s = longest_s

    def __len__(self) -> int:
        return len(self._until)

    def note(self, hop: Flow, retry_after: bytes, now: float) -> None:
        """The hop has answered 503 with this Retry-After (RFC 3261 20.33: seconds, a comment, parameters)."""
        seconds = number(retry_after.partition(b"(")[0].partition(b";")[0].strip())
        if seconds <= 0:
            return
        key = (hop.transport, *hop.remote)
        self._until.pop(key, None)
        while len(self._until) >= self.limit:
            del self._until[next(iter(self._until))]
        self._until[key] = now + min(float(seconds), self.longest_s)

    def has(self, hop: Flow, now: float) -> bool:
        """Is the time that it asked for not over yet?"""
        if not self._until:
            return False
        key = (hop.transport, *hop.remote)
        until = self._until.get(key)
        if until is None:
            return False
        if now < until:
            return True
        del self._until[key]
        return False
