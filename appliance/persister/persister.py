"""The work of the persister: loads the registration table, writes its changes to the disk, removes what has expired.

No process waits for the disk: while it fails an alarm says so, and what changed meanwhile is written when it is well
again. A table that is unsound is made anew from the disk and from what can be read of it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from appliance import clock
from appliance.catalogue.alarms import START_REMARK, STATE_STORE_FAILING, TABLE_NEAR_LIMIT, TABLE_REBUILT
from appliance.catalogue.counters import BINDINGS_EXPIRED, COUNTERS, RECORDS_PERSISTED, STORE_COMPARISONS
from appliance.location.registration_table import BUSY
from appliance.location.table_store import TableFull, TableUnsound
from appliance.persister.carrier import Carrier
from appliance.persister.store_opening import StoreOpening
from appliance.persister.stored_sources import StoredSources
from appliance.persister.table_loading import TableLoading, whole_record
from appliance.storage.damaged_store import readable_records
from appliance.storage.durable_registrations import DATA_FILE, DurableRegistrations, StoreDamaged, StoreFailing
from appliance.storage.registrations import SharedTable
from appliance.storage.shared_store import StoreUnusable
from appliance.storage.table_folder import NONE, TableFolder

SWEEP_STEP: Final = 1_000  # addresses in one transaction
SWEEPS_MAX: Final = 8  # transactions in one pass
FULL_FROM: Final = 0.95  # of the file that was written to: it is enlarged sooner where that is possible
BEHIND_S: Final = 0.1  # how long a pass goes on where there is more than one transaction to write
PAGE: Final = 5_000  # records
READER_CHECK_S: Final = 5.0
REBUILD_PAUSE_S: Final = 10.0
WRITE_SLOW_S: Final = 10.0
REMARK_S: Final = 86_400.0

log = logging.getLogger("signalbox.persister")


class Persister:
    """`load`, then `work` again and again, `flush` at the end: by one thread. The other public methods are for any.

    folder: of the durable store. limit: bindings that are allowed. wall_time: the clock by which registrations live.
    """

    def __init__(self, folder: Path, tables: TableFolder, limit: int, wall_time: Callable[[], float]) -> None:
        self.counters = [0] * len(COUNTERS)
        self.generation = NONE
        """The table in force; NONE before it is loaded."""
        self.limit = limit
        self.changes_kept = 0
        """So many changes stay in the log for other nodes."""
        self._folder = folder
        self._tables = tables
        self._wall_time = wall_time
        self._opening = StoreOpening(folder)
        self._sources = StoredSources(folder)
        self._table: SharedTable | None = None
        self._carrier: Carrier | None = None
        self._keeps_others = False
        self._unsound = ""
        self._rebuilt_at = -REBUILD_PAUSE_S
        self._checked_at = 0.0
        self._writing_since = 0.0
        self._has_no_room = False
        self._remarks: list[tuple[str, str, float]] = []

    # The table

    def load(self) -> None:
        """Have the table in force: that of before where there is a sound one, else one made of what is stored. Raises
        StoreUnusable.
        """
        found = self._tables.current()
        self._table = self._attached(found) if found else None
        if self._table is None:
            self._build(self._tables.directory(found) if found else None)
        else:
            self._opening.is_read = True
            loading = TableLoading(self._table)
            self._sources.read_into(loading)
            self._note(loading)
            self.generation = found

    def _attached(self, generation: int) -> SharedTable | None:
        directory = self._tables.directory(generation)
        try:
            table = SharedTable.attach(directory, self.limit)
        except StoreUnusable as fault:
            self._remark(TABLE_REBUILT, f"{fault}.")
            return None
        try:
            after = b""
            while page := table.raw_page(after, PAGE):
                after = page[-1][0]
        except TableUnsound as fault:
            table.close()
            self._remark(TABLE_REBUILT, f"The registration table in {directory} is unsound: {fault}.")
            return None
        return table

    def _build(self, old: Path | None) -> None:
        """Make a table of what is on the disk, and of what can be read of the old one. Raises StoreUnusable."""
        generation = self._tables.new_generation()
        self._table = SharedTable.create(self._tables.directory(generation), self.limit, generation)
        self._carrier = None
        loading = TableLoading(self._table)
        self._read_store(loading)
        self._sources.read_into(loading)
        if old is not None and (old / DATA_FILE).exists():
            for records in readable_records(old / DATA_FILE, whole_record):
                loading.add_others(records)
        self._note(loading)
        self._tables.put_in_force(generation)
        self.generation = generation

    def _read_store(self, loading: TableLoading) -> None:
        now = clock.monotonic()
        self._opening.reading()
        store = self._opened(now)
        if store is None:
            return
        try:
            after = b""
            while page := store.page(after, PAGE):
                loading.add([record for _, record in page])
                after = page[-1][0]
        except StoreDamaged as fault:
            self._opening.damaged(fault, now)
        except StoreFailing as fault:
            self._failed(fault)
            return
        if not self._opening.fault:
            self._opening.has_been_read()

    def _note(self, loading: TableLoading) -> None:
        if loading.is_full:
            self._remark(START_REMARK, "The registration table has no room for all that is stored (`limits bindings`).")
        if loading.unreadable:
            self._remark(START_REMARK, f"{loading.unreadable} stored records have an unknown format.")
        self._keeps_others |= loading.is_full or loading.unreadable > 0
        for sentence in [*self._opening.remarks, *self._sources.remarks]:
            self._remark(START_REMARK, sentence)
        self._opening.remarks.clear()
        self._sources.remarks.clear()

    def rebuild(self, directory: str, fault: str) -> None:
        """A process found the table in that directory unsound: make it anew with the next pass. By any thread."""
        if directory == str(self._tables.directory(self.generation)):
            self._unsound = fault

    def _rebuild(self, fault: str) -> None:
        now = clock.monotonic()
        if now - self._rebuilt_at < REBUILD_PAUSE_S:
            return
        self._unsound, self._rebuilt_at = "", now
        self._remark(TABLE_REBUILT, f"The registration table was unsound and was rebuilt: {fault}.")
        old = self._tables.directory(self.generation)
        if self._table is not None:
            self._table.close()
            self._table = None
        self._build(old)

    # One pass

    def work(self) -> None:
        """One pass: what changed goes to the disk, what is over goes."""
        try:
            if self._unsound:
                self._rebuild(self._unsound)
            if self._table is None:
                return
            self._table.limit = self.limit
            self._table.changes_kept = self.changes_kept
            self._persist(self._table)
            self._sweep(self._table)
        except TableUnsound as fault:
            self._unsound = str(fault)

    def _persist(self, table: SharedTable) -> None:
        began = self._writing_since = clock.monotonic()
        try:
            carrier = self._carrier or self._begin_to_carry(table, began)
            if carrier is None:
                return
            comparisons = carrier.comparisons
            self.counters[RECORDS_PERSISTED] += carrier.step()
            while carrier.is_behind and clock.monotonic() - began < BEHIND_S:
                self.counters[RECORDS_PERSISTED] += carrier.step()
            self.counters[STORE_COMPARISONS] += carrier.comparisons - comparisons
            if self._sources.are_read and not carrier.is_comparing:
                self._sources.put_away()
        except StoreFailing as fault:
            self._failed(fault)
        except StoreDamaged as fault:
            self._carrier = None
            self._opening.damaged(fault, clock.monotonic())
            for sentence in self._opening.remarks:
                self._remark(START_REMARK, sentence)
            self._opening.remarks.clear()
        finally:
            self._writing_since = 0.0

    def _begin_to_carry(self, table: SharedTable, now: float) -> Carrier | None:
        store = self._opened(now)
        if store is None:
            return None
        is_in_doubt = self._sources.are_read
        if not self._opening.is_read:
            # The disk failed at the start: what it has belongs into the table.
            loading = TableLoading(table)
            self._read_store(loading)
            self._sources.read_into(loading)
            self._note(loading)
            is_in_doubt = True
            store = self._opened(now)
            if store is None or not self._opening.is_read:
                return None
        self._carrier = Carrier(table, store, is_in_doubt)
        self._carrier.removes_others = not self._keeps_others
        self.counters[STORE_COMPARISONS] += self._carrier.comparisons
        return self._carrier

    def _opened(self, now: float) -> DurableRegistrations | None:
        was_failing = bool(self._opening.fault)
        store = self._opening.opened(now)
        if was_failing and store is not None:
            log.info("the disk takes registrations again")
        return store

    def _failed(self, fault: StoreFailing) -> None:
        if not self._opening.fault:
            log.error("registrations cannot be written: %s", fault)
        self._carrier = None
        self._opening.failed(fault, clock.monotonic())

    def _sweep(self, table: SharedTable) -> None:
        seq = self._carrier.seq if self._carrier is not None else 0
        try:
            for _ in range(SWEEPS_MAX):
                ended = table.after_pass(seq, self._wall_time(), SWEEP_STEP)
                if ended in (0, BUSY):
                    break
                self.counters[BINDINGS_EXPIRED] += ended
            self._has_no_room = table.store.used() > FULL_FROM * table.store.size
        except TableFull:
            # Removing needs room as well. Workers refuse what needs more of it.
            self._has_no_room = True
        now = clock.monotonic()
        if now - self._checked_at > READER_CHECK_S:
            self._checked_at = now
            table.reader_check()

    # What the supervisor is told

    def alarms(self) -> list[str]:
        """The name of an alarm and a sentence, for each that is true."""
        found: dict[str, list[str]] = {}
        if self._opening.fault:
            found[STATE_STORE_FAILING] = [
                f"Registrations cannot be written to disk: {self._opening.fault}. They are in memory only. Free disk "
                "space or repair the disk; then they are written."
            ]
        elif (since := self._writing_since) and clock.monotonic() - since > WRITE_SLOW_S:
            found[STATE_STORE_FAILING] = [f"A write of registrations to {self._folder} takes very long."]
        if self._has_no_room:
            found[TABLE_NEAR_LIMIT] = [
                f"The registration table in {self._tables.path} cannot grow: raise `limits bindings`, or give the "
                "machine more memory."
            ]
        now = clock.monotonic()
        for name, sentence, until in list(self._remarks):
            if now < until:
                found.setdefault(name, []).append(sentence)
        return [f"{name} {' '.join(sentences)}" for name, sentences in found.items()]

    def gauges(self) -> dict[str, int]:
        """Figures by name."""
        return {"generation": self.generation}

    def _remark(self, name: str, sentence: str) -> None:
        log.warning("%s", sentence)
        self._remarks.append((name, sentence, clock.monotonic() + REMARK_S))
        del self._remarks[:-20]

    # The end

    def flush(self, until: float) -> bool:
        """Write what is left; whether all is on the disk. `until`: monotonic."""
        while not self._is_done() and not self._opening.fault and clock.monotonic() < until:
            self.work()
        return self._is_done() and not self._sources.are_read

    def _is_done(self) -> bool:
        try:
            return self._carrier is not None and self._carrier.is_done
        except TableUnsound:
            return False

    def close(self) -> None:
        """Leave the table and the store."""
        self._opening.close()
        if self._table is not None:
            self._table.close()
            self._table = None
