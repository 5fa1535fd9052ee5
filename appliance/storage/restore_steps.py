"""The last part of a restore: files of the state folder change their names, all of them, if need be at the next start.

The steps are written to STATE/restore-steps before the first one is made. A restore that is killed, or that loses its
power, leaves that file: the next start, and the next restore, make the steps that are missing. A step is made when its
source is there and its target is not, so steps can be repeated.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from appliance.storage.set_aside import set_aside

FILE_NAME: Final = "restore-steps"
_RELATIVE: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")


def note_steps(state_dir: Path, unpacked: Path, kept: Path, names: Iterable[str]) -> None:
    """Write down that files of the state folder go to `kept`, and those of `unpacked` come. Raises OSError.

    When it returns, the restore will be completed.
    """
    steps = []
    for name in names:
        if (state_dir / name).exists():
            steps.append([name, f"{kept.name}/{name}"])
        if (unpacked / "state" / name).exists():
            steps.append([f"{unpacked.name}/state/{name}", name])
    unfinished = unpacked / FILE_NAME
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump({"unpacked": unpacked.name, "steps": steps}, file)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(state_dir / FILE_NAME)
    _sync(state_dir)


def has_steps(state_dir: Path) -> bool:
    """Is there a restore to complete?"""
    return (state_dir / FILE_NAME).exists()


def make_steps(state_dir: Path) -> str:
    """Complete a restore, by who holds the lock of the state folder; a sentence when there was one. Raises OSError."""
    path = state_dir / FILE_NAME
    try:
        unpacked, steps = _read(path)
    except FileNotFoundError:
        return ""
    except (ValueError, KeyError, TypeError):
        return f"The steps of a restore in {path} were damaged; the file was renamed to {set_aside(path).name}."
    for source, target in steps:
        if (state_dir / source).exists() and not (state_dir / target).exists():
            (state_dir / source).rename(state_dir / target)
    # The names are on the disk before the list of them is gone.
    for folder in {(state_dir / target).parent for _, target in steps} | {state_dir}:
        _sync(folder)
    path.unlink()
    shutil.rmtree(state_dir / unpacked, ignore_errors=True)
    return "A restore that was interrupted is completed. Restore the same backup again for the configuration folder."


def _read(path: Path) -> tuple[str, list[tuple[str, str]]]:
    found = json.loads(path.read_bytes())
    steps = [(str(source), str(target)) for source, target in found["steps"]]
    for name in (found["unpacked"], *(name for step in steps for name in step)):
        if not _RELATIVE.fullmatch(name):
            raise ValueError(name)
    return found["unpacked"], steps


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
