"""What ENUM domains have answered: a bounded cache; "no such number" is kept as well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from appliance.catalogue.settings import Settings
    from appliance.routing.lookup_questions import EnumAnswer, FindEnum

# How long a number is not asked for again, however short its answer may be believed; and the longest.
TTL_MIN_S: Final = 5.0
TTL_MAX_S: Final = 86400.0


class EnumCache:
    """Domain to its NAPTR records as text (enum_rules.py)."""

    __slots__ = ("_known", "_limit")

    def __init__(self, limit: int) -> None:
        self._known: dict[bytes, tuple[tuple[str, ...], float]] = {}
        self._limit = limit

    def __len__(self) -> int:
        return len(self._known)

    def reconfigure(self, settings: Settings) -> None:
        """Go by a new limit."""
        self._limit = settings.limits.hosts_cached_max

    def find(self, domain: bytes, now: float) -> tuple[str, ...] | None:
        """The records, () where there are none; None when DNS has to be asked."""
        entry = self._known.get(domain)
        return entry[0] if entry is not None and now < entry[1] else None

    def keep(self, question: FindEnum, answer: EnumAnswer, now: float) -> None:
        """Keep what DNS has answered; the oldest entry gives way at the limit."""
        self._known.pop(question.domain, None)
        while len(self._known) >= self._limit:
            del self._known[next(iter(self._known))]
        self._known[question.domain] = answer.records, now + min(max(answer.ttl_s, TTL_MIN_S), TTL_MAX_S)
