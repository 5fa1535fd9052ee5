"""Answers of DNS, kept for their time: bounded, and of use for a while after it when DNS does not answer (RFC 8767).

An answer that is in use is asked for again shortly before its time is over, so a busy name never waits. When that
fails, the old answer is used past its time, at most for `stale_s`; meanwhile it is asked for again from time to time.
At the limit the answer that came first goes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from appliance.catalogue.settings import Settings

# How long a name is not asked for again, however short its answer may be believed.
TTL_MIN_S: Final = 5.0
# RFC 8767 5: how long after a failure the same is not asked for again.
RECHECK_S: Final = 30.0
# Which part of its time is left when an answer is asked for again, and how much at most.
REFRESH_PART: Final = 0.1
REFRESH_MAX_S: Final = 30.0
# How many names are asked for again at a time.
DUE_MAX: Final = 100


class KeptAnswer:
    """What a name has, and until when (monotonic seconds): asked for again, believed, and kept for bad times."""

    __slots__ = ("expires_at", "is_due", "is_failing", "kept_until", "refresh_at", "values")

    def __init__(self, values: tuple[Any, ...], ttl_s: float, stale_s: float, now: float) -> None:
        self.values = values
        self.expires_at = now + ttl_s
        self.refresh_at = self.expires_at - min(ttl_s * REFRESH_PART, REFRESH_MAX_S)
        self.kept_until = self.expires_at + stale_s
        self.is_failing = False
        self.is_due = False


class KeptAnswers:
    """Names to their answers: tuples, () where there is nothing of that name."""

    __slots__ = ("_due", "_due_max", "_known", "_stale_s", "_ttl_max_s", "limit")

    def __init__(self, settings: Settings) -> None:
        self._known: dict[bytes, KeptAnswer] = {}
        self._due: list[bytes] = []
        self._due_max = DUE_MAX
        self.reconfigure(settings)

    def __len__(self) -> int:
        return len(self._known)

    def reconfigure(self, settings: Settings) -> None:
        """Go by new limits, for the answers to come."""
        self.limit = settings.limits.hosts_cached_max
        self._stale_s = float(settings.dns.stale_s)
        self._ttl_max_s = float(settings.dns.ttl_max_s)

    def find(self, name: bytes, now: float) -> tuple[Any, ...] | None:
        """The answer; None when DNS has to be asked."""
        answer = self._known.get(name)
        if answer is None:
            return None
        if now < answer.refresh_at:
            return answer.values
        if now >= answer.expires_at and not (answer.is_failing and now < answer.kept_until):
            return None
        if not answer.is_due and len(self._due) < self._due_max:
            answer.is_due = True
            self._due.append(name)
        return answer.values

    def store(self, name: bytes, values: tuple[Any, ...], ttl_s: float, now: float) -> None:
        """Keep an answer, for the time it says within bounds."""
        self._known.pop(name, None)
        while len(self._known) >= self.limit:
            del self._known[next(iter(self._known))]
        self._known[name] = KeptAnswer(values, min(max(ttl_s, TTL_MIN_S), self._ttl_max_s), self._stale_s, now)

    def outlive(self, name: bytes, now: float) -> tuple[Any, ...] | None:
        """DNS did not answer: what is kept of the name all the same; None when there is nothing."""
        answer = self._known.get(name)
        if answer is None or now >= answer.kept_until:
            return None
        answer.is_failing = True
        answer.is_due = False
        answer.refresh_at = now + RECHECK_S
        return answer.values

    def take_due(self) -> list[bytes]:
        """The names in use that are to be asked for again, since the last call."""
        due, self._due = self._due, []
        return due

    def items(self) -> Iterable[tuple[bytes, KeptAnswer]]:
        """All of them with their names, the oldest first."""
        return self._known.items()

    def forget(self, name: bytes) -> bool:
        """Forget one; False when there is none."""
        return self._known.pop(name, None) is not None

    def clear(self) -> int:
        """Forget all; how many there were."""
        count = len(self._known)
        self._known.clear()
        self._due.clear()
        return count

    def share_with(self, other: KeptAnswers) -> None:
        """Give another one the same answers; it does not have them asked for again."""
        other._known = self._known.copy()
        other._due = []
        other._due_max = 0
        other.limit, other._stale_s, other._ttl_max_s = self.limit, self._stale_s, self._ttl_max_s
