"""Files on the machine of the shell: their names for completion, and lines written to one."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from cli.failure import Failed

NAMES_MAX = 100


def file_names(start: str) -> list[str]:
    """The files and folders whose path begins with `start`; a folder ends with a slash."""
    folder, _, begin = start.rpartition("/")
    prefix = f"{folder}/" if "/" in start else ""
    names: list[str] = []
    with suppress(OSError):
        for path in sorted(Path(prefix or ".").expanduser().iterdir()):
            if path.name.startswith(begin) and not (path.name.startswith(".") and not begin):
                names.append(f"{prefix}{path.name}{'/' if path.is_dir() else ''}")
    return names[:NAMES_MAX]


def open_private(name: str) -> BinaryIO:
    """A new file, for its owner alone. Raises Failed."""
    path = Path(name).expanduser()
    try:
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
    except OSError as fault:
        raise Failed(f"Cannot write {path}: {fault.strerror}.") from None


def write_lines(name: str, lines: Iterable[str]) -> int:
    """Write lines to a file, for its owner alone; returns how many. Raises Failed."""
    path = Path(name).expanduser()
    count = 0
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            for line in lines:
                file.write(f"{line}\n")
                count += 1
    except OSError as fault:
        raise Failed(f"Cannot write {path}: {fault.strerror}.") from None
    return count
