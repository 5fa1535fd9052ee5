"""The route tables of a node, numbered, as the state folder keeps them: STATE/routes/.

One file a version (routing/route_file.py), `routes-000001` and so on; `current` is a symbolic link to the one in force.
A version is written whole under another name, forced to the disk and renamed, and then the link is replaced: readers
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
CURRENT: Final = "current"
_NAME: Final = re.compile(r"routes-([0-9]{6,})")


class RouteStoreFault(OSError):
    """Route tables cannot be read or written; the message is a sentence for the operator."""


class RoutesChanged(Exception):
    """Another version has come into force meanwhile."""


class RouteStore:
    """The versions in one state folder."""

    def __init__(self, state_dir: Path) -> None:
        self._folder = state_dir / "routes"

    def versions(self) -> list[int]:
        """Those that are kept, oldest first."""
        try:
            names = os.listdir(self._folder)
        except OSError:
            return []
        return sorted(int(match[1]) for match in map(_NAME.fullmatch, names) if match)

    def current(self) -> int:
        """The version in force; 0 for none."""
        try:
            match = _NAME.fullmatch(os.readlink(self._folder / CURRENT))
        except OSError:
            return 0
        return int(match[1]) if match else 0

    def open(self, version: int) -> RouteTables:
        """The tables of a version. Raises RouteStoreFault."""
        path = self._path(version)
        try:
            with open(path, "rb") as file:
                return RouteTables(memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)))
        except OSError as fault:
            raise RouteStoreFault(f"The route tables {path} cannot be read: {fault.strerror}.") from None
        except ValueError as fault:
            raise RouteStoreFault(f"The route tables {path} are damaged: {fault}.") from None

    def add(self, octets: bytes, made_from: int | None = None) -> int:
        """Keep a new version and put it in force; its number. `made_from`: only while that version is in force.

        Raises RouteStoreFault or RoutesChanged, and nothing has changed then.
        """
        with self._locked():
            if made_from is not None and self.current() != made_from:
                raise RoutesChanged
            version = max(self.versions(), default=0) + 1
            unfinished = self._folder / "new"
            with open(unfinished, "wb") as file:
                file.write(octets)
                file.flush()
                os.fsync(file.fileno())
            unfinished.rename(self._path(version))
            self._point_to(version)
            for old in self.versions()[:-VERSIONS_KEPT]:
                self._path(old).unlink()
        return version

    def put_in_force(self, version: int) -> None:
        """Go back, or forward, to a version that is kept. Raises RouteStoreFault."""
        self.open(version)
        with self._locked():
            self._point_to(version)

    def _point_to(self, version: int) -> None:
        link = self._folder / "new-current"
        with suppress(FileNotFoundError):
            link.unlink()
        link.symlink_to(self._path(version).name)
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

    def _path(self, version: int) -> Path:
        return self._folder / f"routes-{version:06d}"


class RouteFollower:
    """What one process knows of the version in force. `fault`: a sentence while that one cannot be used."""

    def __init__(self, store: RouteStore) -> None:
        self._store = store
        self._version = 0
        self.fault = ""

    def news(self) -> RouteTables | None:
        """The tables, when others are in force than at the last call, and can be read."""
        version = self._store.current()
        if version == self._version:
            self.fault = ""
            return None
        try:
            tables = self._store.open(version) if version else None
        except RouteStoreFault as fault:
            self.fault = str(fault)
            return None
        self._version, self.fault = version, ""
        return tables
