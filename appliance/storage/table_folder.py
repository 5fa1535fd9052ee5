"""The folder in memory that holds the registration table of a node, and which table in it is in force.

    /dev/shm/signalbox-UID-DIGEST/       DIGEST: of the state folder's path; or in $RUNTIME_DIRECTORY
        boot                             the machine's boot in which the folder was made
        current                          the generation in force
        generation-N/                    a table; N is larger than that of any table before

The folder outlives the processes: what is in it is used again after a crash of all of them. It does not outlive the
machine's run, and is removed when the appliance stops and everything is on the disk. Others may write to /dev/shm: a
folder that is not ours alone is refused.
"""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final

MEMORY: Final = Path("/dev/shm")
BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
RUNTIME_VARIABLE: Final = "RUNTIME_DIRECTORY"  # systemd.exec(5)
NONE: Final = 0
_GENERATION: Final = "generation-"


class TableFolderUnusable(OSError):
    """There can be no table in this folder; the message is a sentence that says why."""


def folder_path(state_dir: Path, environment: Mapping[str, str] = os.environ) -> Path:
    """Where the table of the appliance with this state folder is."""
    digest = sha256(os.fsencode(state_dir.absolute())).hexdigest()[:16]
    runtime_dir = environment.get(RUNTIME_VARIABLE, "").partition(":")[0]
    if runtime_dir:
        return Path(runtime_dir) / f"table-{digest}"
    return MEMORY / f"signalbox-{os.geteuid()}-{digest}"


class TableFolder:
    """One such folder, which exists."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def prepared(cls, path: Path) -> TableFolder:
        """Make the folder, or see that the one that is there is ours; tables of an earlier boot are removed.

        Raises TableFolderUnusable.
        """
        try:
            path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            try:
                path.mkdir(mode=0o700)
            except FileExistsError:
                _check_owner(path)
            folder = cls(path)
            folder._forget_other_boots()
        except OSError as fault:
            if isinstance(fault, TableFolderUnusable):
                raise
            raise TableFolderUnusable(
                f"The folder {path} for the registration table cannot be used: {fault.strerror or fault}."
            ) from fault
        return folder

    def _forget_other_boots(self) -> None:
        boot = BOOT_ID.read_text()
        noted = self.path / "boot"
        if noted.exists() and noted.read_text() == boot:
            return
        for entry in self.path.iterdir():
            _remove(entry)
        noted.write_text(boot)

    def current(self) -> int:
        """The generation in force; NONE where there is none."""
        try:
            generation = int((self.path / "current").read_text())
        except (OSError, ValueError):
            return NONE
        return generation if self.directory(generation).is_dir() else NONE

    def directory(self, generation: int) -> Path:
        """The directory of a table."""
        return self.path / f"{_GENERATION}{generation}"

    def new_generation(self) -> int:
        """Make the directory of a new table; returns its number. Raises OSError."""
        # Also larger than the numbers of folders that are gone: positions on the disk name the table they are of.
        generation = max([time.time_ns(), *(number + 1 for number in self._generations())])
        self.directory(generation).mkdir(mode=0o700)
        return generation

    def put_in_force(self, generation: int) -> None:
        """From now on this is the table; the others are removed. Raises OSError."""
        fresh = self.path / "current.new"
        fresh.write_text(f"{generation}\n")
        fresh.rename(self.path / "current")
        self.remove_others(generation)

    def remove_others(self, generation: int) -> None:
        """Remove all tables but this one: those that were given up, and those whose making was interrupted."""
        for other in self._generations():
            if other != generation:
                _remove(self.directory(other))

    def _generations(self) -> list[int]:
        names = (entry.name.removeprefix(_GENERATION) for entry in self.path.glob(f"{_GENERATION}*"))
        return [int(name) for name in names if name.isdecimal()]

    def remove(self) -> None:
        """Leave nothing behind."""
        shutil.rmtree(self.path, ignore_errors=True)


def _check_owner(path: Path) -> None:
    """Others can make a folder of this name, and would read and write the table, or lead it elsewhere by a link."""
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise TableFolderUnusable(f"{path} is not a directory. Remove it.")
    if found.st_uid != os.geteuid():
        raise TableFolderUnusable(f"{path} belongs to user {found.st_uid}. Remove it.")
    if found.st_mode & 0o077:
        raise TableFolderUnusable(f"{path} can be used by other users (mode {found.st_mode & 0o777:o}). Remove it.")


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
