"""Which appliances run on this machine, and on which state folders: so that `signalbox cli` needs no `--state`.

A running appliance has a file, named by its process, in `signalbox` below $XDG_RUNTIME_DIR, or below /run for one that
root starts without a session. It holds the moment at which the process began (proc(5), stat), for numbers of processes
come again, and the state folder. A file whose process is gone counts for nothing.

$SIGNALBOX_RUNTIME_DIR names another folder, which takes the place of both: appliances beside each other that shall not
know of each other.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

SYSTEM_FOLDER: Final = Path("/run/signalbox")
VARIABLE: Final = "SIGNALBOX_RUNTIME_DIR"
FILE_LEN_MAX: Final = 8192


class SeveralRun(Exception):
    """More than one appliance runs here; the message says which, and what to type."""


def announce(state_dir: Path) -> Path | None:
    """Note that this process runs an appliance on a state folder; the file, or None where it cannot be noted."""
    folder = _own_folder()
    with suppress(OSError):
        folder.mkdir(mode=0o755 if folder == SYSTEM_FOLDER else 0o700, parents=True, exist_ok=True)
        _forget_the_ended(folder)
        path = folder / str(os.getpid())
        path.write_text(f"{_began(os.getpid())}\n{state_dir.absolute()}\n")
        path.chmod(0o644)
        return path
    return None


def withdraw(path: Path | None) -> None:
    """It runs no longer."""
    if path is not None:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def running_state_folders() -> list[Path]:
    """The state folders of the appliances that run here, as far as this user can see them."""
    folders = dict.fromkeys((_own_folder(), *(() if os.environ.get(VARIABLE) else (SYSTEM_FOLDER,))))
    return sorted({state for folder in folders for state in _states_in(folder)})


def state_folder(default: Path) -> Path:
    """The state folder of the one appliance that runs here; `default` when none does. Raises SeveralRun."""
    found = running_state_folders()
    if len(found) > 1:
        names = ", ".join(map(str, found))
        raise SeveralRun(f"{len(found)} appliances are running, on {names}. Use `--state DIR` to select one.")
    return found[0] if found else default


def _own_folder() -> Path:
    if only := os.environ.get(VARIABLE):
        return Path(only)
    session = os.environ.get("XDG_RUNTIME_DIR")
    if session:
        return Path(session) / "signalbox"
    return SYSTEM_FOLDER if os.geteuid() == 0 else Path(f"/tmp/signalbox-{os.geteuid()}")


def _states_in(folder: Path) -> Iterator[Path]:
    """Only files are used that this user or root has written, in a folder that no other user can write."""
    with suppress(OSError):
        status = folder.stat()
        if status.st_uid not in (0, os.geteuid()) or status.st_mode & 0o022:
            return
        for path in folder.iterdir():
            if path.name.isdigit() and (state := _state_of(path)):
                yield Path(state)


def _state_of(path: Path) -> str:
    """The state folder that a file names; "" when its process is gone."""
    with suppress(OSError, ValueError):
        began, state = path.read_text()[:FILE_LEN_MAX].splitlines()
        if began == _began(int(path.name)):
            return state
    return ""


def _forget_the_ended(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name.isdigit() and not _state_of(path):
            path.unlink(missing_ok=True)


def _began(pid: int) -> str:
    """When a process began, in ticks since the system did; its name, before that, may hold anything."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
