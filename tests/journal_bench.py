"""A journal under test: the journal of one worker in a folder, with the table that it keeps."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from appliance.location.binding import BindingChange, new_binding
from appliance.location.binding_records import BindingRecords, encode_change
from appliance.location.binding_table import BindingTable
from appliance.location.record_version import next_version
from appliance.storage.journal import Journal

WALL = 1_700_000_000.0


class Settings:
    segment_kib = 16
    sync_ms = 0
    pace_kib_per_s = 1024


class Keeper:
    """A worker as far as its registrations go: a table and the journal of it."""

    def __init__(self, folder: Path, number: int = 0, workers: int = 1, incarnation: int = 1) -> None:
        self.folder = folder
        self.table = BindingTable(1_000_000)
        self.records = BindingRecords(self.table)
        self.journal = Journal(folder, number, workers, incarnation, Settings(), self.records)
        self.now = 0.0

    def load(self) -> int:
        count = 0
        for records in self.journal.load(WALL):
            for record in records:
                self.records.apply_record(record)
                count += 1
        return count

    def register(self, *users: int, at: float = 0.0, lasts_s: float = 3600.0) -> None:
        records = []
        for user in users:
            change = change_of(user, at, lasts_s)
            self.table.apply(change)
            records.append(encode_change(change))
        self.journal.append(records)

    def upkeep(self, times: int = 1, wall_time: float = WALL) -> None:
        for _ in range(times):
            self.now += 10.0
            self.journal.upkeep(self.now, wall_time)

    def files_after_upkeep(self) -> int:
        self.upkeep()
        return len(segments(self.folder))

    def users(self) -> set[bytes]:
        return {aor for place in range(256) for aor in self.table.aors_of_range(place)}


def change_of(user: int, at: float = 0.0, lasts_s: float = 3600.0) -> BindingChange:
    uri = b"sip:%d@192.0.2.1" % user
    version = next_version(WALL + at, 0, 0)
    until = WALL + at + lasts_s
    one = new_binding(
        b"sip:%d@h" % user, uri, uri, b"", 1000, until, until, b"call", 1, (), b"", 0, None, None, b"", version, version
    )
    return BindingChange(one.aor, (one,))


def segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.journal"))


def users(*numbers: int) -> set[bytes]:
    return {b"sip:%d@h" % number for number in numbers}


def wait_for(condition: Callable[[], object]) -> None:
    """Until a thread has done its work; ten seconds at most."""
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen")


def written(folder: Path, count: int = 50) -> Path:
    keeper = Keeper(folder)
    keeper.register(*range(count))
    keeper.journal.close()
    (path,) = segments(folder)
    return path
