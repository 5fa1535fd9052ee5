"""Replication of records between the workers of a node: every change to every sibling, and proof that nothing is
missing.

Design 4. Changes go out in batches, numbered: the first at once, and no batch sooner than PACE_S after the last. A
sibling acknowledges by number, and `acknowledged()` is the number that every sibling which counts has applied: the
answer to a REGISTER waits for it. A sibling counts when it lives, has said that it is in sync, and keeps up.

Nothing is ever sent twice and nothing is kept for sending later. What a sibling missed (it had no credit left, a
queue overflowed, it is new) shows as a gap in the numbers, and is made good by ranges: records lie in 256 ranges with
a digest each, the receiver of digests asks for the ranges that differ, in portions, from one sibling at a time, until
digests agree. So a slow sibling costs one number, not a queue. The same comparison goes on every few seconds without
a gap (anti-entropy), with digests of some seconds ago, because what is on the way now differs by its nature.

RangeDigests carry the second (unix time) they are for, then the 256 digests. A RangeRequest for no ranges asks for
digests.

Knows nothing of what a record holds: the table (a RecordTable) does; nothing of sockets, and of time only what it is
told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from appliance.state.messages import (
    BindingAck,
    BindingChanges,
    BusMessage,
    InSync,
    PeerStarted,
    RangeDigests,
    RangeRecords,
    RangeRequest,
)
from appliance.state.siblings import Pull, Sibling

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

RANGES: Final = 256
WINDOW: Final = 8192  # records that a sibling may leave unacknowledged
PACE_S: Final = 0.005  # from one batch of changes to the next: sent singly, each would cost more than the REGISTER
BATCH_MAX: Final = 512  # records in one message
BATCH_OCTETS_MAX: Final = 262144
PROBE_S: Final = 0.25  # unacknowledged for so long: ask
DIGESTS_S: Final = 5.0  # how often digests go out when all is well
ASK_S: Final = 0.5  # how often they are asked for when it is not
SETTLE_S: Final = 1  # digests are of so long ago
PULL_RANGES: Final = 8  # ranges asked for at a time
PULL_TIMEOUT_S: Final = 2.0
PORTION: Final = 256  # range records in one message
PORTION_PAUSE_S: Final = 0.002
NEVER: Final = float("inf")
SILENT_S: Final = 3.0  # a sibling that did not answer a question for so long does not hold up a joiner


class RecordTable(Protocol):
    """What is replicated. apply_record raises ValueError for what is no record; digests_at gives [] for "cannot
    know".
    """

    def apply_record(self, record: bytes, /) -> bool: ...
    def records_of_range(self, place: int, /) -> Iterator[bytes]: ...
    def digests_at(self, second: int, /) -> list[int]: ...
    def settled_second(self) -> int: ...
    def newest_second(self) -> int: ...


class ReplicationLimits(Protocol):
    """The setting that is needed here."""

    @property
    def replication_wait_ms(self) -> int: ...


class Replica:
    """One worker's part. `worker`: its number; `table`: what is replicated; `limits`: how long answers wait."""

    __slots__ = (
        "_acknowledged",
        "_changes_at",
        "_fresh",
        "_is_in_sync",
        "_lag_s",
        "_outbox",
        "_portion_at",
        "_pull",
        "_seq",
        "_siblings",
        "_table",
        "_worker",
        "malformed_count",
        "pulled_count",
        "skipped_count",
    )

    def __init__(self, worker: int, table: RecordTable, limits: ReplicationLimits) -> None:
        self._worker = worker
        self._table = table
        self._lag_s = limits.replication_wait_ms / 500  # twice the wait
        self._siblings: dict[int, Sibling] = {}
        self._seq = 0
        self._acknowledged = 0
        self._fresh: list[bytes] = []
        self._changes_at = 0.0  # when the next batch of changes may leave
        self._outbox: list[tuple[int, BusMessage]] = []
        self._pull: Pull | None = None
        self._portion_at = 0.0
        self._is_in_sync = False
        self.malformed_count = 0  # records that could not be read
        self.skipped_count = 0  # records not sent to a sibling that had no credit
        self.pulled_count = 0  # records taken over from ranges that brought something new

    def reconfigure(self, limits: ReplicationLimits) -> None:
        """Go by new settings."""
        self._lag_s = limits.replication_wait_ms / 500

    # Local changes

    def changed(self, record: bytes) -> int:
        """A change was applied here: tell the siblings. Returns its number, 0 when there is nobody to be told."""
        self._seq += 1
        if not self._siblings:
            return 0
        self._fresh.append(record)
        return self._seq

    def load(self, records: Iterable[bytes]) -> None:
        """Apply stored records; nobody is told."""
        for record in records:
            self._apply(record)

    def acknowledged(self) -> int:
        """The highest number up to which every sibling that counts has applied our changes; it only grows."""
        lowest = self._seq
        for sibling in self._siblings.values():
            if sibling.is_in_sync and not sibling.is_lagging and sibling.acked < lowest:
                lowest = sibling.acked
        self._acknowledged = max(self._acknowledged, lowest)
        return self._acknowledged

    @property
    def is_in_sync(self) -> bool:
        """Whether this table has once agreed with those of all siblings (and since then hears what changes)."""
        return self._is_in_sync

    @property
    def lagging(self) -> list[int]:
        """Workers that live, but do not keep up: answers do not wait for them."""
        return [worker for worker, sibling in self._siblings.items() if sibling.is_lagging]

    # Who is there

    def set_siblings(self, live: Iterable[int], now: float) -> None:
        """The numbers of the other workers that live."""
        numbers = {worker for worker in live if worker != self._worker}
        for worker in list(self._siblings):
            if worker not in numbers:
                del self._siblings[worker]
        if not numbers:
            # There is nobody for whom it could be taken out.
            self._fresh.clear()
            self._outbox.clear()
        for worker in sorted(numbers):
            if worker not in self._siblings:
                self._meet(worker, now)
        if self._pull is not None and self._pull.source not in numbers:
            self._pull = None
        self._check_sync(now)

    def _meet(self, worker: int, now: float) -> None:
        # Digests unasked only later: an answer to its question first tells it what it has missed.
        self._siblings[worker] = Sibling(self._seq, now, now + DIGESTS_S)
        if self._is_in_sync:
            self._outbox.append((worker, InSync()))
        if self._seq:
            # What was before is a gap to it, and better found while it joins than later.
            self._outbox.append((worker, BindingChanges(self._seq + 1, [])))
        self._outbox.append((worker, RangeRequest([])))

    def _check_sync(self, now: float) -> None:
        """A joiner is in sync when every sibling agrees; silent ones do not hold it up once another one has agreed."""
        if self._is_in_sync:
            return
        siblings = self._siblings.values()
        agreed = [sibling for sibling in siblings if sibling.agreed]
        waiting = [
            sibling
            for sibling in siblings
            if not sibling.agreed and (sibling.has_answered or now - sibling.met_at < SILENT_S)
        ]
        if not waiting and (agreed or not siblings):
            self._is_in_sync = True
            self._outbox.extend((worker, InSync()) for worker in self._siblings)

    # What siblings say

    def receive(self, sender: int, message: BusMessage, now: float) -> None:
        """A message of a sibling. What is no business of replication is ignored; so is a sender that does not live."""
        sibling = self._siblings.get(sender)
        if sibling is None:
            return
        if isinstance(message, BindingChanges):
            self._receive_changes(sibling, message)
        elif isinstance(message, BindingAck):
            self._receive_ack(sibling, message.seq, now)
        elif isinstance(message, RangeRecords):
            self._receive_range(sender, message, now)
        elif isinstance(message, RangeDigests):
            self._receive_digests(sender, sibling, message.digests, now)
        elif isinstance(message, RangeRequest):
            self._receive_request(sender, sibling, message.ranges)
        elif isinstance(message, InSync):
            sibling.is_in_sync = True
        elif isinstance(message, PeerStarted):
            del self._siblings[sender]
            if self._pull is not None and self._pull.source == sender:
                self._pull = None
            self._meet(sender, now)

    def _receive_changes(self, sibling: Sibling, message: BindingChanges) -> None:
        for record in message.records:
            self._apply(record)
        last = message.first_seq + len(message.records) - 1
        if message.first_seq > sibling.heard + 1:
            # Something is missing; digests of a time after now will show that it is made good.
            sibling.gap_second = self._table.newest_second() + 1
            sibling.asked_at = 0.0
            sibling.heard = last
        elif last > sibling.heard:
            if not sibling.has_gap:
                sibling.sound = last
            sibling.heard = last
        sibling.must_ack = True

    def _apply(self, record: bytes) -> bool:
        try:
            return self._table.apply_record(record)
        except ValueError:
            self.malformed_count += 1
            return False

    def _receive_ack(self, sibling: Sibling, seq: int, now: float) -> None:
        if seq <= sibling.acked or seq > sibling.sent:
            return
        sibling.acked = seq
        sibling.waiting_since = now
        sibling.probe_at = now + PROBE_S
        if seq >= sibling.lag_until and not sibling.skipped:
            sibling.is_lagging = False

    def _receive_request(self, sender: int, sibling: Sibling, ranges: list[int]) -> None:
        if not ranges:
            if sibling.sent:
                # Who asks may have joined a moment ago, and the news of what was before may have been lost.
                self._outbox.append((sender, BindingChanges(sibling.sent + 1, [])))
            self._send_digests(sender, sibling)
            return
        for place in ranges:
            if 0 <= place < RANGES and place not in sibling.wanted_ranges:
                sibling.wanted_ranges.append(place)

    def _send_digests(self, sender: int, sibling: Sibling) -> None:
        second = self._table.settled_second() - SETTLE_S
        digests = self._table.digests_at(second)
        if digests:
            self._outbox.append((sender, RangeDigests([second, *digests])))

    def _receive_digests(self, sender: int, sibling: Sibling, numbers: list[int], now: float) -> None:
        if len(numbers) != RANGES + 1:
            self.malformed_count += 1
            return
        sibling.has_answered = True
        second = numbers[0]
        own = self._table.digests_at(second)
        if not own:
            return
        differing = [place for place in range(RANGES) if own[place] != numbers[place + 1]]
        if not differing:
            self._agree(sibling, second, now)
        elif self._pull is None:
            self._pull = Pull(sender, differing, now)
            self._ask_for_ranges(self._pull)

    def _agree(self, sibling: Sibling, second: int, now: float) -> None:
        if sibling.has_gap and second < sibling.gap_second:
            return
        sibling.agreed = True
        if sibling.has_gap:
            sibling.sound = sibling.heard
            sibling.must_ack = True
        self._check_sync(now)

    # Fetching ranges

    def _ask_for_ranges(self, pull: Pull) -> None:
        ranges = pull.ranges[-PULL_RANGES:]
        del pull.ranges[-PULL_RANGES:]
        pull.asked = set(ranges)
        self._outbox.append((pull.source, RangeRequest(ranges)))

    def _receive_range(self, sender: int, message: RangeRecords, now: float) -> None:
        for record in message.records:
            if self._apply(record):
                self.pulled_count += 1
        pull = self._pull
        if pull is None or pull.source != sender:
            return
        pull.progress_at = now
        if message.last:
            pull.asked.discard(message.range)
        if pull.asked:
            return
        if pull.ranges:
            self._ask_for_ranges(pull)
            return
        self._pull = None
        sibling = self._siblings[sender]
        # It may lack what we have as much as we lacked what it has.
        self._send_digests(sender, sibling)
        self._ask_for_digests(sender, sibling, now)

    def _ask_for_digests(self, worker: int, sibling: Sibling, now: float) -> None:
        sibling.asked_at = now
        self._outbox.append((worker, RangeRequest([])))

    # What siblings are told

    def messages_to_send(self, now: float) -> list[tuple[int, BusMessage]]:
        """(worker, message) since the last call: one batch of changes a sibling, then the rest."""
        fresh: list[bytes] = []
        if self._fresh and self._changes_at <= now:
            fresh, self._fresh = self._fresh, []
            self._changes_at = now + PACE_S
        messages, self._outbox = self._outbox, []
        is_portion_due = self._portion_at <= now
        for worker, sibling in self._siblings.items():
            if fresh:
                self._send_changes(worker, sibling, fresh, messages, now)
            if sibling.must_ack:
                sibling.must_ack = False
                messages.append((worker, BindingAck(sibling.sound)))
            if is_portion_due and sibling.wanted_ranges:
                self._portion_at = now + PORTION_PAUSE_S
                messages.append((worker, self._next_portion(sibling)))
        return messages

    def _send_changes(
        self, worker: int, sibling: Sibling, fresh: list[bytes], messages: list[tuple[int, BusMessage]], now: float
    ) -> None:
        first = self._seq - len(fresh) + 1
        if sibling.skipped or sibling.sent - sibling.acked + len(fresh) > WINDOW:
            # Without credit: it will see the gap in the numbers.
            sibling.skipped = True
            sibling.is_lagging = True
            sibling.lag_until = self._seq
            self.skipped_count += len(fresh)
            return
        if sibling.acked == sibling.sent:
            sibling.waiting_since = now
            sibling.probe_at = now + PROBE_S
        sibling.sent = self._seq
        for records in _batches(fresh):
            messages.append((worker, BindingChanges(first, records)))
            first += len(records)

    def _next_portion(self, sibling: Sibling) -> RangeRecords:
        place = sibling.wanted_ranges[0]
        if sibling.portions is None:
            sibling.portions = self._table.records_of_range(place)
        records: list[bytes] = []
        octets = 0
        for record in sibling.portions:
            records.append(record)
            octets += len(record)
            if len(records) >= PORTION or octets >= BATCH_OCTETS_MAX:
                return RangeRecords(place, records, False)
        sibling.portions = None
        del sibling.wanted_ranges[0]
        return RangeRecords(place, records, True)

    # Time

    def next_timer(self) -> float | None:
        """The monotonic moment at which handle_timers() and messages_to_send() have something to do."""
        due = NEVER if self._pull is None else self._pull.progress_at + PULL_TIMEOUT_S
        if self._fresh:
            due = min(due, self._changes_at)
        for sibling in self._siblings.values():
            due = min(due, sibling.digests_at)
            if self._is_unsure(sibling):
                due = min(due, sibling.asked_at + ASK_S)
            if sibling.acked < sibling.sent or sibling.skipped:
                due = min(due, sibling.probe_at)
            if sibling.wanted_ranges:
                due = min(due, self._portion_at)
        return None if due == NEVER else due

    def handle_timers(self, now: float) -> None:
        """Everything that is due."""
        if self._pull is not None and self._pull.progress_at + PULL_TIMEOUT_S <= now:
            self._pull = None
        for worker, sibling in self._siblings.items():
            self._check_credit(worker, sibling, now)
            if sibling.digests_at <= now:
                sibling.digests_at = now + DIGESTS_S
                self._send_digests(worker, sibling)
                if self._is_in_sync:
                    self._outbox.append((worker, InSync()))
            if self._is_unsure(sibling) and sibling.asked_at + ASK_S <= now:
                if self._pull is None:
                    self._ask_for_digests(worker, sibling, now)
                else:
                    sibling.asked_at = now
        self._check_sync(now)

    def _is_unsure(self, sibling: Sibling) -> bool:
        return sibling.sound < sibling.heard or not (self._is_in_sync or sibling.agreed)

    def _check_credit(self, worker: int, sibling: Sibling, now: float) -> None:
        """Ask a sibling that owes acknowledgements for them, and tell one that was skipped that it missed something."""
        if sibling.acked == sibling.sent:
            if not sibling.skipped:
                return
            sibling.skipped = False
            sibling.sent = self._seq
            sibling.waiting_since = now
            sibling.probe_at = now
            sibling.lag_until = self._seq
        if now - sibling.waiting_since >= self._lag_s and not sibling.is_lagging:
            sibling.is_lagging = True
            sibling.lag_until = sibling.sent
        if sibling.probe_at <= now:
            sibling.probe_at = now + PROBE_S
            self._outbox.append((worker, BindingChanges(sibling.sent + 1, [])))


def _batches(records: list[bytes]) -> Iterator[list[bytes]]:
    """Lists of records, each small enough for one message."""
    batch: list[bytes] = []
    octets = 0
    for record in records:
        if batch and (len(batch) >= BATCH_MAX or octets + len(record) > BATCH_OCTETS_MAX):
            yield batch
            batch = []
            octets = 0
        batch.append(record)
        octets += len(record)
    if batch:
        yield batch
