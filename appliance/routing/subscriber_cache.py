"""Subscribers looked up before: a bounded cache with a short life.

"Not a subscriber" is remembered as well, so that a scanner cannot turn each guess into a query.
A store that could not answer is never remembered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from appliance.catalogue.settings import Settings
    from appliance.routing.lookup_questions import FindSubscriber, SubscriberAnswer


@dataclass(frozen=True, slots=True)
class KnownSubscriber:
    """HA1 values as hex (RFC 7616 3.4.2); `found` False: the store says there is no such user."""

    found: bool
    ha1_md5: bytes
    ha1_sha256: bytes
    expires_at: float


class SubscriberCache:
    """(username, realm) to what the store said of them, for `lifetime_s` seconds."""

    __slots__ = ("_known", "_lifetime_s", "_limit")

    def __init__(self, limit: int, lifetime_s: float) -> None:
        self._known: dict[tuple[bytes, bytes], KnownSubscriber] = {}
        self._limit = limit
        self._lifetime_s = lifetime_s

    def reconfigure(self, settings: Settings) -> None:
        """Go by a new limit, and a new lifetime for what is remembered from now on."""
        self._limit = settings.limits.subscribers_cached_max
        self._lifetime_s = settings.digest.cache_s

    def __len__(self) -> int:
        return len(self._known)

    def find(self, username: bytes, realm: bytes, now: float) -> KnownSubscriber | None:
        """What is known, or None when the store has to be asked."""
        known = self._known.get((username, realm))
        if known is None or now >= known.expires_at:
            return None
        return known

    def keep(self, question: FindSubscriber, answer: SubscriberAnswer, now: float) -> None:
        """Keep what the store has answered."""
        self.remember(question.username, question.realm, answer.found, answer.ha1_md5, answer.ha1_sha256, now)

    def remember(
        self, username: bytes, realm: bytes, found: bool, ha1_md5: bytes, ha1_sha256: bytes, now: float
    ) -> None:
        """Keep an answer of the store; the oldest entry gives way at the limit."""
        known = KnownSubscriber(found, ha1_md5, ha1_sha256, now + self._lifetime_s)
        self._known.pop((username, realm), None)
        while len(self._known) >= self._limit:
            del self._known[next(iter(self._known))]
        self._known[(username, realm)] = known

    def forget(self, username: bytes) -> None:
        """Forget a user in every realm, or all users (b""): the operator has changed them."""
        for key in [key for key in self._known if key[0] == username or not username]:
            del self._known[key]
