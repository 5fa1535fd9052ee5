"""Brings stored records into the registration table, in short transactions: workers write meanwhile."""

from __future__ import annotations

import time
from typing import Final, Protocol

from appliance.location.binding_records import RecordError, aor_of, decode_address
from appliance.location.registration_table import BUSY
from appliance.location.table_store import TableFull

STEP: Final = 2_000
BUSY_S: Final = 0.001


class LoadedTable(Protocol):
    """The table, as far as it is loaded."""

    def load(self, records: list[bytes], /) -> int: ...
    def record_of(self, aor: bytes, /) -> bytes: ...


class TableLoading:
    """Records on their way into a table; what is known there in a later version stays. Raises TableUnsound.

    loaded: records that were taken. unreadable: octets that were no record. is_full: the table had no room for all.
    """

    def __init__(self, table: LoadedTable) -> None:
        self._table = table
        self.loaded = 0
        self.unreadable = 0
        self.is_full = False

    def add(self, records: list[bytes]) -> None:
        """Load these."""
        for start in range(0, len(records), STEP):
            self._add_step(records[start : start + STEP])

    def add_others(self, records: list[bytes]) -> None:
        """Load those that are not there as they are: quicker where most are."""
        self.add([record for record in records if self._table.record_of(aor_of(record)) != record])

    def _add_step(self, records: list[bytes]) -> None:
        while not self.is_full:
            try:
                if self._table.load(records) != BUSY:
                    self.loaded += len(records)
                    return
            except RecordError:
                self._add_singly(records)
                return
            except TableFull:
                self.is_full = True
            time.sleep(BUSY_S)

    def _add_singly(self, records: list[bytes]) -> None:
        if len(records) == 1:
            self.unreadable += 1
            return
        for record in records:
            self._add_step([record])


def whole_record(value: bytes) -> bytes | None:
    """The value, where it is the record of an address with nothing missing; else None."""
    try:
        return value if decode_address(value) else None
    except RecordError:
        return None

