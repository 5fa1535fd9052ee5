"""Ranges of records on their way from one worker to another, a little at a time: who fetches them, and who gives them.

All records lie in RANGES ranges. A Pull asks one sibling for a few of them, and for the next few when those have come
whole. A sibling that has been asked gives them in Portions, one message at a time, read from the table as it goes: it
copies nothing and stays free for calls in between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from appliance.messages.bus_messages import RangeRecords
from appliance.transport.process_id import ProcessId

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

RANGES: Final = 256
PULL_RANGES: Final = 8  # ranges asked for at a time
PULL_TIMEOUT_S: Final = 2.0
PORTION: Final = 256  # records in one message
PORTION_OCTETS: Final = 262144  # and the octets at which it is full before


class Pull:
    """The fetching of `ranges` from the sibling `source`, to be given up at `give_up_at` (monotonic)."""

    __slots__ = ("_asked", "_ranges", "give_up_at", "source")

    def __init__(self, source: ProcessId, ranges: list[int], now: float) -> None:
        self.source = source
        self._ranges = ranges
        self._asked: set[int] = set()
        self.give_up_at = now + PULL_TIMEOUT_S

    def next_ranges(self) -> list[int]:
        """The ranges to ask for now: [] while some that were asked for have not come, and when all have."""
        if self._asked:
            return []
        ranges = self._ranges[-PULL_RANGES:]
        del self._ranges[-PULL_RANGES:]
        self._asked.update(ranges)
        return ranges

    def portion_arrived(self, place: int, is_last: bool, now: float) -> None:
        """Some records of the range `place` came; with the last of them it is here."""
        self.give_up_at = now + PULL_TIMEOUT_S
        if is_last:
            self._asked.discard(place)

    @property
    def is_over(self) -> bool:
        """Whether all ranges have come."""
        return not self._asked and not self._ranges


class Portions:
    """What one sibling has asked for and has not got. `read` gives the records of a range, one after the other."""

    __slots__ = ("_current", "_read", "_wanted")

    def __init__(self, read: Callable[[int], Iterable[bytes]]) -> None:
        self._read = read
        self._wanted: list[int] = []
        self._current: Iterator[RangeRecords] | None = None

    def __len__(self) -> int:
        """How many ranges have not been given, or not to the end."""
        return len(self._wanted)

    def request(self, ranges: Iterable[int]) -> None:
        """More is wanted; what is on the list already, or no range, is ignored."""
        for place in ranges:
            if 0 <= place < RANGES and place not in self._wanted:
                self._wanted.append(place)

    def next(self) -> RangeRecords:
        """The next message to that sibling. Only while there is something to give."""
        if self._current is None:
            place = self._wanted[0]
            self._current = portions_of(place, self._read(place))
        portion = next(self._current)
        if portion.last:
            self._current = None
            del self._wanted[0]
        return portion


def portions_of(place: int, records: Iterable[bytes]) -> Iterator[RangeRecords]:
    """The records of a range as messages of bounded size, at least one; the last one says that it is the last."""
    portion: list[bytes] = []
    octets = 0
    for record in records:
        portion.append(record)
        octets += len(record)
        if len(portion) >= PORTION or octets >= PORTION_OCTETS:
            yield RangeRecords(place, portion, False)
            portion = []
            octets = 0
    yield RangeRecords(place, portion, True)
