"""Where registrations may be stored besides the durable store: files set aside unread, and the journal of before.

They are read into the table at a start, and put away for good once the durable store has all that is in the table.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path

from appliance.persister.table_loading import TableLoading
from appliance.storage.damaged_store import mark_read, readable_records, unread_files
from appliance.storage.journal_migration import journal_segments, segment_records, set_journal_aside

log = logging.getLogger("signalbox.persister")


class StoredSources:
    """Those of one folder. remarks: what the operator should know of them, in sentences."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: list[Path] = []
        self._has_journal = False
        self.remarks: list[str] = []

    @property
    def are_read(self) -> bool:
        """Is there anything in the table that was read here, and is not put away yet?"""
        return bool(self._files) or self._has_journal

    def read_into(self, loading: TableLoading) -> None:
        """Load all that can be read."""
        for path in unread_files(self._folder):
            before = loading.loaded
            for records in readable_records(path):
                loading.add(records)
            self._files.append(path)
            self.remarks.append(f"{loading.loaded - before} records were read from {path}, which is damaged.")
        for path in journal_segments(self._folder):
            self._has_journal = True
            for records in segment_records(path, self.remarks):
                loading.add(records)
            log.info("the journal %s was read", path)

    def put_away(self) -> None:
        """All is in the durable store: none of it is read again. What cannot be moved now is read at the next start."""
        with suppress(OSError):
            for path in self._files:
                mark_read(path)
            if self._has_journal:
                set_journal_aside(self._folder)
        self._files.clear()
        self._has_journal = False
