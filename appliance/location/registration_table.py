"""The registration table of a node: address-of-record -> the contacts that are registered for it now.

RFC 3261 10 and 16.5 (the location service), RFC 5627 (instances), RFC 5626 (reg-id).

All workers of a node have one table. What a worker changes is staged: its own reads see it at once, the others once
commit() has written it, in one write transaction for all that is staged. Where an address was changed by another worker
meanwhile, the staged records are merged with what is there now: of two records of one binding the later one wins
(binding.py has the order, and says what a tombstone is).

Beside the records stand an expiry index, two counts and a change log. The index holds addresses by the second at which
the next of their bindings ends or is forgotten; a refresh leaves an address where it lies, and it is moved when that
second comes. A binding that ended and is still remembered becomes a tombstone. The log holds (sequence, address) and
not the record: it says what changed, the table says what is. A reader takes the record from the table in the
same transaction; an address that has none was removed.

This class has the rules; where the octets are kept is a subclass's business (table_store.py).
"""

from __future__ import annotations

from typing import Final

from appliance.location.address_entries import merged, preferred, record_made, spares_of
from appliance.location.binding import Binding, BindingChange
from appliance.location.binding_records import (
    ADDRESS_FORMAT,
    EVER,
    SECOND_MAX,
    RecordError,
    aor_of,
    decode_address,
    forget_at_of,
    head_of,
    next_event_of,
    second_after,
    with_due,
)
from appliance.location.table_store import TableFull, TableStore, TableUnsound

REFUSED: Final = -1
STAGED_MAX: Final = 4096
# Of one address there may be several. What one commit refuses is remembered as a whole, until the answers have gone.
CHANGES_STAGED_MAX: Final = 16384
REFUSALS_KEPT_MAX: Final = 2 * CHANGES_STAGED_MAX
CHANGES_MAX: Final = 1_000_000
AHEAD_S: Final = 60  # an end this much beyond the longest lifetime comes from a clock that was wrong
BUSY: Final = -1


class StagedAddress:
    """One address that this worker changed and has not written yet.

    base: the stored record from which `entries` was made, b"" for none. changed: the records that won. record: what is
    to be stored if `base` still is. live, dead: how many more bindings and tombstones there will be. numbers: of the
    changes.
    """

    __slots__ = ("aor", "base", "changed", "dead", "entries", "key", "live", "numbers", "record")

    def __init__(self, aor: bytes, key: bytes, base: bytes, entries: list[Binding]) -> None:
        self.aor = aor
        self.key = key
        self.base = base
        self.entries = entries
        self.changed: list[Binding] = []
        self.record = b""
        self.live = 0
        self.dead = 0
        self.numbers: list[int] = []


