"""Makes the durable store follow the registration table: by the change log, and by comparison where that is not enough.

The log is bounded. A reader that falls out of it, or comes to an unknown table, compares both stores in the order of
their keys, piece by piece, and goes on with the log meanwhile: changes reach the disk no later than otherwise.
Both stores lie on this machine in the same order, so one walk through each is all; digests of ranges would take two.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from appliance.persister.batches import Change, ChangeLog, Record, batch_after, differences, is_in_log
from appliance.storage.lmdb_environment import address_key

LOG_STEP: Final = 20_000  # entries of the log in one step
COMPARED_STEP: Final = 5_000  # records
NO_GENERATION: Final = 0


class Table(ChangeLog, Protocol):
    """The registration table."""

    @property
    def generation(self) -> int: ...
    def raw_page(self, after_key: bytes, limit: int, /) -> list[Record]: ...


class Store(Protocol):
    """The durable store."""

    def position(self, generation: int) -> int: ...
    def write(self, changes: Sequence[Change], generation: int, position: int) -> None: ...
    def page(self, after: bytes, limit: int) -> list[Record]: ...


class Carrier:
    """Call `step` again and again; what it raises is raised by the table or by the store."""

    def __init__(self, table: Table, store: Store, is_in_doubt: bool = False) -> None:
        """`is_in_doubt`: the table has records that its log does not tell of."""
        self._table = table
        self._store = store
        self._seq = store.position(table.generation)
        self._compared_to: bytes | None = None
        self._is_log_long = False
        self.comparisons = 0
        self.removes_others = True
        """Are records removed that the table does not have? Not where some could not be loaded into it."""
        if is_in_doubt or not is_in_log(table, self._seq):
            self._begin_comparison()

    @property
    def seq(self) -> int:
        """The place in the log that is reached; 0 as long as the store is not all that the table was there."""
        return self._seq if self._compared_to is None else 0

    @property
    def is_comparing(self) -> bool:
        return self._compared_to is not None

    @property
    def is_behind(self) -> bool:
        """Is there more than one step to do?"""
        return self.is_comparing or self._is_log_long

    @property
    def is_done(self) -> bool:
        """Is all on the disk?"""
        return self._compared_to is None and self._seq >= self._table.last_seq

    def step(self) -> int:
        """Write the next part of what changed, and of what differs; returns the number of records."""
        if not is_in_log(self._table, self._seq):
            self._begin_comparison()
        written = self._carry()
        if self._compared_to is not None:
            written += self._compare(self._compared_to)
        return written

    def _begin_comparison(self) -> None:
        self.comparisons += 1
        self._seq = self._table.last_seq
        self._compared_to = b""

    def _carry(self) -> int:
        batch = batch_after(self._table, self._seq, LOG_STEP, address_key)
        self._is_log_long = batch.seq - self._seq >= LOG_STEP
        if batch.seq > self._seq:
            # Until both are equal the store is at no place of the log.
            generation = NO_GENERATION if self.is_comparing else self._table.generation
            self._store.write(batch.changes, generation, batch.seq)
            self._seq = batch.seq
        return len(batch.changes)

    def _compare(self, after: bytes) -> int:
        wanted = self._table.raw_page(after, COMPARED_STEP)
        found = self._store.page(after, COMPARED_STEP)
        changes, until = differences(wanted, found, COMPARED_STEP)
        if not self.removes_others:
            changes = [change for change in changes if change[1] is not None]
        if changes or until is None:
            self._store.write(changes, self._table.generation if until is None else NO_GENERATION, self._seq)
        self._compared_to = until
        return len(changes)
