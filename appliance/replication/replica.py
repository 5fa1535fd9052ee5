"""Replication of records between the workers of a node: every change to every sibling, as it happens.

Design 4. Changes go out in batches, numbered: the first at once, and no batch sooner than PACE_S after the last. A
sibling acknowledges by number, and `acknowledged()` is the number that every sibling which counts has applied: the
answer to a REGISTER waits for it. A sibling counts when it lives, has said that it is in sync, and keeps up.

Nothing is ever sent twice and nothing is kept for sending later. What a sibling missed (it had no credit left, a
queue overflowed, it is new) shows as a gap in the numbers (see siblings.py), and is made good by comparing the tables
(see reconciliation.py). So a slow sibling costs one number, not a queue. BindingChanges without records say how far
the numbers are, and so show a gap, or ask for an acknowledgement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from appliance.messages.bus_messages import (
    BindingAck,
    BindingChanges,
    BusMessage,
    InSync,
    PeerStarted,
    RangeDigests,
    RangeRecords,
    RangeRequest,
)
from appliance.replication.reconciliation import ComparedTable, Reconciliation
from appliance.replication.replication_link import ReplicationLink
from appliance.transport.process_id import ProcessId

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PACE_S: Final = 0.005  # from one batch of changes to the next: sent singly, each would cost more than the REGISTER
BATCH_MAX: Final = 512  # records in one message
BATCH_OCTETS_MAX: Final = 262144


class RecordTable(ComparedTable, Protocol):
    """What is replicated. apply_record: whether it changed anything; raises ValueError for what is no record."""

    def apply_record(self, record: bytes, /) -> bool: ...


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
        "_lag_s",
        "_outbox",
        "_reconciliation",
        "_seq",
        "_siblings",
        "_table",
        "_worker",
        "malformed_count",
        "pulled_count",
        "skipped_count",
    )

    def __init__(self, worker: ProcessId, table: RecordTable, limits: ReplicationLimits) -> None:
        self._worker = worker
        self._table = table
        self._lag_s = limits.replication_wait_ms / 500  # twice the wait
        self._siblings: dict[ProcessId, ReplicationLink] = {}
        self._seq = 0
        self._acknowledged = 0
        self._fresh: list[bytes] = []
        self._changes_at = 0.0  # when the next batch of changes may leave
        self._outbox: list[tuple[ProcessId, BusMessage]] = []  # one list for both: emptied, never exchanged
        self._reconciliation = Reconciliation(table, self._outbox)
        self.malformed_count = 0  # records and digests that could not be read
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
        self._apply(records)

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
        return self._reconciliation.is_in_sync

    @property
    def lagging(self) -> list[ProcessId]:
        """Workers that live, but do not keep up: answers do not wait for them."""
        return [worker for worker, sibling in self._siblings.items() if sibling.is_lagging]

    # Who is there

    def set_siblings(self, live: Iterable[ProcessId], now: float) -> None:
        """The numbers of the other workers that live."""
        numbers = {worker for worker in live if worker != self._worker}
        for worker in self._siblings.keys() - numbers:
            self._leave(worker)
        if not numbers:
            # There is nobody for whom it could be taken out.
            self._fresh.clear()
            self._outbox.clear()
        for worker in sorted(numbers - self._siblings.keys()):
            self._meet(worker, now)
        self._reconciliation.check_sync(now)

    def _leave(self, worker: ProcessId) -> None:
        del self._siblings[worker]
        self._reconciliation.leave(worker)

    def _meet(self, worker: ProcessId, now: float) -> None:
        self._siblings[worker] = ReplicationLink(self._seq, now)
        if self._reconciliation.is_in_sync:
            self._outbox.append((worker, InSync()))
        if self._seq:
            # What was before is a gap to it, and better found while it joins than later.
            self._tell_number(worker, self._seq)
        self._reconciliation.meet(worker, now)

    def _tell_number(self, worker: ProcessId, seq: int) -> None:
        self._outbox.append((worker, BindingChanges(seq + 1, [])))

    # What siblings say

    def receive(self, sender: ProcessId, message: BusMessage, now: float) -> None:
        """A message of a sibling. What is no business of replication is ignored; so is a sender that does not live."""
        sibling = self._siblings.get(sender)
        if sibling is None:
            return
        if isinstance(message, BindingChanges):
            self._receive_changes(sender, sibling, message)
        elif isinstance(message, BindingAck):
            sibling.ack_arrived(message.seq, now)
        elif isinstance(message, RangeRecords):
            self.pulled_count += self._apply(message.records)
            self._reconciliation.portion_arrived(sender, message.range, message.last, now)
        elif isinstance(message, RangeDigests):
            self._receive_digests(sender, sibling, message, now)
        elif isinstance(message, RangeRequest):
            self._receive_request(sender, sibling, message)
        elif isinstance(message, InSync):
            sibling.is_in_sync = True
        elif isinstance(message, PeerStarted):
            self._leave(sender)
            self._meet(sender, now)

    def _receive_changes(self, sender: ProcessId, sibling: ReplicationLink, message: BindingChanges) -> None:
        self._apply(message.records)
        if sibling.changes_arrived(message.first_seq, len(message.records)):
            self._reconciliation.missed(sender)

    def _receive_digests(self, sender: ProcessId, sibling: ReplicationLink, message: RangeDigests, now: float) -> None:
        try:
            if self._reconciliation.digests_arrived(sender, message.digests, now):
                sibling.made_good()
        except ValueError:
            self.malformed_count += 1

    def _receive_request(self, sender: ProcessId, sibling: ReplicationLink, message: RangeRequest) -> None:
        if sibling.sent and not message.ranges:
            # Who asks may have joined a moment ago, and the news of what was before may have been lost.
            self._tell_number(sender, sibling.sent)
        self._reconciliation.request_arrived(sender, message.ranges)

    def _apply(self, records: Iterable[bytes]) -> int:
        """How many of the records brought something new."""
        new_count = 0
        for record in records:
            try:
                new_count += self._table.apply_record(record)
            except ValueError:
                self.malformed_count += 1
        return new_count

    # What siblings are told

    def messages_to_send(self, now: float) -> list[tuple[ProcessId, BusMessage]]:
        """(worker, message) since the last call; of changes one batch, if it is time for one."""
        if self._fresh and self._changes_at <= now:
            self._send_changes(now)
        for worker, sibling in self._siblings.items():
            if sibling.is_ack_due:
                self._outbox.append((worker, BindingAck(sibling.acknowledge())))
        self._reconciliation.send_portions(now)
        messages = self._outbox[:]
        if messages:
            self._outbox.clear()
        return messages

    def _send_changes(self, now: float) -> None:
        fresh, self._fresh = self._fresh, []
        self._changes_at = now + PACE_S
        messages = list(_numbered(self._seq - len(fresh) + 1, fresh))
        for worker, sibling in self._siblings.items():
            if sibling.claim_credit(len(fresh), self._seq, now):
                self._outbox.extend([(worker, message) for message in messages])
            else:
                self.skipped_count += len(fresh)

    # Time

    def next_timer(self) -> float | None:
        """The monotonic moment at which handle_timers() and messages_to_send() have something to do; None for never."""
        if not self._siblings:
            return None
        due = self._reconciliation.next_timer()
        if self._fresh:
            due = min(due, self._changes_at)
        for sibling in self._siblings.values():
            if sibling.is_owing:
                due = min(due, sibling.probe_at)
        return due

    def handle_timers(self, now: float) -> None:
        """Everything that is due."""
        for worker, sibling in self._siblings.items():
            if sibling.check_credit(self._seq, self._lag_s, now):
                self._tell_number(worker, sibling.sent)
        self._reconciliation.handle_timers(now)


def _numbered(first_seq: int, records: list[bytes]) -> Iterator[BindingChanges]:
    """Records as messages, each small enough for one, the first record of that number."""
    batch: list[bytes] = []
    octets = 0
    for record in records:
        if batch and (len(batch) >= BATCH_MAX or octets + len(record) > BATCH_OCTETS_MAX):
            yield BindingChanges(first_seq, batch)
            first_seq += len(batch)
            batch = []
            octets = 0
        batch.append(record)
        octets += len(record)
    if batch:
        yield BindingChanges(first_seq, batch)
