"""The registration table of a node in memory that all of its processes map: the rules of location/ on a SharedStore.

No read transaction outlives a call: while one is open no page of the file is used again. Before a write transaction
the word of the lock is looked at, so that a worker does not stand still behind a process that was stopped in one; it
may still have to wait for one that began in between.
"""

from __future__ import annotations

import os
import time
from collections import deque
from pathlib import Path
from struct import Struct
from typing import Any, Final

from appliance.location.binding_records import RecordError, aor_of
from appliance.location.registration_table import STAGED_MAX, RegistrationTable, StagedAddress
from appliance.location.table_store import TableFull, TableUnsound
from appliance.storage import lmdb_environment as lmdb
from appliance.storage.replication_page import NO_NODE, ReplicationPage
from appliance.storage.shared_store import MIB, RESERVE, SIZE_MIN, SharedStore, size_for

LOCK_WAIT_MAX_S: Final = 0.0002
AHEAD: Final = 4 * MIB  # so much of the file is to be unused, or a quarter
FEWER: Final = 8
TRIM_EVERY: Final = 1024  # changes
TRIM_MAX: Final = 16 * TRIM_EVERY
COMMITS_MAX: Final = 8192  # that wait for another node; older ones are acknowledged with younger ones
_COUNTS: Final = b"counts"
_POSITION: Final = b"position:persister"
_PAIR: Final = Struct("<qq")
_NUMBER: Final = Struct("<q")
_SEQUENCE: Final = Struct(">Q")
_SECOND: Final = Struct(">I")


