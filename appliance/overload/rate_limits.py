"""Rate limits of one worker: token buckets, filled with this worker's share of what all workers may let in.

A limit has a bucket for each key (a source address, a domain, a listener), or one for all. The supervisor deals
the shares, and deals them anew by the demand that each worker reports; for a key without a dealt share, a worker's
share is what it has of the slots. So the sum keeps to the limit, at whichever worker the requests arrive.

Bounded: the key that has been silent for the longest is forgotten at the bound, which fills its bucket again.
"""

from __future__ import annotations

from collections.abc import Mapping
from heapq import nlargest
from itertools import islice
from typing import Final

from appliance.catalogue.limit_settings import RateLimitSettings
from appliance.messages.worker_requests import LimitedKey, RateLimitRow

KEYS_MAX: Final = 20_000
# Keys named in one report: those with the most demand.
REPORTED_MAX: Final = 200
SHOWN_MAX: Final = 10

Report = dict[str, dict[str, list[int]]]


class Bucket:
    """One key. `share`: per second, or -1.0 until one is dealt. Times are monotonic seconds."""

    __slots__ = ("exceeded", "filled_at", "offered", "refused", "share", "tokens")

    def __init__(self, tokens: float, now: float) -> None:
        self.tokens = tokens
        self.filled_at = now
        self.share = -1.0
        self.offered = 0
        """Since the last report."""
        self.exceeded = 0
        """Since the last report."""
        self.refused = 0
        """Since the beginning."""

    def copy(self) -> Bucket:
        """A bucket that lets in as many as this one."""
        other = Bucket(self.tokens, self.filled_at)
        other.share = self.share
        return other


class Limit:
    """One limit in this worker. `spares_trusted`: loopback sources and peers are not counted."""

    __slots__ = ("_copied", "buckets", "exceeded", "passed", "settings", "spares_trusted")

    def __init__(self, settings: RateLimitSettings) -> None:
        self.settings = settings
        self.spares_trusted = False
        self.buckets: dict[str, Bucket] = {}
        # Buckets of another limit, of which this one takes copies.
        self._copied: dict[str, Bucket] = {}
        self.passed = 0
        self.exceeded = 0

    def admits(self, key: str, part: float, now: float) -> bool:
        """Take a token. `part` is the worker's share of the slots."""
        bucket = self._bucket(key, part, now)
        rate = bucket.share if bucket.share >= 0.0 else self.settings.rate_per_s * part
        depth = max(1.0, self.settings.burst * rate / self.settings.rate_per_s)
        bucket.tokens = min(depth, bucket.tokens + (now - bucket.filled_at) * rate)
        bucket.filled_at = now
        bucket.offered += 1
        if bucket.tokens >= 1.0:
            bucket.tokens -= 1.0
            self.passed += 1
            return True
        bucket.exceeded += 1
        bucket.refused += 1
        self.exceeded += 1
        return False

    def _bucket(self, key: str, part: float, now: float) -> Bucket:
        bucket = self.buckets.pop(key, None)
        if bucket is None:
            if len(self.buckets) >= KEYS_MAX:
                del self.buckets[next(iter(self.buckets))]
            copied = self._copied.get(key)
            bucket = Bucket(max(1.0, self.settings.burst * part), now) if copied is None else copied.copy()
        # The last one used stands last.
        self.buckets[key] = bucket
        return bucket

    def without_effects(self) -> Limit:
        """A limit that decides as this one and takes no token from it."""
        other = Limit(self.settings)
        other.spares_trusted = self.spares_trusted
        other._copied = self.buckets
        return other

    def take_demand(self) -> dict[str, list[int]]:
        """Key to [offered, exceeded] since the last call, for the keys with the most demand."""
        asked = self._asked()
        most = nlargest(REPORTED_MAX, asked, key=_offered)
        report = {key: [bucket.offered, bucket.exceeded] for key, bucket in most}
        for _, bucket in asked:
            bucket.offered = bucket.exceeded = 0
        return report

    def _asked(self) -> list[tuple[str, Bucket]]:
        """Keys with demand since the last report: those that were used last stand last."""
        found = []
        for key, bucket in reversed(self.buckets.items()):
            if not bucket.offered:
                break
            found.append((key, bucket))
        return found

    def row(self) -> RateLimitRow:
        """The limit as operators see it."""
        hit = sorted(self.buckets.items(), key=lambda entry: -entry[1].refused)
        keys = [LimitedKey(key, bucket.refused) for key, bucket in islice(hit, SHOWN_MAX) if bucket.refused]
        return RateLimitRow(self.settings.name, self.passed, self.exceeded, len(self.buckets), keys)


class RateLimits:
    """All limits of one worker, by what they count."""

    __slots__ = ("_limits", "of_registrations", "of_requests", "part")

    def __init__(
        self, settings: tuple[RateLimitSettings, ...], built_in: tuple[RateLimitSettings, ...] = ()
    ) -> None:
        self.part = 1.0
        """The worker's share of the slots."""
        self._limits: dict[str, Limit] = {}
        self.of_requests: tuple[Limit, ...] = ()
        self.of_registrations: tuple[Limit, ...] = ()
        self.reconfigure(settings, built_in)

    def reconfigure(
        self, settings: tuple[RateLimitSettings, ...], built_in: tuple[RateLimitSettings, ...] = ()
    ) -> None:
        """Go by new limits; one whose name, subject and keys are the same keeps its buckets."""
        former = self._limits
        self._limits = {wanted.name: _kept(former.get(wanted.name), wanted) for wanted in (*settings, *built_in)}
        for wanted in (*settings, *built_in):
            self._limits[wanted.name].spares_trusted = wanted in built_in
        limits = self._limits.values()
        self.of_requests = tuple(limit for limit in limits if limit.settings.of == "requests")
        self.of_registrations = tuple(limit for limit in limits if limit.settings.of == "registrations")

    def without_effects(self) -> RateLimits:
        """Limits that decide as these and take no token from them."""
        other = RateLimits(())
        other.part = self.part
        other.of_requests = tuple([limit.without_effects() for limit in self.of_requests])
        other.of_registrations = tuple([limit.without_effects() for limit in self.of_registrations])
        return other

    def take_demand(self) -> Report:
        """What was asked of each limit since the last call; {} when nothing was."""
        return {name: demand for name, limit in self._limits.items() if (demand := limit.take_demand())}

    def receive_shares(self, shares: Mapping[str, Mapping[str, float]]) -> None:
        """The shares per second that the supervisor deals, by limit and key; for others the slots decide again."""
        for name, limit in self._limits.items():
            dealt = shares.get(name, {})
            for key, bucket in limit.buckets.items():
                bucket.share = dealt.get(key, -1.0)

    def rows(self) -> list[RateLimitRow]:
        """Each limit, as operators see it."""
        return [limit.row() for limit in self._limits.values()]


def _kept(former: Limit | None, wanted: RateLimitSettings) -> Limit:
    if former is None or (former.settings.of, former.settings.per) != (wanted.of, wanted.per):
        return Limit(wanted)
    former.settings = wanted
    return former


def _offered(entry: tuple[str, Bucket]) -> int:
    return entry[1].offered
