"""The state folder: made, locked for one appliance at a time, and the key that is kept in it.

    DIR/lock            held by the running appliance
    DIR/run/            its pid and local sockets; as a service, a link to the folder that systemd has made in memory
    DIR/registrations/  registrations, as the persister writes them
    DIR/log/
    DIR/key             32 random octets
    DIR/formats         the formats of what is stored (storage/state_format.py)

The key is kept over restarts: branches and challenges of before a restart are still recognised after it.
A damaged key is set aside and a new one is made; phones are challenged once more, and nothing is lost.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

from appliance.storage.set_aside import set_aside
from appliance.storage.state_format import NewerFormat, take_folder

KEY_LEN: Final = 32
# Names the folder that systemd makes for a service: RuntimeDirectory= in systemd.exec(5).
RUNTIME_VARIABLE: Final = "RUNTIME_DIRECTORY"


class StateFolderUnusable(OSError):
    """The appliance cannot run on this folder; the message is a sentence that says why."""


class StateFolder:
    """A state folder that is ours until `release`."""

    def __init__(self, path: Path) -> None:
        """Make what is missing and lock it. Raises StateFolderUnusable."""
        self.path = path.absolute()
        self.runtime_dir = self.path / "run"
        self.registrations_dir = self.path / "registrations"
        self._lock_fd = -1
        try:
            for folder in (self.path, self.registrations_dir, self.path / "log"):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock()
            _make_runtime_folder(self.runtime_dir, os.environ.get(RUNTIME_VARIABLE, ""))
            (self.runtime_dir / "pid").write_text(f"{os.getpid()}\n")
        except OSError as fault:
            if isinstance(fault, StateFolderUnusable):
                raise
            raise StateFolderUnusable(
                f"The state folder {self.path} cannot be used: {fault.strerror}: {fault.filename or self.path}."
            ) from fault

    def key(self) -> tuple[bytes, str]:
        """The key, and a sentence when the one that was there had to be set aside. Raises StateFolderUnusable."""
        path = self.path / "key"
        try:
            if not path.exists():
                return self._make_key(path), ""
            kept = path.read_bytes()
            if len(kept) == KEY_LEN:
                return kept, ""
            aside = set_aside(path)
            return self._make_key(path), (
                f"The key in {path} was damaged ({len(kept)} octets). It was renamed to {aside.name}, and a new key "
                "was created."
            )
        except OSError as fault:
            raise StateFolderUnusable(f"The key {path} cannot be used: {fault.strerror}.") from fault

    def take_formats(self) -> str:
        """See that this version can read the folder, and note what it writes; a sentence when the note was damaged.

        Raises StateFolderUnusable.
        """
        try:
            return take_folder(self.path)
        except NewerFormat as fault:
            raise StateFolderUnusable(str(fault)) from None
        except OSError as fault:
            raise StateFolderUnusable(f"The state folder {self.path} cannot be written: {fault.strerror}.") from fault

    def release(self) -> None:
        """Let another appliance have the folder."""
        (self.runtime_dir / "pid").unlink(missing_ok=True)
        os.close(self._lock_fd)

    def _lock(self) -> None:
        self._lock_fd = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._lock_fd, 20).decode("ascii", "replace").strip() or "unknown"
            os.close(self._lock_fd)
            raise StateFolderUnusable(
                f"Another appliance (process {holder}) already uses the state folder {self.path}."
            ) from None
        with suppress(OSError):
            # For the sentence above only: a full disk is no reason not to start.
            os.ftruncate(self._lock_fd, 0)
            os.write(self._lock_fd, f"{os.getpid()}\n".encode())

    def _make_key(self, path: Path) -> bytes:
        made = os.urandom(KEY_LEN)
        unfinished = path.with_name("key.new")
        unfinished.unlink(missing_ok=True)
        fd = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, made)
            os.fsync(fd)
        finally:
            os.close(fd)
        # A crash leaves the old name or the whole key, never half of it.
        unfinished.rename(path)
        return made


def _make_runtime_folder(path: Path, service_folder: str) -> None:
    """Make the folder, or the link to the one of the service; what an earlier start has left in its place goes."""
    if path.is_symlink():
        path.unlink()
    elif path.exists() and service_folder:
        shutil.rmtree(path)
    if service_folder:
        path.symlink_to(service_folder)
    else:
        path.mkdir(mode=0o700, exist_ok=True)