class RegistrationTable(TableStore):
    """All bindings. `limit`: live bindings; as many dead ones again may wait to be forgotten. `tombstones_max`: of one
    address. `staged_max`: addresses that may be staged. `lifetime_max_s`: what is to end later than that after `clock`
    (unix time, as last told; 0: not known) ends then, for the clock was wrong when it was made. `changes_max`: of the
    log. `changes_kept`: so many stay in it for other nodes when the persister is done with them.
    """

    def __init__(self, limit: int, tombstones_max: int = 20, staged_max: int = STAGED_MAX) -> None:
        self.limit = limit
        self.tombstones_max = tombstones_max
        self.staged_max = staged_max
        self.changes_max = CHANGES_MAX
        self.changes_kept = 0
        self.lifetime_max_s = 0
        self.clock = 0.0
        self.fault = ""
        """What was found wrong with the store by who used it; "" for nothing."""
        self._staged: dict[bytes, StagedAddress] = {}
        self._staged_live = 0
        self._staged_dead = 0
        self._number = 0
        self._committed = 0
        self._refused: dict[int, bool] = {}
        self._live_step = 0
        self._dead_step = 0
        self._read_aor: bytes | None = None
        self._read_record = b""
        self._read_entries: list[Binding] = []

    # What is there

    def __len__(self) -> int:
        return self._counts()[0] + self._staged_live

    @property
    def tombstones(self) -> int:
        """Dead bindings that are remembered so that late copies of them stay dead."""
        return self._counts()[1] + self._staged_dead

    @property
    def is_full(self) -> bool:
        """No room for a new binding. Changes that were accepted elsewhere are applied all the same."""
        live, dead = self._counts()
        return (
            live + self._staged_live >= self.limit
            or dead + self._staged_dead >= self.limit
            or len(self._staged) >= self.staged_max
        )

    def entries(self, aor: bytes) -> list[Binding]:
        """Everything that is remembered of an address, tombstones included, in no order. Not to be changed."""
        if self._staged:
            staged = self._staged.get(aor)
            if staged is not None:
                return staged.entries.copy()
        self._read(aor)
        return self._read_entries.copy()

    def find(self, aor: bytes, wall_time: float, instance: bytes = b"") -> list[Binding]:
        """The live bindings of an address, highest q first, then the newest; or the one of an instance."""
        return preferred(self._live(aor, wall_time), instance)

    def others_of_instance(self, binding: Binding, wall_time: float) -> list[Binding]:
        """The other live bindings of its instance, the newest first: over other flows (RFC 5626 7), or left from before
        the phone restarted (RFC 5627 6.1).
        """
        return spares_of(binding, self._live(binding.aor, wall_time))

    def _live(self, aor: bytes, wall_time: float) -> list[Binding]:
        if self._staged:
            staged = self._staged.get(aor)
            if staged is not None:
                return [binding for binding in staged.entries if binding.expires_at > wall_time]
        record = self.record_of(aor)
        return _decoded(record, wall_time) if record else []

    def _read(self, aor: bytes) -> None:
        """Note what is stored of an address, until the next commit: apply() mostly comes next, for the same one."""
        record = self.record_of(aor)
        self._read_entries = _decoded(record) if record else []
        self._read_record = record
        self._read_aor = aor

    def page(self, after: bytes, prefix: bytes, limit: int) -> list[tuple[bytes, list[Binding]]]:
        """Up to `limit` addresses that begin with `prefix` and come after another, in their order, with all that is
        remembered of each. What is staged is not among them.
        """
        records = self._records_after(after, prefix, limit)
        return [(aor, _decoded(record)) for aor, record in records]

    # Changes

    def apply(self, change: BindingChange) -> int:
        """Stage a change. Returns its number, which grows; 0 where it changed nothing, for an older or known record
        does not; REFUSED where `staged_max` addresses, or CHANGES_STAGED_MAX changes, are staged already.
        """
        if self._number - self._committed >= CHANGES_STAGED_MAX:
            return REFUSED
        aor = change.aor
        staged = self._staged.get(aor)
        if staged is None:
            if len(self._staged) >= self.staged_max:
                return REFUSED
            if self._read_aor != aor:
                self._read(aor)
            staged = StagedAddress(aor, self._key(aor), self._read_record, self._read_entries)
            self._read_aor = None
        for binding in change.bindings:
            self._bound_lifetime(binding)
        changed: list[Binding] = []
        entries = merged(staged.entries, change.bindings, changed, self.tombstones_max)
        if not changed:
            return 0
        staged.entries = entries
        staged.changed += changed
        self._stage(staged)
        self._number += 1
        staged.numbers.append(self._number)
        return self._number

    def _stage(self, staged: StagedAddress) -> None:
        live, dead, due = head_of(staged.base)
        staged.record = record_made(staged.aor, staged.entries, due)
        live_now, dead_now, _ = head_of(staged.record)
        self._staged_live += live_now - live - staged.live
        self._staged_dead += dead_now - dead - staged.dead
        staged.live = live_now - live
        staged.dead = dead_now - dead
        self._staged[staged.aor] = staged

    def _bound_lifetime(self, binding: Binding) -> None:
        if self._is_too_late(binding.forget_at):
            binding.forget_at = self.clock + self.lifetime_max_s
            binding.expires_at = min(binding.expires_at, binding.forget_at)

    def _is_too_late(self, forget_at: float) -> bool:
        if self.clock <= 0 or self.lifetime_max_s <= 0:
            return False
        return forget_at > self.clock + self.lifetime_max_s + AHEAD_S

    # Transactions

    @property
    def staged(self) -> int:
        """How many addresses wait to be written."""
        return len(self._staged)

    def commit(self) -> bool:
        """Write all that is staged. False where another holds the lock now: to be called again soon.

        Where the store has no room, what asks for none may still be written; the rest is refused (is_refused). Raises
        TableUnsound.
        """
        self._read_aor = None
        if not self._staged:
            return True
        changes = list(self._staged.values())
        try:
            if not self._write(changes):
                return False
        except TableFull:
            if not self._write_singly(changes):
                return False
        self._staged.clear()
        self._staged_live = self._staged_dead = 0
        self._committed = self._number
        return True

    def _write_singly(self, changes: list[StagedAddress]) -> bool:
        """One transaction for each change, whichever finds room: a refresh mostly does."""
        refused: list[int] = []
        for staged in changes:
            try:
                if not self._write([staged]):
                    return False
            except TableFull:
                refused += staged.numbers
        for number in refused:
            self._refused[number] = True
        while len(self._refused) > REFUSALS_KEPT_MAX:
            del self._refused[next(iter(self._refused))]
        return True

    def committed(self) -> int:
        """The highest number of a change that was dealt with: it is in the table for all, or refused."""
        return self._committed

    def acknowledged(self) -> int:
        """The highest number of a change that may be answered for: it was dealt with, and another node has it as well
        where one is to have it.
        """
        return self._committed

    def is_refused(self, number: int) -> bool:
        """Whether the store had no room for a change. The last REFUSALS_KEPT_MAX refusals are remembered, and one
        commit refuses fewer.
        """
        return number in self._refused

    def _write(self, changes: list[StagedAddress]) -> bool:
        if not self._begin():
            return False
        try:
            for staged in changes:
                self._write_one(staged)
            self._end()
        except RecordError as fault:
            self._abandon()
            raise TableUnsound(str(fault)) from fault
        except BaseException:
            self._abandon()
            raise
        return True

    def _write_one(self, staged: StagedAddress) -> None:
        stored = self._get(staged.key)
        if stored == staged.base:
            self._replace(staged.key, staged.aor, stored, staged.record)
            return
        changed: list[Binding] = []
        entries = merged(_decoded(stored) if stored else [], staged.changed, changed, self.tombstones_max)
        if changed:
            record = record_made(staged.aor, entries, head_of(stored)[2])
            self._replace(staged.key, staged.aor, stored, record)

    def _replace(self, key: bytes, aor: bytes, old: bytes, new: bytes) -> None:
        """Inside a transaction: a record gives way to another one, and the log says so; b"" is none."""
        self._exchange(key, old, new)
        self._append_to_log(aor)

    def _exchange(self, key: bytes, old: bytes, new: bytes) -> None:
        old_live, old_dead, old_due = head_of(old)
        live, dead, due = head_of(new)
        if due != old_due:
            if old:
                self._remove_due(old_due, key)
            if new:
                self._put_due(due, key)
        if new:
            self._put(key, new)
        else:
            self._remove(key)
        self._live_step += live - old_live
        self._dead_step += dead - old_dead

    def load(self, records: list[bytes], is_logged: bool = False) -> int:
        """Take these records (of addresses or changes) in one transaction: without a word in the change log at a cold
        start or for a repair, with it where they come from another node. Returns how many changed something; BUSY where
        another holds the lock now. Raises TableFull, TableUnsound, and RecordError for octets that are no record: then
        nothing was taken.
        """
        if not self._begin():
            return BUSY
        try:
            changed = 0
            for record in records:
                changed += self._load_one(record, is_logged)
            self._end()
        except BaseException:
            self._abandon()
            raise
        return changed

    def _load_one(self, record: bytes, is_logged: bool) -> int:
        aor = aor_of(record)
        key = self._key(aor)
        stored = self._get(key)
        if not stored and record[0] == ADDRESS_FORMAT and not self._is_too_late(forget_at_of(record)):
            self._take(key, aor, b"", record, is_logged)
            return 1
        bindings = decode_address(record)
        for binding in bindings:
            self._bound_lifetime(binding)
        changed: list[Binding] = []
        entries = merged(_decoded(stored) if stored else [], bindings, changed, self.tombstones_max)
        if not changed:
            return 0
        self._take(key, aor, stored, record_made(aor, entries, head_of(stored)[2]), is_logged)
        return 1

    def _take(self, key: bytes, aor: bytes, old: bytes, new: bytes, is_logged: bool) -> None:
        self._exchange(key, old, new)
        if is_logged:
            self._append_to_log(aor)

    # The end of bindings

    def expire(self, wall_time: float, limit: int) -> int:
        """Let go what is over: looks at no more than `limit` addresses. Returns how many live bindings ended; BUSY
        where another holds the lock now. For one process of a node. Raises TableFull and TableUnsound.
        """
        return self.after_pass(0, wall_time, limit)

    def after_pass(self, seq: int, wall_time: float, limit: int) -> int:
        """What the persister writes once what changed up to `seq` is on disk: in one transaction its position is noted,
        the log is trimmed up to there, and what is over is let go as by expire().
        """
        self.clock = wall_time
        self._read_aor = None
        if not self._begin():
            return BUSY
        try:
            if seq > 0:
                self._note_position(seq)
            ended = self._sweep(wall_time, limit)
            self._end()
        except RecordError as fault:
            self._abandon()
            raise TableUnsound(str(fault)) from fault
        except BaseException:
            self._abandon()
            raise
        return ended

    def _sweep(self, wall_time: float, limit: int) -> int:
        now_second = min(int(wall_time), SECOND_MAX)
        ended = 0
        for second, key in self._due_until(now_second, limit):
            record = self._get(key)
            if not record or head_of(record)[2] != second:
                self._remove_due(second, key)
                continue
            event = next_event_of(record)
            if event > now_second:
                # Refreshed since it was put here.
                self._remove_due(second, key)
                self._put_due(event, key)
                self._put(key, with_due(record, event))
                continue
            ended += self._end_bindings(key, record, now_second)
        return ended

    def _end_bindings(self, key: bytes, record: bytes, now_second: int) -> int:
        """Inside a transaction: what is over becomes a tombstone, and the tombstones that are over go."""
        ended = 0
        kept: list[Binding] = []
        for binding in _decoded(record):
            if binding.expires_at > 0 and second_after(binding.expires_at) <= now_second:
                binding.expires_at = 0.0
                ended += 1
            if binding.expires_at > 0 or second_after(binding.forget_at) > now_second:
                kept.append(binding)
        aor = aor_of(record)
        self._replace(key, aor, record, record_made(aor, kept, 0) if kept else b"")
        return ended


def _decoded(record: bytes, alive_at: float = EVER) -> list[Binding]:
    """The bindings of a stored record. Raises TableUnsound."""
    try:
        return decode_address(record, alive_at)
    except RecordError as fault:
        raise TableUnsound(str(fault)) from fault
