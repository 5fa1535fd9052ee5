"""The registration table of the node, opened for reading as long as its users are to be served."""

from __future__ import annotations

import logging
from pathlib import Path

from appliance.storage.registrations import SharedTable
from appliance.storage.shared_store import StoreUnusable
from appliance.storage.table_folder import NONE, TableFolder

log = logging.getLogger("signalbox.snmp")


class RegistrationReader:
    """`table_dir`: the folder with the tables; "" for none."""

    def __init__(self, table_dir: str) -> None:
        self._folder = TableFolder(Path(table_dir)) if table_dir else None
        self._generation = NONE
        self._table: SharedTable | None = None

    def current(self, limit: int) -> SharedTable | None:
        """The table in force; None where there is none. `limit`: of bindings."""
        generation = NONE if self._folder is None else self._folder.current()
        if generation != self._generation:
            self.close()
            if self._folder is not None and generation != NONE:
                self._open(self._folder.directory(generation), generation, limit)
        return self._table

    def _open(self, directory: Path, generation: int, limit: int) -> None:
        try:
            self._table = SharedTable.attach(directory, limit)
        except StoreUnusable as fault:
            log.warning("the registration table cannot be read: %s", fault)
            return
        self._generation = generation

    def close(self) -> None:
        """Leave the table."""
        if self._table is not None:
            self._table.close()
        self._table, self._generation = None, NONE
