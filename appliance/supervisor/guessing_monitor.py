"""Wrong passwords of the whole node: reports of workers are summed, sent to the others, logged, and raise an alarm.

The log has one line for a source in a minute, and LINES_PER_MINUTE lines at most; the rest is one line with a number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from appliance.catalogue.alarms import PASSWORD_GUESSING, Condition
from appliance.catalogue.authentication_settings import LockoutSettings
from appliance.messages.supervisor_requests import FailureRow, FailureRows
from appliance.security.authentication_failures import AuthenticationFailures, FailureRecord, News

LINES_PER_MINUTE: Final = 20
MINUTE_S: Final = 60.0
# Alarms of sources, of users and of both at a time, each.
ALARMS_MAX: Final = 10
LOOK_INTERVAL_S: Final = 1.0


class FailureWatch:
    """`report` gets the lines for the log."""

    def __init__(self, settings: LockoutSettings, report: Callable[[str], None]) -> None:
        self._settings = settings
        self._failures = AuthenticationFailures(settings)
        self._report = report
        self._minute_from = 0.0
        self._logged: set[str] = set()
        self._unlogged: set[str] = set()
        self._looked_at = -LOOK_INTERVAL_S
        self._conditions: list[Condition] = []

    def reconfigure(self, settings: LockoutSettings) -> None:
        """Go by new limits."""
        self._settings = settings
        self._failures.reconfigure(settings)

    def told(self, news: News, now: float) -> None:
        """A worker's report."""
        self._failures.receive_news(news, now)
        self._begin_minute(now)
        for source, users in news.items():
            self._log(source, users, now)

    def news_of_node(self, news: News, is_all: bool, now: float) -> News:
        """Take in what another node has counted; `is_all`: all that it knows. Returns what is new of it."""
        found: News = {}
        for source, users in news.items():
            for user, count in users.items():
                record = self._failures.pairs.get((source, user)) if is_all else None
                known = round(record.count_at(now, self._settings.forget_s)) if record is not None else 0
                if count > known:
                    found.setdefault(source, {})[user] = count - known
        self._failures.receive_news(found, now)
        return found

    def portions(self, pairs_max: int, now: float) -> Iterator[News]:
        """All failures that are not forgotten yet, so many pairs at a time."""
        self._failures.expire(now)
        pairs = list(self._failures.pairs.items())
        for begin in range(0, len(pairs), pairs_max):
            portion: News = {}
            for (source, user), record in pairs[begin : begin + pairs_max]:
                if count := round(record.count_at(now, self._settings.forget_s)):
                    portion.setdefault(source, {})[user] = count
            yield portion

    def _log(self, source: str, users: dict[str, int], now: float) -> None:
        if source in self._logged:
            return
        if len(self._logged) >= LINES_PER_MINUTE:
            if len(self._unlogged) < 10 * LINES_PER_MINUTE:
                self._unlogged.add(source)
            return
        self._logged.add(source)
        user = next(iter(users))
        more = f" and {len(users) - 1} more" if len(users) > 1 else ""
        count = int(self._failures.sources[source].count)
        wrong = "1 failure" if count == 1 else f"{count} failures"
        self._report(f"Authentication failed: source {source}, user {user}{more}, {wrong}.")

    def _begin_minute(self, now: float) -> None:
        if now - self._minute_from < MINUTE_S:
            return
        if self._unlogged:
            count = len(self._unlogged)
            self._report(f"Authentication failed: {count} or more other sources in the same minute.")
        self._minute_from = now
        self._logged.clear()
        self._unlogged.clear()

    def clear(self, who: str) -> int:
        """Forget the failures of a source or a user, or all (""); returns of how many pairs."""
        self._looked_at = -LOOK_INTERVAL_S
        return self._failures.clear(who)

    def conditions(self, now: float) -> list[Condition]:
        """The sources that guess, and the users whose passwords are guessed; the worst first."""
        if now - self._looked_at >= LOOK_INTERVAL_S:
            self._looked_at = now
            self._failures.expire(now)
            self._conditions = list(self._found(now)) if len(self._failures) else []
        return self._conditions

    def _found(self, now: float) -> Iterator[Condition]:
        limits, known = self._settings, self._failures
        for source, record in _worst(known.sources, limits.source_attempts_max, limits, now):
            text = f"Source {source}: {_count_text(record)}. It is blocked for {_left_s(record, now)} seconds."
            yield Condition(PASSWORD_GUESSING, f"source {source}", text)
        for user, record in _worst(known.users, limits.user_attempts_max, limits, now):
            text = f"User {user}: {_count_text(record)} from all sources. Each source has one attempt."
            yield Condition(PASSWORD_GUESSING, f"user {user}", text)
        for (source, user), record in _worst(known.pairs, 2 * limits.attempts_max, limits, now):
            text = f"Source {source}, user {user}: {_count_text(record)}."
            yield Condition(PASSWORD_GUESSING, f"source {source} user {user}", text)

    def rows(self, limit: int, now: float, wall_time: float) -> FailureRows:
        """To show: sources with users first, those that failed last on top; then the sums of each."""
        failures = self._failures
        failures.expire(now)
        found = [(source, user, record) for (source, user), record in reversed(failures.pairs.items())]
        found += [(source, "", record) for source, record in reversed(failures.sources.items())]
        found += [("", user, record) for user, record in reversed(failures.users.items())]
        rows = [self._row(source, user, record, now, wall_time) for source, user, record in found[:limit]]
        return FailureRows(len(found), rows)

    def _row(self, source: str, user: str, record: FailureRecord, now: float, wall_time: float) -> FailureRow:
        return FailureRow(
            source=source or "(all)",
            user=user or "(all)",
            failures=round(record.count_at(now, self._settings.forget_s)),
            wall_time=round(wall_time - (now - record.failed_at), 3),
            refused_s=_left_s(record, now),
        )


def _worst(
    records: dict[Any, FailureRecord], least: int, limits: LockoutSettings, now: float
) -> list[tuple[Any, FailureRecord]]:
    """Those with at least so many failures, or that were until a little ago: an alarm does not flutter."""
    forget_s = limits.forget_s
    found = [
        (key, record)
        for key, record in records.items()
        if record.count >= least and (record.refused_until > now or record.count_at(now, forget_s) > least * 0.8)
    ]
    found.sort(key=lambda entry: -entry[1].count)
    return found[:ALARMS_MAX]


def _count_text(record: FailureRecord) -> str:
    return f"{round(record.count)} failed attempts"


def _left_s(record: FailureRecord, now: float) -> int:
    return max(round(record.refused_until - now), 0)
