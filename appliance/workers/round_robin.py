"""A queue that is fair between sources: each source in turn, and within a source each of its entries in turn.

What waits longest is not served first: a source that brings a thousand connections waits as long for its next turn as
one that brings a single connection.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Thing = TypeVar("Thing", bound=Hashable)


class RoundRobin(Generic[Thing]):
    """Things that wait, by source. A thing waits once at most."""

    __slots__ = ("_round", "_since", "_sources")

    def __init__(self) -> None:
        self._round: OrderedDict[Hashable, OrderedDict[Thing, None]] = OrderedDict()
        # When each source began to wait for its next turn.
        self._since: dict[Hashable, float] = {}
        self._sources: dict[Thing, Hashable] = {}

    def __len__(self) -> int:
        return len(self._sources)

    def __contains__(self, thing: Thing) -> bool:
        return thing in self._sources

    def add(self, thing: Thing, source: Hashable, now: float) -> None:
        """It waits, behind the other things of its source; one that waits already stays where it is."""
        if thing in self._sources:
            return
        self._sources[thing] = source
        things = self._round.get(source)
        if things is None:
            things = self._round[source] = OrderedDict()
            self._since[source] = now
        things[thing] = None

    def take(self, now: float) -> tuple[Thing, float]:
        """The next thing, and how long its source has waited for this turn, in seconds. Raises KeyError when empty."""
        source, things = next(iter(self._round.items()), (None, None))
        if things is None:
            raise KeyError("nothing waits")
        thing, _ = things.popitem(last=False)
        del self._sources[thing]
        since = self._since[source]
        if things:
            self._round.move_to_end(source)
            self._since[source] = now
        else:
            self._end(source)
        return thing, now - since

    def drop(self, thing: Thing) -> None:
        """It waits no more."""
        source = self._sources.pop(thing, None)
        if source is None:
            return
        things = self._round[source]
        del things[thing]
        if not things:
            self._end(source)

    def _end(self, source: Hashable) -> None:
        del self._round[source]
        del self._since[source]
