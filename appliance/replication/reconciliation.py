"""Reconciliation of the tables of workers (anti-entropy): whether they hold the same, and what to do when they do not.

Design 4. Records lie in 256 ranges with a digest each. Every few seconds a worker sends its digests to each sibling.
Who receives them fetches the ranges that differ, from one sibling at a time (see ranges.py), and both compare again,
until digests agree. Digests are those of a moment ago, because what is on the way now differs by its nature. So
whatever was missed, for whatever reason, is found and made good, and nobody keeps anything for sending it again.

While there is reason to doubt (a worker has just joined, or something of a sibling is known to be missing) digests are
asked for, by a RangeRequest for no ranges. RangeDigests carry the second (unix time) they are for, then the 256
digests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from appliance.messages.bus_messages import BusMessage, InSync, RangeDigests, RangeRequest
from appliance.replication.range_transfer import RANGES, Portions, Pull
from appliance.transport.process_id import ProcessId

if TYPE_CHECKING:
    from collections.abc import Iterator

DIGESTS_S: Final = 5.0  # how often digests go out when all is well
ASK_S: Final = 0.5  # how often they are asked for when it is not
SETTLE_S: Final = 1  # digests are of so long ago
SILENT_S: Final = 3.0  # a sibling that did not answer a question for so long does not hold up a joiner
PORTION_PAUSE_S: Final = 0.002
_NEVER: Final = float("inf")


class ComparedTable(Protocol):
    """A table that can be compared with another; seconds are unix time. digests_at gives [] for "cannot know"."""

    def records_of_range(self, place: int, /) -> Iterator[bytes]: ...
    def digests_at(self, second: int, /) -> list[int]: ...
    def settled_second(self) -> int: ...
    def newest_second(self) -> int: ...


class Comparison:
    """How far the comparison with one sibling has come.

    `is_in_doubt`: digests have to be asked for until they agree. `gap_second`: the first second whose digests can
    prove that nothing of it is missing here, None when nothing is.
    """

    __slots__ = ("asked_at", "digests_at", "gap_second", "has_agreed", "has_answered", "is_in_doubt", "met_at")

    def __init__(self, is_in_doubt: bool, now: float) -> None:
        self.met_at = now
        self.is_in_doubt = is_in_doubt
        self.asked_at = now
        # Unasked only later: an answer to its question first tells it what it has missed.
        self.digests_at = now + DIGESTS_S
        self.gap_second: int | None = None
        self.has_answered = False
        self.has_agreed = False

    def missed(self, newest_second: int) -> None:
        """Something of it is known to be missing here; `newest_second`: from which anything is known here."""
        self.gap_second = newest_second + 1
        self.is_in_doubt = True
        self.asked_at = 0.0  # ask at once

    def agreed(self, second: int) -> bool:
        """Its digests of that second are ours. Whether that proves that nothing is missing."""
        if self.gap_second is not None and second < self.gap_second:
            return False
        self.gap_second = None
        self.has_agreed = True
        self.is_in_doubt = False
        return True

    def is_waited_for(self, now: float) -> bool:
        """Whether it may still be heard to agree for the first time."""
        return not self.has_agreed and (self.has_answered or now - self.met_at < SILENT_S)


class Reconciliation:
    """One worker's part. `table`: what is compared; `outbox`: where messages are put, with the worker they are for.

    `is_in_sync`: whether this table has once agreed with those of all siblings.
    """

    __slots__ = ("_comparisons", "_given", "_outbox", "_portion_at", "_pull", "_table", "is_in_sync")

    def __init__(self, table: ComparedTable, outbox: list[tuple[ProcessId, BusMessage]]) -> None:
        self._table = table
        self._outbox = outbox
        self._comparisons: dict[ProcessId, Comparison] = {}
        self._pull: Pull | None = None
        self._given: dict[ProcessId, Portions] = {}  # only for who has asked and has not got everything
        self._portion_at = 0.0
        self.is_in_sync = False

    # Who is there

    def meet(self, worker: ProcessId, now: float) -> None:
        """A sibling is new, or new again after it left."""
        self._comparisons[worker] = comparison = Comparison(not self.is_in_sync, now)
        self._ask_for_digests(worker, comparison, now)

    def leave(self, worker: ProcessId) -> None:
        """A sibling is gone."""
        del self._comparisons[worker]
        self._given.pop(worker, None)
        if self._pull is not None and self._pull.source == worker:
            self._pull = None

    def check_sync(self, now: float) -> None:
        """A joiner is in sync when every sibling agrees; silent ones do not hold it up once another one has agreed."""
        if self.is_in_sync:
            return
        comparisons = self._comparisons.values()
        if any(comparison.is_waited_for(now) for comparison in comparisons):
            return
        if not comparisons or any(comparison.has_agreed for comparison in comparisons):
            self._come_in_sync()

    def _come_in_sync(self) -> None:
        self.is_in_sync = True
        for worker, comparison in self._comparisons.items():
            self._outbox.append((worker, InSync()))
            comparison.is_in_doubt = comparison.gap_second is not None

    # Digests

    def missed(self, worker: ProcessId) -> None:
        """Something of a sibling is known to be missing here."""
        self._comparisons[worker].missed(self._table.newest_second())

    def digests_arrived(self, worker: ProcessId, numbers: list[int], now: float) -> bool:
        """The content of RangeDigests. Whether they prove that nothing of this sibling is missing here.

        Raises ValueError for what are no digests.
        """
        if len(numbers) != RANGES + 1:
            raise ValueError(f"{len(numbers)} numbers are no digests")
        comparison = self._comparisons[worker]
        comparison.has_answered = True
        second = numbers[0]
        own = self._table.digests_at(second)
        if not own:
            return False
        differing = [place for place in range(RANGES) if own[place] != numbers[place + 1]]
        if differing:
            self._fetch(worker, differing, now)
            return False
        is_proof = comparison.agreed(second)
        if is_proof:
            self.check_sync(now)
        return is_proof

    def _send_digests(self, worker: ProcessId) -> None:
        second = self._table.settled_second() - SETTLE_S
        digests = self._table.digests_at(second)
        if digests:
            self._outbox.append((worker, RangeDigests([second, *digests])))

    def _ask_for_digests(self, worker: ProcessId, comparison: Comparison, now: float) -> None:
        comparison.asked_at = now
        self._outbox.append((worker, RangeRequest([])))

    # Ranges

    def _fetch(self, worker: ProcessId, ranges: list[int], now: float) -> None:
        if self._pull is None:
            self._pull = Pull(worker, ranges, now)
            self._ask_for_ranges(self._pull)

    def _ask_for_ranges(self, pull: Pull) -> None:
        ranges = pull.next_ranges()
        if ranges:
            self._outbox.append((pull.source, RangeRequest(ranges)))

    def portion_arrived(self, worker: ProcessId, place: int, is_last: bool, now: float) -> None:
        """Some records of the range `place` came from a sibling; they are applied."""
        pull = self._pull
        if pull is None or pull.source != worker:
            return
        pull.portion_arrived(place, is_last, now)
        if not pull.is_over:
            self._ask_for_ranges(pull)
            return
        self._pull = None
        # It may lack what we have as much as we lacked what it has.
        self._send_digests(worker)
        self._ask_for_digests(worker, self._comparisons[worker], now)

    def request_arrived(self, worker: ProcessId, ranges: list[int]) -> None:
        """A sibling asks for ranges; for none: for digests."""
        if not ranges:
            self._send_digests(worker)
            return
        portions = self._given.get(worker)
        if portions is None:
            portions = Portions(self._table.records_of_range)
        portions.request(ranges)
        if portions:
            self._given[worker] = portions

    def send_portions(self, now: float) -> None:
        """Give each sibling that has asked for ranges the next portion, if it is time."""
        if not self._given or self._portion_at > now:
            return
        self._portion_at = now + PORTION_PAUSE_S
        for worker, portions in list(self._given.items()):
            self._outbox.append((worker, portions.next()))
            if not portions:
                del self._given[worker]

    # Time

    def next_timer(self) -> float:
        """The monotonic moment at which handle_timers() or send_portions() have something to do; infinity for never."""
        due = _NEVER
        if self._pull is not None:
            due = self._pull.give_up_at
        if self._given:
            due = min(due, self._portion_at)
        for comparison in self._comparisons.values():
            due = min(due, comparison.digests_at)
            if comparison.is_in_doubt:
                due = min(due, comparison.asked_at + ASK_S)
        return due

    def handle_timers(self, now: float) -> None:
        """Everything that is due."""
        if self._pull is not None and self._pull.give_up_at <= now:
            self._pull = None
        for worker, comparison in self._comparisons.items():
            if comparison.digests_at <= now:
                comparison.digests_at = now + DIGESTS_S
                self._send_digests(worker)
                if self.is_in_sync:
                    self._outbox.append((worker, InSync()))
            if comparison.is_in_doubt and comparison.asked_at + ASK_S <= now:
                if self._pull is None:
                    self._ask_for_digests(worker, comparison, now)
                else:
                    # What differs could not be fetched now.
                    comparison.asked_at = now
        if not self.is_in_sync:
            self.check_sync(now)
