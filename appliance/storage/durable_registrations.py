"""The registrations on disk: what is left of them after a power cut.

An LMDB environment in the state folder that one process writes (appliance/persister). A write is one transaction,
forced to the disk, with the place in the change log that it reaches: so the store is always the table as it was at that
place, or the next one. A record has its checksum before it.

    DIR/data.mdb                registrations: key of the address -> checksum, record; facts: format, position
    DIR.stored                  a mark: something was stored in DIR once
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from struct import Struct
from typing import Final
from zlib import crc32

from appliance.storage import lmdb_environment as lmdb

DATA_FILE: Final = "data.mdb"
FORMAT: Final = 1
PAGE_SIZE: Final = os.sysconf("SC_PAGE_SIZE")
MAP_SIZE: Final = 1 << 32  # addresses, not octets of the disk; doubled when it does not suffice
NO_POSITION: Final = -1
CHECKSUM: Final = Struct("<I")
_POSITION: Final = Struct("<Qq")
_MARK_SUFFIX: Final = ".stored"

Record = tuple[bytes, bytes]
Change = tuple[bytes, bytes | None]


class StoreDamaged(Exception):
    """The files do not hold what was written. The message is a sentence without its end."""


class StoreFailing(OSError):
    """The disk does not take or give what is asked: it is full or faulty. May pass."""


def packed(record: bytes) -> bytes:
    """A record as it is stored."""
    return CHECKSUM.pack(crc32(record)) + record


def unpacked(value: bytes) -> bytes | None:
    """The record of a stored value; None where the checksum says that it is not what was written."""
    record = value[CHECKSUM.size :]
    return record if len(value) >= CHECKSUM.size and CHECKSUM.unpack_from(value)[0] == crc32(record) else None


def is_missing(folder: Path) -> bool:
    """Was something stored in the folder, and is there no store?"""
    return _mark(folder).exists() and not (folder / DATA_FILE).exists()


def _mark(folder: Path) -> Path:
    return folder.with_name(folder.name + _MARK_SUFFIX)


class DurableRegistrations:
    """The store of one folder. To be closed and opened anew after StoreFailing."""

    def __init__(self, folder: Path, map_size: int = MAP_SIZE) -> None:
        """Open it; a new one where there is none. Raises StoreDamaged, StoreFailing."""
        self.folder = folder
        self._map_size = map_size
        with _told(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._environment = lmdb.Environment(str(folder), map_size=map_size, max_dbs=2, mode=0o600)
        try:
            with _told(folder):
                self._check_length()
                self._facts = self._environment.open_db(b"facts")
                self._registrations = self._environment.open_db(b"registrations")
                self._check_format()
        except BaseException:
            self._environment.close()
            raise
        with suppress(OSError):  # without the mark only a remark is missing
            _mark(folder).touch(mode=0o600)

    def _check_length(self) -> None:
        """Pages beyond the end of the file cannot be read: a process that touches one is killed (SIGBUS)."""
        needed = (self._environment.info()["last_pgno"] + 1) * PAGE_SIZE
        size = (self.folder / DATA_FILE).stat().st_size
        # A new store has pages that were never written.
        if size < needed and self._environment.info()["last_txnid"] > 0:
            raise StoreDamaged(f"{self.folder / DATA_FILE} has {size} octets instead of {needed}")

    def _check_format(self) -> None:
        with self._environment.begin(db=self._facts) as transaction:
            found = transaction.get(b"format")
        if found is None:
            with self._environment.begin(db=self._facts, write=True) as transaction:
                transaction.put(b"format", b"%d" % FORMAT)
        elif found != b"%d" % FORMAT:
            text = found.decode("ascii", "replace")
            raise StoreDamaged(f"{self.folder / DATA_FILE} has format {text}; this version reads {FORMAT}")

    def position(self, generation: int) -> int:
        """The place in the change log of that table up to which all is here; NO_POSITION for another table's."""
        with _told(self.folder), self._environment.begin(db=self._facts) as transaction:
            found = transaction.get(b"position", b"")
        if len(found) != _POSITION.size:
            return NO_POSITION
        of_generation, position = _POSITION.unpack(found)
        return int(position) if of_generation == generation else NO_POSITION

    def write(self, changes: Sequence[Change], generation: int, position: int) -> None:
        """Put and remove (None) records, in order of keys, and reach this position; forced to the disk when it returns.

        Raises StoreDamaged, StoreFailing; then nothing of it is stored.
        """
        while True:
            try:
                with _told(self.folder):
                    self._write(changes, _POSITION.pack(generation, position))
                return
            except lmdb.MapFullError:
                self._map_size *= 2
                self._environment.set_mapsize(self._map_size)

    def _write(self, changes: Sequence[Change], position: bytes) -> None:
        with self._environment.begin(db=self._registrations, write=True) as transaction:
            for key, record in changes:
                if record is None:
                    transaction.delete(key)
                else:
                    transaction.put(key, packed(record))
            transaction.put(b"position", position, db=self._facts)

    def page(self, after: bytes, limit: int) -> list[Record]:
        """At most `limit` records whose keys come after that one, in order. Raises StoreDamaged, StoreFailing."""
        found: list[Record] = []
        with _told(self.folder), self._environment.begin(db=self._registrations) as transaction:
            cursor = transaction.cursor()
            is_there = cursor.set_range(after) if after else cursor.first()
            if is_there and cursor.key() == after:
                is_there = cursor.next()
            while is_there and len(found) < limit:
                key, value = cursor.item()
                record = unpacked(value)
                if record is None:
                    raise StoreDamaged(f"{self.folder / DATA_FILE} holds a record with a wrong checksum")
                found.append((key, record))
                is_there = cursor.next()
        return found

    def __len__(self) -> int:
        with _told(self.folder), self._environment.begin() as transaction:
            return transaction.stat(self._registrations)["entries"]

    def close(self) -> None:
        """Nothing is lost: what was written is on the disk."""
        self._environment.close()


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """Say what fails in our own words; a map that is too small is dealt with by the caller."""
    try:
        yield
    except lmdb.MapFullError:
        raise
    except lmdb.PanicError as fault:
        # A transaction before this one failed on the disk; to be opened anew.
        raise StoreFailing(f"{folder}: {fault}") from fault
    except lmdb.DAMAGE as fault:
        raise StoreDamaged(f"{folder / DATA_FILE} is damaged: {fault}") from fault
    except (lmdb.Error, OSError) as fault:
        if isinstance(fault, StoreFailing):
            raise
        raise StoreFailing(f"{folder}: {fault.strerror if isinstance(fault, OSError) else fault}") from fault
