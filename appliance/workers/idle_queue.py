"""Entries in the order of their last use, so that the oldest are found without a search."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from itertools import takewhile
from typing import Generic, TypeVar

Thing = TypeVar("Thing", bound=Hashable)


class IdleQueue(Generic[Thing]):
    """Moments by thing, oldest first. Moments are given in the order of time."""

    __slots__ = ("_moments",)

    def __init__(self) -> None:
        self._moments: OrderedDict[Thing, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._moments)

    def touch(self, thing: Thing, moment: float) -> None:
        """It is young again; a moment that it has already changes nothing."""
        if self._moments.get(thing) == moment:
            return
        self._moments[thing] = moment
        self._moments.move_to_end(thing)

    def drop(self, thing: Thing) -> None:
        """It ages no more."""
        self._moments.pop(thing, None)

    def oldest(self) -> Thing | None:
        """The one that was touched first."""
        return next(iter(self._moments), None)

    def older(self, moment: float) -> list[Thing]:
        """What was touched before `moment`, oldest first."""
        return [thing for thing, _ in takewhile(lambda item: item[1] < moment, self._moments.items())]

    def take_older(self, moment: float) -> list[Thing]:
        """Take out what was touched before `moment`, oldest first."""
        taken = []
        while self._moments:
            thing = next(iter(self._moments))
            if self._moments[thing] >= moment:
                break
            del self._moments[thing]
            taken.append(thing)
        return taken
