"""The users that are registered, by numbers that an index can have; read from the registration table of the node.

The agent reads the memory that the workers share, page by page: no worker takes part, and no page is held longer than
it takes to read it. A user keeps its number as long as it is registered. At the limit others are not served.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import Final, Protocol
from zlib import crc32

from appliance.location.binding import Binding
from appliance.location.table_store import TableUnsound

PAGE: Final = 500
# How old the list of users may be. Contacts are read when they are asked for.
LIST_AGE_MAX_S: Final = 10.0
# Addresses that are looked at, for each user that is served: those whose contacts have ended stay for a while.
LOOKED_AT: Final = 4


class Registrations(Protocol):
    """What is read of the registration table (location/registration_table.py). Both raise TableUnsound."""

    def page(self, after: bytes, prefix: bytes, limit: int) -> list[tuple[bytes, list[Binding]]]: ...
    def find(self, aor: bytes, wall_time: float, instance: bytes = b"") -> list[Binding]: ...


class RegisteredUsers:
    """`wall_time`: the clock by which registrations live."""

    def __init__(self, wall_time: Callable[[], float]) -> None:
        self.users_max = 0
        self._wall_time = wall_time
        self._table: Registrations | None = None
        self._numbers: dict[bytes, int] = {}
        self._users: dict[int, bytes] = {}
        self._order: list[int] = []
        self._last = 0
        self._listed_at: float | None = None
        self._read: tuple[int, list[tuple[int, Binding]]] = (0, [])
        """The contacts that were read last, and of which user: a manager reads all columns of a row."""

    @property
    def is_on(self) -> bool:
        return self.users_max > 0

    def begin(self, table: Registrations | None, now: float) -> None:
        """The requests that come now read this table; None where there is none. The list is renewed when it is old."""
        self._table, self._read = table, (0, [])
        if not self.is_on or table is None:
            self._numbers, self._users, self._order, self._listed_at = {}, {}, [], None
        elif self._listed_at is None or now - self._listed_at >= LIST_AGE_MAX_S:
            self._listed_at = now
            self._renew(table)

    def _renew(self, table: Registrations) -> None:
        found: dict[bytes, int] = {}
        try:
            for aor in self._listed(table):
                number = self._numbers.get(aor)
                if number is None:
                    number = self._last = self._last + 1
                found[aor] = number
        except TableUnsound:
            # The supervisor has it made anew; what was read is true as far as it goes.
            pass
        self._numbers = found
        self._users = {number: aor for aor, number in found.items()}
        self._order = sorted(self._users)

    def _listed(self, table: Registrations) -> Iterator[bytes]:
        """Users that have a contact, up to the limit."""
        after, served, left, now = b"", 0, self.users_max * LOOKED_AT, self._wall_time()
        while left > 0 and (page := table.page(after, b"", min(PAGE, left))):
            left -= len(page)
            for after, bindings in page:
                if any(binding.is_live(now) for binding in bindings):
                    yield after
                    served += 1
                    if served == self.users_max:
                        return

    def address(self, number: int) -> bytes | None:
        """The address-of-record of a user."""
        return self._users.get(number)

    def after(self, number: int) -> int | None:
        """The user that follows."""
        place = bisect_right(self._order, number)
        return self._order[place] if place < len(self._order) else None

    def contacts(self, number: int) -> list[tuple[int, Binding]]:
        """The contacts of a user, by numbers that each keeps as long as it is registered; in their order."""
        if self._read[0] != number:
            self._read = (number, self._contacts(number))
        return self._read[1]

    def _contacts(self, number: int) -> list[tuple[int, Binding]]:
        aor = self._users.get(number)
        if aor is None or self._table is None:
            return []
        try:
            found = self._table.find(aor, self._wall_time())
        except TableUnsound:
            return []
        return sorted({crc32(binding.key) or 1: binding for binding in found}.items())
