"""Machines of a test run that was interrupted: each machine is recorded, and the next run ends those that were left.

A record names a process by its number and the time of its start, so none is taken for another.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

RECORDS = Path("/var/cache/signalbox-tests/machines")
GONE_S = 30.0
# Of /proc/PID/stat behind the name: the place of the start time (proc(5)).
_START = 19


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """While this lasts no other process of the tests is here with this folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def started_at(pid: int) -> int:
    """The start of a process in ticks since the boot; 0 when there is none of that number."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[_START])
    except (OSError, IndexError, ValueError):
        return 0


def record(pid: int, folder: Path, records: Path = RECORDS) -> None:
    """Note a machine of this run: its first process, and the folder that holds its root."""
    records.mkdir(parents=True, exist_ok=True)
    facts = {"machine": [pid, started_at(pid)], "run": [os.getpid(), started_at(os.getpid())], "folder": str(folder)}
    _record_of(folder, records).write_text(json.dumps(facts))


def forget(folder: Path, records: Path = RECORDS) -> None:
    """Its machine has ended, and the folder is gone."""
    _record_of(folder, records).unlink(missing_ok=True)


def _record_of(folder: Path, records: Path) -> Path:
    return records / f"{folder.parent.name}-{folder.name}"


def end_left_behind(records: Path = RECORDS) -> list[Path]:
    """End the machines of runs that are no more, and take their roots away; returns the folders."""
    with alone(records.parent):
        return _end_all(records)


def _end_all(records: Path) -> list[Path]:
    ended = []
    for path in sorted(records.glob("*")):
        facts = json.loads(path.read_text())
        if _is_there(*facts["run"]):
            continue
        if _is_there(*facts["machine"]):
            os.kill(facts["machine"][0], signal.SIGKILL)
            _wait_for(lambda facts=facts: not _is_there(*facts["machine"]))
        folder = Path(facts["folder"])
        subprocess.run(["umount", "--lazy", str(folder / "root")], capture_output=True, check=False)
        if not os.path.ismount(folder / "root"):
            shutil.rmtree(folder, ignore_errors=True)
            with suppress(OSError):
                # Of the run, which may have other machines.
                folder.parent.rmdir()
        path.unlink()
        ended.append(folder)
    return ended


def _is_there(pid: int, start: int) -> bool:
    return start != 0 and started_at(pid) == start


def _wait_for(is_true: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + GONE_S
    while not is_true() and time.monotonic() < ends_at:
        time.sleep(0.05)
