"""Files on the machine of the shell: completion of their names, reading and writing."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from cli.errors import Failed

NAMES_MAX = 100
FILE_LEN_MAX = 16 * 1024 * 1024


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


def path_of(name: str) -> Path:
    """The path of a name that an operator typed; `~` is the home folder."""
    return Path(name).expanduser()


def read_text(path: Path) -> str:
    """The text of a file. Raises Failed."""
    try:
        with path.open("rb") as file:
            octets = file.read(FILE_LEN_MAX + 1)
        if len(octets) > FILE_LEN_MAX:
            raise Failed(f"{path} is larger than {FILE_LEN_MAX} bytes.", "Use a smaller file.")
        return octets.decode()
    except OSError as fault:
        raise Failed(f"Cannot read {path}: {fault.strerror}.") from None
    except UnicodeDecodeError:
        raise Failed(f"{path} is not UTF-8 text.", "Specify a configuration file.") from None


def open_private(name: str) -> BinaryIO:
    """A new file that only its owner may read. Raises Failed."""
    path = path_of(name)
    try:
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
    except OSError as fault:
        raise Failed(f"Cannot write {path}: {fault.strerror}.") from None


def write_octets(name: str, octets: Iterable[bytes]) -> int:
    """Write all of them to a file that only its owner may read, or leave the file as it was; returns how many.

    Raises Failed.
    """
    path = path_of(name)
    unfinished = path.with_name(f".{path.name}.new")
    try:
        with open_private(str(unfinished)) as file:
            file.writelines(octets)
            size = file.tell()
        unfinished.rename(path)
    except OSError as fault:
        raise Failed(f"Cannot write {path}: {fault.strerror}.") from None
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
    return size


def write_lines(name: str, lines: Iterable[str]) -> int:
    """Write lines to a file that only its owner may read; returns how many. Raises Failed."""
    count = 0
    try:
        with open_private(name) as file:
            for line in lines:
                file.write(f"{line}\n".encode())
                count += 1
    except OSError as fault:
        raise Failed(f"Cannot write {path_of(name)}: {fault.strerror}.") from None
    return count
