"""What lookups have answered, kept for a time: "nothing was found" as well, and never that one has failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.catalogue.lookup_settings import LookupSettings

if TYPE_CHECKING:
    from appliance.catalogue.settings import Settings
    from appliance.routing.lookup_questions import FindRoutes, RoutesAnswer


class KeptResults:
    """The answers of one lookup; at the limit the oldest goes. `hits`: how often one was of use."""

    __slots__ = ("_known", "_settings", "hits")

    def __init__(self, settings: LookupSettings) -> None:
        self._settings = settings
        self._known: dict[FindRoutes, tuple[tuple[str, ...], float]] = {}
        self.hits = 0

    def __len__(self) -> int:
        return len(self._known)

    def is_of(self, settings: LookupSettings) -> bool:
        """Were its answers found by these settings?"""
        return self._settings == settings

    def find(self, question: FindRoutes, now: float) -> tuple[str, ...] | None:
        """What was found; None when it has to be asked for."""
        entry = self._known.get(question)
        if entry is None:
            return None
        if now >= entry[1]:
            del self._known[question]
            return None
        self.hits += 1
        return entry[0]

    def keep(self, question: FindRoutes, results: tuple[str, ...], now: float) -> None:
        """Keep what was found."""
        self._known.pop(question, None)
        if not self._settings.cached_max:
            return
        while len(self._known) >= self._settings.cached_max:
            del self._known[next(iter(self._known))]
        seconds = self._settings.found_s if results else self._settings.missing_s
        self._known[question] = results, now + seconds


class LookupCache:
    """The answers of all lookups of the configuration."""

    __slots__ = ("_kept",)

    def __init__(self, settings: Settings) -> None:
        self._kept: dict[bytes, KeptResults] = {}
        self.reconfigure(settings)

    def __len__(self) -> int:
        return sum(map(len, self._kept.values()))

    def reconfigure(self, settings: Settings) -> None:
        """Go by other settings: what was found by a lookup that is another one now is forgotten."""
        before, self._kept = self._kept, {}
        for lookup in settings.lookups:
            name = lookup.name.encode()
            kept = before.get(name)
            self._kept[name] = kept if kept is not None and kept.is_of(lookup) else KeptResults(lookup)

    def find(self, question: FindRoutes, now: float) -> tuple[str, ...] | None:
        """What was found; None when it has to be asked for."""
        kept = self._kept.get(question.lookup)
        return None if kept is None else kept.find(question, now)

    def keep(self, question: FindRoutes, answer: RoutesAnswer, now: float) -> None:
        """Keep what was found."""
        kept = self._kept.get(question.lookup)
        if kept is not None:
            kept.keep(question, answer.records, now)

    def figures(self) -> dict[str, tuple[int, int]]:
        """Answers kept, and hits, by lookup."""
        return {name.decode(): (len(kept), kept.hits) for name, kept in self._kept.items()}
