"""The memory that the workers of a node share: an LMDB environment in the runtime directory, opened and grown.

    registrations   key of an address -> its record (location/binding_records.py)
    due             second, 4 octets big-endian, and key of an address -> nothing: the expiry index
    changes         sequence, 8 octets big-endian -> address: the change log
    facts           format, generation, counts, positions of those who read the log

The file begins small and grows in steps; all of it is allocated before it is mapped, for a process that writes where no
memory is left is killed (SIGBUS). Who maps it waits for who grows it: a map of the old size would cut the file.

A process opens an environment once, and closes it before it forks. Write transactions take a robust mutex: what a
killed process had not committed is as if it had not been.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from struct import Struct
from typing import TYPE_CHECKING, Final

from appliance.storage import lmdb_environment as lmdb

if TYPE_CHECKING:
    from appliance.storage.lmdb_environment import Database

MIB: Final = 1024 * 1024
SIZE_MIN: Final = 4 * MIB
HEAD: Final = 64 * 1024  # what LMDB makes of an empty file, before more is allocated
STEP_MIN: Final = 8 * MIB
STEP_LEAST: Final = MIB // 4
RESERVE: Final = MIB  # to remove what is over takes room as well
BYTES_PER_BINDING: Final = 2048  # at most, of a table that is as full as it may be
READERS_MAX: Final = 1024
DATABASES: Final = (b"registrations", b"due", b"changes", b"facts")
FORMAT: Final = b"1"
OPENING_MAX_S: Final = 5.0
_NUMBER: Final = Struct("<q")
_DATA_FILE: Final = "data.mdb"
_GROWTH_FILE: Final = "growth.lock"
_RESERVE_FILE: Final = "reserve"


class StoreUnusable(OSError):
    """The shared table cannot be made or opened; the message says why."""


def size_for(bindings: int) -> int:
    """How large the file may become when so many bindings are allowed, in octets."""
    return SIZE_MIN + STEP_MIN + bindings * BYTES_PER_BINDING


class SharedStore:
    """The environment, opened by this process. Several tables of a process may be on it."""

    def __init__(self, directory: Path, is_new: bool = False, generation: int = 0, size: int = SIZE_MIN) -> None:
        """`is_new`: make it, as the table of this generation, where there is none. Raises StoreUnusable."""
        self.directory = directory
        try:
            if is_new:
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
                if (directory / _DATA_FILE).exists():
                    raise FileExistsError("there is one already")
            with ExitStack() as opened:
                self.environment = self._map_file(is_new, size)
                opened.callback(self.environment.close)
                self.lock = lmdb.WriteLock(directory)
                opened.pop_all()
                opened.callback(self.close)
                self._await_lock()
                self.lock.verify(self.environment)
                self._open_databases(is_new, generation)
                opened.pop_all()
        except (OSError, lmdb.Error) as fault:
            raise StoreUnusable(f"The registration table in {directory} cannot be opened: {fault}") from fault

    def _map_file(self, is_new: bool, size: int) -> lmdb.Environment:
        with self._growing():
            self.size = HEAD if is_new else os.stat(self.directory / _DATA_FILE).st_size
            environment = self._open(is_new)
            if is_new:
                try:
                    self.size = self._allocate(size)
                    environment.set_mapsize(self.size)
                    self.keep_reserve()
                except OSError:
                    environment.close()
                    raise
        return environment

    def _open(self, is_new: bool) -> lmdb.Environment:
        return lmdb.Environment(
            str(self.directory),
            map_size=self.size,
            max_dbs=len(DATABASES),
            max_readers=READERS_MAX,
            mode=0o600,
            create=is_new,
            writemap=True,
            sync=False,
            metasync=False,
            readahead=False,
        )

    def _await_lock(self) -> None:
        """The databases are opened in a write transaction."""
        until = time.monotonic() + OPENING_MAX_S
        while self.lock.holder():
            if time.monotonic() > until:
                raise StoreUnusable(f"thread {self.lock.holder()} holds the write lock")
            time.sleep(0.001)

    def _open_databases(self, is_new: bool, generation: int) -> None:
        opened: list[Database] = [self.environment.open_db(name, create=is_new) for name in DATABASES]
        self.registrations, self.due, self.changes, self.facts = opened
        if is_new:
            self.set_fact(b"generation", _NUMBER.pack(generation))
            self.set_fact(b"format", FORMAT)
        form = self.fact(b"format")
        if form != FORMAT:
            raise StoreUnusable(f"its format is {form.decode(errors='replace')!r}, this version has {FORMAT.decode()}")
        self.generation = int(_NUMBER.unpack(self.fact(b"generation"))[0])

    def fact(self, name: bytes) -> bytes:
        """One of the facts; b"" where there is none."""
        with self.environment.begin(db=self.facts) as transaction:
            return bytes(transaction.get(name, b""))

    def set_fact(self, name: bytes, value: bytes) -> None:
        """Note a fact. Waits for the write lock."""
        with self.environment.begin(db=self.facts, write=True) as transaction:
            transaction.put(name, value)

    def close(self) -> None:
        """Leave the environment; to be done before a fork."""
        self.environment.close()
        self.lock.close()

    # The size

    @contextmanager
    def _growing(self) -> Iterator[None]:
        """Only one process at a time looks at the size of the file, maps it or makes it larger."""
        fd = os.open(self.directory / _GROWTH_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    def _allocate(self, size: int) -> int:
        """Have the file so large, with memory behind all of it. Raises OSError."""
        fd = os.open(self.directory / _DATA_FILE, os.O_RDWR | os.O_CLOEXEC)
        try:
            size = max(size, os.fstat(fd).st_size)
            os.posix_fallocate(fd, 0, size)
        finally:
            os.close(fd)
        return size

    def used(self) -> int:
        """How much of the file was written to, in octets."""
        return (int(self.environment.info()["last_pgno"]) + 1) * os.sysconf("SC_PAGE_SIZE")

    def grow(self, size_max: int, may_use_reserve: bool = False) -> bool:
        """Make the file a step larger, up to a size; or follow another process that did. False where neither can be."""
        with self._growing():
            size = os.stat(self.directory / _DATA_FILE).st_size
            if size <= self.size:
                size = self._enlarged(size, size_max)
                if size <= self.size and may_use_reserve:
                    (self.directory / _RESERVE_FILE).unlink(missing_ok=True)
                    size = self._enlarged(size, size_max)
            if size <= self.size:
                return False
            self._map(size)
        return True

    def _enlarged(self, size: int, size_max: int) -> int:
        """Allocate a step, or what there is memory for; returns the size of the file then."""
        step = min(max(STEP_MIN, size // 32), size_max - size)
        while step >= STEP_LEAST:
            try:
                return self._allocate(size + step)
            except OSError:
                step //= 2
        return size

    def keep_reserve(self) -> None:
        """Put aside memory for the removal of what is over, where there is none yet. It may fail: then later."""
        fd = os.open(self.directory / _RESERVE_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if os.fstat(fd).st_size < RESERVE:
                os.posix_fallocate(fd, 0, RESERVE)
        except OSError:
            os.ftruncate(fd, 0)
        finally:
            os.close(fd)

    def follow(self) -> None:
        """Another process made the file larger: map all of it."""
        with self._growing():
            self._map(os.stat(self.directory / _DATA_FILE).st_size)

    def _map(self, size: int) -> None:
        self.environment.set_mapsize(size)
        self.size = size

    def reader_check(self) -> int:
        """Let go what killed processes were reading; how many there were."""
        return int(self.environment.reader_check())