class SharedTable(RegistrationTable):
    """One process's view of the table. `lock_wait_max_s`: how long commit() waits for the lock. `size_max`: how large
    the file may become, in octets; 0: what `limit` bindings need at most.
    """

    def __init__(
        self, store: SharedStore, limit: int, tombstones_max: int = 20, staged_max: int = STAGED_MAX
    ) -> None:
        RegistrationTable.__init__(self, limit, tombstones_max, staged_max)
        self.lock_wait_max_s = LOCK_WAIT_MAX_S
        self.size_max = 0
        self.replication: ReplicationPage | None = None
        """What other nodes have, where there are any."""
        # (number of a change, its sequence number) of each commit that another node may not have yet.
        self._unacknowledged: deque[tuple[int, int]] = deque(maxlen=COMMITS_MAX)
        self._acknowledged = 0
        self._transaction: Any = None
        self._seq = 0
        self._open(store)

    def _open(self, store: SharedStore) -> None:
        self.store = store
        # The stubs of LMDB have buffers as well, which are not asked for here.
        self._environment: Any = store.environment
        self._lock = store.lock
        self._registrations = store.registrations
        self._due = store.due
        self._changes = store.changes
        self._facts = store.facts
        self._read_aor = None

    @staticmethod
    def create(directory: Path, limit: int, generation: int, size: int = SIZE_MIN) -> SharedTable:
        """Make an empty table in a directory that has none. Raises StoreUnusable."""
        return SharedTable(SharedStore(directory, True, generation, size), limit)

    @staticmethod
    def attach(directory: Path, limit: int) -> SharedTable:
        """Open the table of a directory. Raises StoreUnusable."""
        return SharedTable(SharedStore(directory), limit)

    @property
    def generation(self) -> int:
        """The number of this table among those that were made one after the other in a state folder."""
        return self.store.generation

    def reader_check(self) -> int:
        """Let go what killed processes were reading; how many there were. To be called every few seconds."""
        return self.store.reader_check()

    @property
    def directory(self) -> str:
        """Where the table is."""
        return str(self.store.directory)

    def move_to(self, directory: str) -> None:
        """Go on with the table of another directory; what is staged will be written there. Raises StoreUnusable."""
        store = SharedStore(Path(directory))
        self.store.close()
        self._open(store)
        self._unacknowledged.clear()
        self.fault = ""

    def close(self) -> None:
        """Leave the table; to be done before a fork, and before it is opened again."""
        self.store.close()

    # Reading

    def record_of(self, aor: bytes) -> bytes:
        """What is stored of an address; b"" for nothing. Raises TableUnsound."""
        reading = self._begin_reading()
        try:
            record: bytes = reading.get(self._key(aor), b"", self._registrations)
            return record
        except lmdb.Error as fault:
            raise TableUnsound(str(fault)) from fault
        finally:
            reading.abort()

    def records_of(self, aors: list[bytes]) -> list[bytes | None]:
        """What is stored of these addresses at one moment; None for nothing. Raises TableUnsound."""
        reading = self._begin_reading()
        try:
            return [reading.get(self._key(aor), None, self._registrations) for aor in aors]
        except lmdb.Error as fault:
            raise TableUnsound(str(fault)) from fault
        finally:
            reading.abort()

    def raw_page(self, after_key: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Up to `limit` (key, record) that come after a key, in the order of keys; b"" begins. Raises TableUnsound."""
        return self._page(after_key, b"", limit)

    def changes_after(self, seq: int, limit: int) -> list[tuple[int, bytes]]:
        """(sequence, address) of the first changes after `seq`. Raises TableUnsound."""
        reading = self._begin_reading()
        try:
            cursor = reading.cursor(self._changes)
            changes: list[tuple[int, bytes]] = []
            is_there = cursor.set_range(_SEQUENCE.pack(seq + 1))
            while is_there and len(changes) < limit:
                changes.append((_SEQUENCE.unpack(cursor.key())[0], cursor.value()))
                is_there = cursor.next()
            return changes
        except lmdb.Error as fault:
            raise TableUnsound(str(fault)) from fault
        finally:
            reading.abort()

    @property
    def last_seq(self) -> int:
        """The sequence number of the last change; 0 before the first."""
        return self._ends_of_log()[1]

    @property
    def first_seq(self) -> int:
        """The log has every change after this one: a reader that has come less far has lost some."""
        return max(0, self._ends_of_log()[0] - 1)

    @property
    def position(self) -> int:
        """Up to which change all is on disk, as the persister noted it."""
        value = self._fact(_POSITION)
        return int(_NUMBER.unpack(value)[0]) if value else 0

    def _ends_of_log(self) -> tuple[int, int]:
        """The sequence numbers of the first and last change that are in the log; 0, 0 before the first."""
        reading = self._begin_reading()
        try:
            cursor = reading.cursor(self._changes)
            if not cursor.first():
                return (0, 0)
            first = _SEQUENCE.unpack(cursor.key())[0]
            cursor.last()
            return (first, _SEQUENCE.unpack(cursor.key())[0])
        except lmdb.Error as fault:
            raise TableUnsound(str(fault)) from fault
        finally:
            reading.abort()

    def _page(self, after_key: bytes, prefix: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        reading = self._begin_reading()
        try:
            cursor = reading.cursor(self._registrations)
            page: list[tuple[bytes, bytes]] = []
            start = max(after_key, prefix)
            is_there = cursor.set_range(start) if start else cursor.first()
            if is_there and after_key and cursor.key() == after_key:
                is_there = cursor.next()
            while is_there and len(page) < limit and cursor.key().startswith(prefix):
                page.append(cursor.item())
                is_there = cursor.next()
            return page
        except lmdb.Error as fault:
            raise TableUnsound(str(fault)) from fault
        finally:
            reading.abort()

    def _records_after(self, after: bytes, prefix: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        found = self._page(self._key(after) if after else b"", prefix[: lmdb.KEY_MAX], limit)
        try:
            records = [(aor_of(record), record) for _, record in found]
        except RecordError as fault:
            raise TableUnsound(str(fault)) from fault
        return [(aor, record) for aor, record in records if aor.startswith(prefix)]

    def _counts(self) -> tuple[int, int]:
        value = self._fact(_COUNTS)
        return _PAIR.unpack(value) if value else (0, 0)

    def _fact(self, name: bytes) -> bytes:
        reading = self._begin_reading()
        try:
            value: bytes = reading.get(name, b"", self._facts)
            return value
        except lmdb.Error as fault:
            raise TableUnsound(str(fault)) from fault
        finally:
            reading.abort()

    def _begin_reading(self) -> Any:
        try:
            return self._environment.begin()
        except lmdb.MapResizedError:
            self.store.follow()
        except lmdb.ReadersFullError:
            self.store.reader_check()
        except lmdb.Error as fault:
            raise TableUnsound(str(fault)) from fault
        try:
            return self._environment.begin()
        except lmdb.Error as fault:
            raise TableUnsound(str(fault)) from fault

    # Writing

    def commit(self) -> bool:
        """See RegistrationTable. Wakes the replicator."""
        had_staged = self.staged > 0
        if not RegistrationTable.commit(self):
            return False
        if had_staged and self.replication is not None:
            self._unacknowledged.append((self.committed(), self._seq))
            self.replication.changed()
        return True

    def acknowledged(self) -> int:
        """See RegistrationTable."""
        committed = self.committed()
        if self.replication is None:
            return committed
        seq = self.replication.acknowledged(self.store.generation)
        if seq == NO_NODE:
            self._unacknowledged.clear()
            return committed
        while self._unacknowledged and self._unacknowledged[0][1] <= seq:
            self._acknowledged = self._unacknowledged.popleft()[0]
        return self._acknowledged if self._unacknowledged else committed

    def after_pass(self, seq: int, wall_time: float, limit: int) -> int:
        """See RegistrationTable. Enlarges the file before it is full. Where there is no room for so many removals at
        once, fewer are made.
        """
        while True:
            try:
                ended = RegistrationTable.after_pass(self, seq, wall_time, limit)
                break
            except lmdb.MapFullError as fault:
                if not self.store.grow(self._greatest_size() + RESERVE, True):
                    limit //= FEWER
                    if not limit:
                        raise TableFull(self._no_room()) from fault
            except lmdb.Error as fault:
                raise TableUnsound(str(fault)) from fault
        size = self.store.size
        if size - self.store.used() < min(AHEAD, size // 4):
            self.store.grow(self._greatest_size())
        self.store.keep_reserve()
        return ended

    def load(self, records: list[bytes], is_logged: bool = False) -> int:
        """See RegistrationTable."""
        while True:
            try:
                return RegistrationTable.load(self, records, is_logged)
            except lmdb.MapFullError as fault:
                self._grow(fault)
            except lmdb.Error as fault:
                raise TableUnsound(str(fault)) from fault

    def _write(self, changes: list[StagedAddress]) -> bool:
        while True:
            try:
                return RegistrationTable._write(self, changes)
            except lmdb.MapFullError as fault:
                self._grow(fault)
            except lmdb.Error as fault:
                raise TableUnsound(str(fault)) from fault

    def _grow(self, fault: Exception) -> None:
        """Make the file a step larger. Raises TableFull where that may not or cannot be."""
        if not self.store.grow(self._greatest_size()):
            raise TableFull(self._no_room()) from fault

    def _no_room(self) -> str:
        return f"the registration table in {self.store.directory} is full with {self.store.size} octets"

    def _greatest_size(self) -> int:
        return self.size_max or size_for(self.limit)

    def _key(self, aor: bytes) -> bytes:
        return aor if len(aor) <= lmdb.KEY_MAX else lmdb.address_key(aor)

    def _begin(self) -> bool:
        if self._lock.holder() and not self._await_lock():
            return False
        try:
            self._transaction = self._environment.begin(None, None, True)
        except lmdb.MapResizedError:
            self.store.follow()
            self._transaction = self._environment.begin(None, None, True)
        self._seq = 0
        return True

    def _await_lock(self) -> bool:
        until = time.monotonic() + self.lock_wait_max_s
        while self._lock.holder():
            if time.monotonic() > until:
                return False
            os.sched_yield()
        return True

    def _end(self) -> None:
        transaction = self._transaction
        if self._live_step or self._dead_step:
            value = transaction.get(_COUNTS, b"", self._facts)
            live, dead = _PAIR.unpack(value) if value else (0, 0)
            value = _PAIR.pack(live + self._live_step, dead + self._dead_step)
            transaction.put(_COUNTS, value, True, True, False, self._facts)
        transaction.commit()
        self._forget_transaction()

    def _abandon(self) -> None:
        if self._transaction is not None:
            self._transaction.abort()
        self._forget_transaction()

    def _forget_transaction(self) -> None:
        self._transaction = None
        self._live_step = self._dead_step = 0

    def _get(self, key: bytes) -> bytes:
        record: bytes = self._transaction.get(key, b"", self._registrations)
        return record

    def _put(self, key: bytes, record: bytes) -> None:
        self._transaction.put(key, record, True, True, False, self._registrations)

    def _remove(self, key: bytes) -> None:
        self._transaction.delete(key, b"", self._registrations)

    def _put_due(self, second: int, key: bytes) -> None:
        self._transaction.put(_SECOND.pack(second) + key, b"", True, True, False, self._due)

    def _remove_due(self, second: int, key: bytes) -> None:
        self._transaction.delete(_SECOND.pack(second) + key, b"", self._due)

    def _due_until(self, second: int, limit: int) -> list[tuple[int, bytes]]:
        cursor = self._transaction.cursor(self._due)
        entries: list[tuple[int, bytes]] = []
        is_there = cursor.first()
        while is_there and len(entries) < limit:
            entry = cursor.key()
            due = _SECOND.unpack_from(entry)[0]
            if due > second:
                break
            entries.append((due, entry[_SECOND.size :]))
            is_there = cursor.next()
        return entries

    def _append_to_log(self, aor: bytes) -> None:
        if not self._seq:
            cursor = self._transaction.cursor(self._changes)
            self._seq = _SEQUENCE.unpack(cursor.key())[0] if cursor.last() else 0
        self._seq += 1
        self._transaction.put(_SEQUENCE.pack(self._seq), aor, True, True, True, self._changes)
        if self._seq % TRIM_EVERY == 0:
            self._trim(self._seq - self.changes_max)

    def _note_position(self, seq: int) -> None:
        self._transaction.put(_POSITION, _NUMBER.pack(seq), True, True, False, self._facts)
        self._trim(seq - self.changes_kept)

    def _trim(self, seq: int) -> None:
        """Let some of the oldest changes go, up to `seq`; the last one stays, for it has the number."""
        cursor = self._transaction.cursor(self._changes)
        if not cursor.last():
            return
        last = _SEQUENCE.unpack(cursor.key())[0]
        end = _SEQUENCE.pack(max(0, min(seq, last - 1)))
        cursor.first()
        for _ in range(TRIM_MAX):
            if cursor.key() > end:
                break
            cursor.delete()
