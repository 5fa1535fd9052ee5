"""What tests of the persister have in common: bindings, a table in a folder, a persister for it."""

from __future__ import annotations

import time
from pathlib import Path

from appliance.location.binding import Binding, BindingChange, new_binding
from appliance.persister.persister import Persister
from appliance.storage.registrations import SharedTable
from appliance.storage.table_folder import TableFolder

LIMIT = 100_000


def aor_of(number: int) -> bytes:
    return b"sip:%06d@example.com" % number


def binding(number: int, turn: int = 1, lifetime_s: float = 3600.0) -> Binding:
    """The contact of one address, as it is in that turn; a lifetime of 0 removes it."""
    now = time.time()
    ends_at = now + lifetime_s if lifetime_s else 0.0
    aor, contact = aor_of(number), b"sip:%06d@192.0.2.1:%d" % (number, 5060 + turn)
    return new_binding(
        aor, b"key", contact, b"", 1000, ends_at, now + 3600, b"call", turn, (), b"", 0, None, None, b"", 1, turn
    )


def register(table: SharedTable, numbers: range, turn: int = 1, lifetime_s: float = 3600.0) -> None:
    for number in numbers:
        table.apply(BindingChange(aor_of(number), (binding(number, turn, lifetime_s),)))
        if table.staged >= 1000:
            commit(table)
    commit(table)


def commit(table: SharedTable) -> None:
    while not table.commit():
        time.sleep(0.001)


def turns_of(table: SharedTable, numbers: range) -> list[int]:
    """The CSeq of the contact of each address; 0 for none."""
    found = [table.find(aor_of(number), time.time()) for number in numbers]
    return [each[0].cseq if each else 0 for each in found]


class Node:
    """A state folder and a table folder. A process is played by a persister that is opened, and closed or forgotten."""

    def __init__(self, path: Path) -> None:
        self.folder = path / "registrations"
        self.tables = TableFolder.prepared(path / "table")
        self.persister = self.started()

    def started(self, limit: int = LIMIT) -> Persister:
        persister = Persister(self.folder, self.tables, limit, time.time)
        persister.load()
        self.persister = persister
        return persister

    @property
    def table(self) -> SharedTable:
        """The persister's own: an environment can be opened once in a process."""
        assert self.persister._table is not None
        return self.persister._table

    def flush(self) -> bool:
        return self.persister.flush(time.monotonic() + 20.0)

    def crash(self) -> None:
        """All processes end; memory and disk stay."""
        self.persister.close()

    def cut_power(self) -> None:
        """All processes end, and memory is lost."""
        self.persister.close()
        self.tables.remove()
        self.tables = TableFolder.prepared(self.tables.path)
