"""The route tables of a node, numbered, as the state folder keeps them: STATE/routes/.

An import makes a version, `routes-000012` (routing/route_file.py). Tables that are read from databases make none of
their own: each read that has changed a table renews the file of the version in force, as `routes-000012.1` and so on.
So the versions that are kept are those of operators. `current` is a symbolic link to the file in force.

A file is written whole under another name, forced to the disk and renamed, and then the link is replaced: readers
find the old tables or the new ones. Each process maps the file into its memory, so a rule costs memory once a node.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from appliance.routing.route_tables import RouteTables

VERSIONS_KEPT: Final = 10
# Of one version: the one before may be about to be opened.
FILES_KEPT: Final = 2
CURRENT: Final = "current"
_NAME: Final = re.compile(r"routes-([0-9]{6,})(?:\.([0-9]+))?")


class RouteStoreFault(OSError):
    """Route tables cannot be read or written; the message is a sentence for the operator."""


class RoutesChanged(Exception):
    """Another version has come into force meanwhile."""


class RouteStore:
    """The versions in one state folder."""

    def __init__(self, state_dir: Path) -> None:
        self._folder = state_dir / "routes"

    def versions(self) -> list[int]:
        """Those that are kept, oldest first. Raises RouteStoreFault."""
        return sorted({version for version, _ in self._files()})

    def current(self) -> int:
        """The version in force; 0 for none. Raises RouteStoreFault."""
        match = _NAME.fullmatch(self.file_in_force())
        return int(match[1]) if match else 0

    def file_in_force(self) -> str:
        """The name of its file, which no other tables ever have; "" for none. Raises RouteStoreFault."""
        try:
            return os.readlink(self._folder / CURRENT)
        except FileNotFoundError:
            return ""
        except OSError as fault:
            raise self._unreadable(fault) from None

    def open(self, version: int) -> RouteTables:
        """The tables of a version, as they were last in force. Raises RouteStoreFault."""
        return self.open_file(self._last_file(version))

    def open_file(self, name: str) -> RouteTables:
        """The tables of a file. Raises RouteStoreFault."""
        path = self._folder / name
        try:
            with open(path, "rb") as file:
                return RouteTables(memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)))
        except OSError as fault:
            raise RouteStoreFault(f"The route tables {path} cannot be read: {fault.strerror}.") from None
        except ValueError as fault:
            raise RouteStoreFault(f"The route tables {path} are damaged: {fault}.") from None

    def add(self, octets: bytes, made_from: str | None = None, renewed: int = 0) -> int:
        """Put tables in force, as a new version or as those of the version `renewed`; its number.

        `made_from`: only while that file is in force. Raises RouteStoreFault or RoutesChanged, and nothing has changed
        then.
        """
        with self._locked():
            if made_from is not None and self.file_in_force() != made_from:
                raise RoutesChanged
            files = self._files()
            version = renewed or max(files, default=(0, 0))[0] + 1
            turn = max((turn for number, turn in files if number == version), default=-1) + 1
            unfinished = self._folder / "new"
            with open(unfinished, "wb") as file:
                file.write(octets)
                file.flush()
                os.fsync(file.fileno())
            name = _file_name(version, turn)
            unfinished.rename(self._folder / name)
            self._point_to(name)
            self._remove_old(version)
        return version

    def put_in_force(self, version: int) -> None:
        """Go back, or forward, to a version that is kept. Raises RouteStoreFault."""
        self.open(version)
        with self._locked():
            self._point_to(self._last_file(version))

    def _remove_old(self, version: int) -> None:
        kept = self.versions()[-VERSIONS_KEPT:]
        too_many = sorted(file for file in self._files() if file[0] == version)[:-FILES_KEPT]
        for file in self._files():
            if file in too_many or file[0] not in (*kept, version):
                (self._folder / _file_name(*file)).unlink()

    def _point_to(self, name: str) -> None:
        link = self._folder / "new-current"
        with suppress(FileNotFoundError):
            link.unlink()
        link.symlink_to(name)
        link.rename(self._folder / CURRENT)
        fd = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One writer at a time; what the file system says against it is a RouteStoreFault."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(self._folder / "lock", "wb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except RouteStoreFault:
            raise
        except OSError as fault:
            raise RouteStoreFault(f"The route tables cannot be saved in {self._folder}: {fault.strerror}.") from fault

    def _files(self) -> list[tuple[int, int]]:
        """The version, and the turn in it, of each file."""
        try:
            names = os.listdir(self._folder)
        except FileNotFoundError:
            return []
        except OSError as fault:
            raise self._unreadable(fault) from None
        return [(int(match[1]), int(match[2] or 0)) for match in map(_NAME.fullmatch, names) if match]

    def _unreadable(self, fault: OSError) -> RouteStoreFault:
        return RouteStoreFault(f"The route tables in {self._folder} cannot be read: {fault.strerror}.")

    def _last_file(self, version: int) -> str:
        return _file_name(version, max((turn for number, turn in self._files() if number == version), default=0))


def _file_name(version: int, turn: int) -> str:
    return f"routes-{version:06d}{f'.{turn}' if turn else ''}"


class RouteFollower:
    """What one process knows of the version in force. `fault`: a sentence while that one cannot be used."""

    def __init__(self, store: RouteStore) -> None:
        self._store = store
        self._file = ""
        self.fault = ""

    def news(self) -> RouteTables | None:
        """The tables, when others are in force than at the last call, and can be read."""
        try:
            file = self._store.file_in_force()
            if file == self._file:
                self.fault = ""
                return None
            tables = self._store.open_file(file) if file else None
        except RouteStoreFault as fault:
            self.fault = str(fault)
            return None
        self._file, self.fault = file, ""
        return tables
