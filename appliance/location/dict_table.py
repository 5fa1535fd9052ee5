"""The registration table in dictionaries: for what runs in one process, as tests, simulations and measurements do.

A DictStore stands for the memory that the workers of a node share; each stack has a DictTable on it, with
changes of its own that it has staged. The store can be told that another holds its lock, or that it is full.
"""

from __future__ import annotations

from collections import deque
from heapq import heapify, heappop, heappush
from typing import Final

from appliance.location.binding_records import head_of
from appliance.location.registration_table import STAGED_MAX, RegistrationTable
from appliance.location.table_store import TableFull

LEFTOVERS_MIN: Final = 64


class DictStore:
    """What is stored. is_locked: as if another held the lock. is_full: transactions that make a record longer fail."""

    __slots__ = ("changes", "due", "is_full", "is_locked", "last_seq", "live", "position", "records", "tombstones")

    def __init__(self) -> None:
        self.records: dict[bytes, bytes] = {}
        # (second, address); of an entry whose record lies under another second nothing is left but this.
        self.due: list[tuple[int, bytes]] = []
        self.changes: deque[tuple[int, bytes]] = deque()
        self.last_seq = 0
        self.position = 0
        self.live = 0
        self.tombstones = 0
        self.is_locked = False
        self.is_full = False


class DictTable(RegistrationTable):
    """A worker's view of a DictStore."""

    def __init__(
        self, store: DictStore, limit: int, tombstones_max: int = 20, staged_max: int = STAGED_MAX
    ) -> None:
        RegistrationTable.__init__(self, limit, tombstones_max, staged_max)
        self.store = store
        self._before: dict[bytes, bytes] = {}
        self._logged: list[bytes] = []
        self._scheduled: list[tuple[int, bytes]] = []
        self._taken: list[tuple[int, bytes]] = []

    def record_of(self, aor: bytes) -> bytes:
        """What is stored of an address; b"" for nothing."""
        return self.store.records.get(aor, b"")

    def changes_after(self, seq: int, limit: int) -> list[tuple[int, bytes]]:
        """(sequence, address) of the first changes after `seq`."""
        return [change for change in self.store.changes if change[0] > seq][:limit]

    @property
    def last_seq(self) -> int:
        """The sequence number of the last change."""
        return self.store.last_seq

    @property
    def first_seq(self) -> int:
        """The log has every change after this one."""
        changes = self.store.changes
        return changes[0][0] - 1 if changes else self.store.last_seq

    def raw_page(self, after_key: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Up to `limit` (address, record) that come after an address, in their order."""
        return self._records_after(after_key, b"", limit)

    def _records_after(self, after: bytes, prefix: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        records = self.store.records
        found = [aor for aor in records if aor > after and aor.startswith(prefix)]
        found.sort()
        return [(aor, records[aor]) for aor in found[:limit]]

    def _counts(self) -> tuple[int, int]:
        return (self.store.live, self.store.tombstones)

    def _begin(self) -> bool:
        return not self.store.is_locked

    def _end(self) -> None:
        store = self.store
        if store.is_full and self._is_longer():
            raise TableFull
        store.live += self._live_step
        store.tombstones += self._dead_step
        for aor in self._logged:
            store.last_seq += 1
            store.changes.append((store.last_seq, aor))
        while len(store.changes) > self.changes_max:
            store.changes.popleft()
        for entry in self._scheduled:
            heappush(store.due, entry)
        self._clean_due()
        self._forget_transaction()

    def _is_longer(self) -> bool:
        longer = [aor for aor, before in self._before.items() if len(self.store.records.get(aor, b"")) > len(before)]
        return bool(longer)

    def _clean_due(self) -> None:
        """The expiry index keeps what is for nothing until that is as much as the rest."""
        store = self.store
        if len(store.due) > 2 * len(store.records) + LEFTOVERS_MIN:
            store.due = [(head_of(record)[2], aor) for aor, record in store.records.items()]
            heapify(store.due)

    def _abandon(self) -> None:
        for aor, record in self._before.items():
            if record:
                self.store.records[aor] = record
            else:
                self.store.records.pop(aor, None)
        for entry in self._taken:
            heappush(self.store.due, entry)
        self._forget_transaction()

    def _forget_transaction(self) -> None:
        self._before.clear()
        self._logged.clear()
        self._scheduled.clear()
        self._taken.clear()
        self._live_step = self._dead_step = 0

    def _get(self, key: bytes) -> bytes:
        return self.store.records.get(key, b"")

    def _put(self, key: bytes, record: bytes) -> None:
        self._before.setdefault(key, self.store.records.get(key, b""))
        self.store.records[key] = record

    def _remove(self, key: bytes) -> None:
        self._before.setdefault(key, self.store.records.get(key, b""))
        self.store.records.pop(key, None)

    def _put_due(self, second: int, key: bytes) -> None:
        self._scheduled.append((second, key))

    def _remove_due(self, second: int, key: bytes) -> None:
        """Nothing: an entry is told from one that is for nothing by the record."""

    def _due_until(self, second: int, limit: int) -> list[tuple[int, bytes]]:
        due = self.store.due
        entries: list[tuple[int, bytes]] = []
        while due and due[0][0] <= second and len(entries) < limit:
            entries.append(heappop(due))
        self._taken += entries
        return entries

    def _append_to_log(self, aor: bytes) -> None:
        self._logged.append(aor)

    def _note_position(self, seq: int) -> None:
        self.store.position = seq
        changes = self.store.changes
        while len(changes) > 1 and changes[0][0] <= seq - self.changes_kept:
            changes.popleft()
