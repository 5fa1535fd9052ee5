"""Wrong passwords: how many a source has sent, and how long it is refused for them (RFC 3261 26.1, RFC 7616 5.8).

A failure counts three times. For the source and the user together: beyond `attempts` each failure makes that source
wait twice as long before it may try that user again, up to `time`. For the source: beyond `source-attempts` all its
credentials are refused for `time`. For the user: from `user-attempts` on the password is being guessed, and a source
that fails once for that user is refused for `time`.

A user is never locked as such. Credentials from a source without a wrong password for that user are always checked, so
a phone with the right password is admitted during an attack from elsewhere; and a phone that is registered from a
source is not refused for what others send from there (the caller looks at registrations).

Failures are forgotten one by one, one each `forget`. The counts of one worker are sent to the others (`take_news`,
`receive_news`). The tables are bounded: what has not failed for longest is forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar

from appliance.catalogue.authentication_settings import LockoutSettings

RECORDS_MAX: Final = 20_000
# Pairs of source and user that one report names.
NEWS_MAX: Final = 200

Key = TypeVar("Key", str, tuple[str, str])
News = dict[str, dict[str, int]]
Pair = tuple[str, str]


class FailureRecord:
    """What is known of one source, one user, or one source and one user. Times are monotonic seconds."""

    __slots__ = ("count", "failed_at", "refused_until")

    def __init__(self, now: float) -> None:
        self.count = 0.0
        self.failed_at = now
        self.refused_until = 0.0

    def count_at(self, now: float, forget_s: float) -> float:
        """Failures that are not forgotten yet."""
        return max(self.count - (now - self.failed_at) / forget_s, 0.0)


class AuthenticationFailures:
    """The failures of a node, as far as this process knows. Sources are those of `source_of`."""

    __slots__ = ("_news", "_settings", "pairs", "sources", "users")

    def __init__(self, settings: LockoutSettings) -> None:
        self._settings = settings
        self.pairs: dict[Pair, FailureRecord] = {}
        self.sources: dict[str, FailureRecord] = {}
        self.users: dict[str, FailureRecord] = {}
        self._news: dict[Pair, int] = {}

    def __len__(self) -> int:
        return len(self.pairs)

    def reconfigure(self, settings: LockoutSettings) -> None:
        """Go by new limits; what is refused already stays so for its time."""
        self._settings = settings

    def without_effects(self) -> AuthenticationFailures:
        """The same failures; what is noted there is not kept."""
        other = _FailuresWithoutEffects(self._settings)
        other.pairs, other.sources, other.users = self.pairs, self.sources, self.users
        return other

    # -- counting ------------------------------------------------------------------------------------

    def note(self, source: str, user: str, now: float) -> None:
        """A wrong password came from this source for this user."""
        self._count(source, user, 1, now)
        if (source, user) in self._news or len(self._news) < RECORDS_MAX:
            self._news[source, user] = self._news.get((source, user), 0) + 1

    def take_news(self) -> News:
        """Failures by source and user since the last call, of NEWS_MAX pairs at most; the rest comes next."""
        news: News = {}
        for pair in list(self._news)[:NEWS_MAX]:
            news.setdefault(pair[0], {})[pair[1]] = self._news.pop(pair)
        return news

    def receive_news(self, news: Mapping[str, Mapping[str, int]], now: float) -> None:
        """What another worker has counted."""
        for source, users in news.items():
            for user, count in users.items():
                self._count(source, user, count, now)

    def _count(self, source: str, user: str, count: int, now: float) -> None:
        limits = self._settings
        of_pair = self._add(self.pairs, (source, user), count, now)
        of_source = self._add(self.sources, source, count, now)
        of_user = self._add(self.users, user, count, now)
        if of_source.count >= limits.source_attempts_max:
            of_source.refused_until = now + limits.time_s
        if of_user.count >= limits.user_attempts_max:
            of_pair.refused_until = now + limits.time_s
        elif of_pair.count >= limits.attempts_max:
            doublings = min(round(of_pair.count) - limits.attempts_max, 20)
            of_pair.refused_until = now + min(float(1 << doublings), limits.time_s)

    def _add(self, records: dict[Key, FailureRecord], key: Key, count: int, now: float) -> FailureRecord:
        record = records.pop(key, None)
        if record is None:
            if len(records) >= RECORDS_MAX:
                del records[next(iter(records))]
            record = FailureRecord(now)
        record.count = record.count_at(now, self._settings.forget_s) + count
        record.failed_at = now
        # The one that failed last stands last.
        records[key] = record
        return record

    # -- asking --------------------------------------------------------------------------------------

    def pair_wait_s(self, source: str, user: str, now: float) -> float:
        """How long this source has to wait before it may try this user again; 0.0: it need not."""
        record = self.pairs.get((source, user))
        return max(record.refused_until - now, 0.0) if record is not None else 0.0

    def source_wait_s(self, source: str, now: float) -> float:
        """How long this source has to wait, whichever user it tries; 0.0: it need not."""
        record = self.sources.get(source)
        return max(record.refused_until - now, 0.0) if record is not None else 0.0

    # -- forgetting ----------------------------------------------------------------------------------

    def expire(self, now: float) -> None:
        """Forget what is over, beginning with what failed first; call it now and then."""
        _drop_over(self.pairs, now, self._settings.forget_s)
        _drop_over(self.sources, now, self._settings.forget_s)
        _drop_over(self.users, now, self._settings.forget_s)

    def clear(self, who: str) -> int:
        """Forget the failures of a source or a user, or all (""); returns of how many pairs."""
        pairs = [pair for pair in self.pairs if not who or who in pair]
        for pair in pairs:
            del self.pairs[pair]
            self._news.pop(pair, None)
        for records in (self.sources, self.users):
            for name in [name for name in records if not who or name == who]:
                del records[name]
        return len(pairs)


class _FailuresWithoutEffects(AuthenticationFailures):
    """Only read."""

    __slots__ = ()

    def note(self, source: str, user: str, now: float) -> None:
        """Keep nothing."""


def _drop_over(records: dict[Key, FailureRecord], now: float, forget_s: float) -> None:
    while records:
        key, oldest = next(iter(records.items()))
        if oldest.refused_until > now or oldest.count_at(now, forget_s):
            return
        del records[key]
