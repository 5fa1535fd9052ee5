"""Opens the durable store: again and again where the disk fails, and a new one where the files are damaged.

The kernel may kill a process that reads a damaged file. So a file counts the readings that were not finished; after
two of them the store is set aside without being opened.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

from appliance.storage.damaged_store import mark_read, set_aside
from appliance.storage.durable_registrations import DATA_FILE, DurableRegistrations, StoreDamaged, StoreFailing

RETRY_S: Final = 1.0
READINGS_MAX: Final = 2
_READING_FILE: Final = "reading"


class StoreOpening:
    """The durable store of a folder, open or not. fault: why the disk does not take anything now; "" else. remarks:
    what was set aside, in sentences.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fault = ""
        self.remarks: list[str] = []
        self.is_read = False
        """Is all that it has in the table?"""
        self._store: DurableRegistrations | None = None
        self._retry_at = 0.0

    def opened(self, now: float) -> DurableRegistrations | None:
        """The store; None while the disk fails. What was damaged and is not in the table is to be read from the file
        that was set aside.
        """
        if self._store is None and now >= self._retry_at:
            try:
                self._store = self._open()
                self.fault = ""
            except StoreFailing as fault:
                self.failed(fault, now)
        return self._store

    def _open(self) -> DurableRegistrations:
        try:
            return DurableRegistrations(self.folder)
        except StoreDamaged as fault:
            self._set_aside(str(fault))
            return DurableRegistrations(self.folder)

    def failed(self, fault: StoreFailing, now: float) -> None:
        """The disk did not take or give something: open it anew after a while."""
        self.close()
        self.fault = str(fault)
        self._retry_at = now + RETRY_S

    def damaged(self, fault: StoreDamaged, now: float) -> None:
        """It does not hold what was written: go on with a new one."""
        self.close()
        try:
            self._set_aside(str(fault))
        except OSError as failure:
            self.failed(StoreFailing(f"{self.folder}: {failure.strerror or failure}"), now)

    def _set_aside(self, fault: str) -> None:
        path = self.folder / DATA_FILE
        if path.exists():
            aside = set_aside(self.folder)
            if self.is_read:
                aside = mark_read(aside)
            self.remarks.append(f"{fault}. The file was renamed to {aside.name}.")

    def reading(self) -> None:
        """The store is going to be read. One that others did not come to the end of is set aside."""
        mark = self.folder / _READING_FILE
        with suppress(OSError):
            readings = int(mark.read_text() or "0") if mark.exists() else 0
            if readings >= READINGS_MAX:
                self.close()
                self._set_aside(f"{self.folder / DATA_FILE} could not be read in {readings} attempts")
                readings = 0
            mark.write_text(f"{readings + 1}")

    def has_been_read(self) -> None:
        """It was read to its end."""
        self.is_read = True
        with suppress(OSError):
            (self.folder / _READING_FILE).unlink(missing_ok=True)

    def close(self) -> None:
        """Nothing is lost: what was written is on the disk."""
        if self._store is not None:
            self._store.close()
            self._store = None
