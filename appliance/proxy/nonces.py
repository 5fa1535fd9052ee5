"""Digest nonces that need no memory until they are used (RFC 7616 3.3, 3.4, 5.4).

A nonce is the time of issue (16 hexadecimal digits of microseconds), the worker (2) and a seal
(16). The seal proves it ours, the time gives its age. Only when credentials with it have been proved right is it
remembered, with a window of the nonce counts seen: a count used twice is a replay. A nonce belongs to the worker
that issued it, because only that one knows the counts; another worker answers `stale`, and the
client tries again at once. A nonce pushed out of the bounded table is stale from then on.

Knows nothing of passwords.
"""

from __future__ import annotations

from enum import IntEnum
from hashlib import blake2s
from hmac import compare_digest

NONCE_LEN = 34
# A count that arrives this much later than a higher one is taken for a replay (UDP reorders a little).
WINDOW = 64


class NonceState(IntEnum):
    """What may be said of a nonce before the credentials are proved."""

    FRESH = 0
    STALE = 1
    FOREIGN = 2


class Nonces:
    """Issues nonces, tells their state, and remembers the counts of those in use."""

    __slots__ = ("_horizon", "_issued_last", "_key", "_lifetime", "_limit", "_seen", "_worker", "evicted_count")

    def __init__(self, key: bytes, worker: int, limit: int, lifetime_s: float, started_at: float) -> None:
        self._key = key
        self._worker = b"%02x" % (worker & 0xFF)
        self._limit = limit
        self._lifetime = int(lifetime_s * 1_000_000)
        # nonce -> (highest count, bits of the WINDOW counts below it)
        self._seen: dict[bytes, tuple[int, int]] = {}
        # Nonces issued up to here are trusted only when they are in the table.
        self._horizon = int(started_at * 1_000_000)
        self._issued_last = self._horizon
        # Nonces in use that had to make room: their clients are challenged once more.
        self.evicted_count = 0

    def reconfigure(self, limit: int, lifetime_s: float) -> None:
        """Go by a new limit and a new lifetime, for nonces that were issued before as well."""
        self._lifetime = int(lifetime_s * 1_000_000)
        self._limit = limit
        while len(self._seen) > limit:
            self._evict()

    def __len__(self) -> int:
        return len(self._seen)

    def issue(self, now: float) -> bytes:
        """A new nonce; no two are the same within the life of the worker."""
        self._issued_last = max(self._issued_last + 1, int(now * 1_000_000))
        return self._sealed(b"%016x" % self._issued_last + self._worker)

    def _sealed(self, text: bytes) -> bytes:
        return text + blake2s(text, key=self._key, digest_size=8, person=b"nonce").hexdigest().encode()

    def state_of(self, nonce: bytes, now: float) -> NonceState:
        """FOREIGN when nobody of this appliance issued it, STALE when it is over, else FRESH."""
        if len(nonce) != NONCE_LEN or not compare_digest(self._sealed(nonce[:18]), nonce):
            return NonceState.FOREIGN
        issued_at = int(nonce[:16], 16)
        age = int(now * 1_000_000) - issued_at
        # A negative age: issued before the machine was started anew. One issued just now may lead the clock a little.
        if nonce[16:18] != self._worker or age > self._lifetime or issued_at > self._issued_last:
            return NonceState.STALE
        if issued_at <= self._horizon and nonce not in self._seen:
            return NonceState.STALE
        return NonceState.FRESH

    def use(self, nonce: bytes, count: int) -> bool:
        """Note a proved use of a fresh nonce; False when that count was used before (a replay)."""
        highest, window = self._seen.get(nonce, (0, 0))
        if count > highest:
            window = (window << (count - highest) | 1) & ((1 << WINDOW) - 1) if count - highest < WINDOW else 1
            self._remember(nonce, count, window)
            return True
        behind = highest - count
        if count < 1 or behind >= WINDOW or window >> behind & 1:
            return False
        self._remember(nonce, highest, window | 1 << behind)
        return True

    def _remember(self, nonce: bytes, highest: int, window: int) -> None:
        if nonce not in self._seen and len(self._seen) >= self._limit:
            self._evict()
        self._seen[nonce] = (highest, window)

    def _evict(self) -> None:
        self.evicted_count += 1
        oldest = next(iter(self._seen))
        del self._seen[oldest]
        self._horizon = max(self._horizon, int(oldest[:16], 16))
