"""The variables of an agent in the order of their object identifiers, as GET and GETNEXT need them (RFC 3416 4.2).

A tree never changes: one that is newer takes its place. A row that is gone ends nothing, for GETNEXT finds whatever
comes after an identifier, whether that one is there or not.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from appliance.catalogue.mib_objects import Oid

Plain = int | bytes | str | Oid


class Missing(Enum):
    """Why there is no value (RFC 3416 4.2.1)."""

    OBJECT = "noSuchObject"
    INSTANCE = "noSuchInstance"


@dataclass(frozen=True, slots=True)
class Value:
    """`syntax`: one of those that mib_objects.py names, or a type of RFC 2578. A value that is called is of the moment
    at which it is asked.
    """

    syntax: str
    value: Plain | Callable[[], Plain]

    @property
    def now(self) -> Plain:
        return self.value() if callable(self.value) else self.value


Variable = tuple[Oid, Value]


class Variables(Protocol):
    """Variables in their order."""

    def get(self, oid: Oid) -> Value | Missing: ...
    def next_after(self, oid: Oid) -> Variable | None: ...


class ObjectTree:
    """All variables of a moment."""

    def __init__(self, variables: Iterable[Variable] = ()) -> None:
        self._values = dict(variables)
        self._oids = sorted(self._values)

    def __len__(self) -> int:
        return len(self._oids)

    def get(self, oid: Oid) -> Value | Missing:
        """The value of an identifier, or why there is none."""
        found = self._values.get(oid)
        if found is not None:
            return found
        # An object that has instances: the identifier without its last number begins one of them.
        following = self.next_after(oid[:-1])
        is_object = following is not None and following[0][: len(oid) - 1] == oid[:-1]
        return Missing.INSTANCE if is_object else Missing.OBJECT

    def next_after(self, oid: Oid) -> Variable | None:
        """The first variable after an identifier; None at the end."""
        place = bisect_right(self._oids, oid)
        if place == len(self._oids):
            return None
        following = self._oids[place]
        return following, self._values[following]


class JoinedTrees:
    """Several of them as one."""

    def __init__(self, *parts: Variables) -> None:
        self._parts = parts

    def get(self, oid: Oid) -> Value | Missing:
        """The value of an identifier, or why there is none."""
        missing = Missing.OBJECT
        for part in self._parts:
            found = part.get(oid)
            if isinstance(found, Value):
                return found
            if found is Missing.INSTANCE:
                missing = found
        return missing

    def next_after(self, oid: Oid) -> Variable | None:
        """The first variable after an identifier; None at the end."""
        following = [found for part in self._parts if (found := part.next_after(oid)) is not None]
        return min(following, key=lambda found: found[0], default=None)
