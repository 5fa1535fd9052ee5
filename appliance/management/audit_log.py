"""The audit log: each change with its user, time and result. STATE/log/audit.log, one line of JSON each.

A command is written before and after it is done, and shown as one entry: its result is shown with its beginning.

Bounded: when the file is full it becomes `audit.log.1`, and the one that had that name goes. A line is on the
disk before the answer goes to the operator.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from appliance.catalogue.redaction import loggable

FILE_LEN_MAX: Final = 4 * 1024 * 1024
# Of the command, and of what came of it.
TEXT_LEN_MAX: Final = 1000
SECRET: Final = "***"
# Arguments that are never written down.
SECRET_ARGUMENTS: Final = frozenset({"passphrase", "password", "secret"})
# Arguments too long to be of use: the commit has the text.
LONG_ARGUMENTS: Final = frozenset({"text"})


class AuditLog:
    """Appends entries and reads the last ones. Raises OSError when the folder cannot be written."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(
        self, wall_time: float, user: str, do: str, args: dict[str, Any], result: str, place: str = "", entry: str = ""
    ) -> None:
        """Note a command that changes something; `entry` is what its beginning and its end have in common."""
        values = {
            "wall_time": round(wall_time, 3),
            "user": user,
            "from": place,
            "command": command_text(do, args),
            "result": result[:TEXT_LEN_MAX],
        }
        line = json.dumps({**values, **({"entry": entry} if entry else {})}).encode() + b"\n"
        self._make_room(len(line))
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            _append(fd, line)
            os.fsync(fd)
        finally:
            os.close(fd)

    def latest(self, count: int) -> list[dict[str, Any]]:
        """The last entries, oldest first; those of earlier versions have no `from`."""
        entries: list[dict[str, Any]] = []
        for path in (self._path, self._older):
            entries = joined([*_entries(path), *entries])
            if len(entries) >= count:
                break
        return [{name: value for name, value in entry.items() if name != "entry"} for entry in entries[-count:]]

    @property
    def _older(self) -> Path:
        return self._path.with_name(self._path.name + ".1")

    def _make_room(self, octets: int) -> None:
        if self._path.exists() and self._path.stat().st_size + octets > FILE_LEN_MAX:
            self._path.rename(self._older)


def command_text(do: str, args: dict[str, Any]) -> str:
    """The command in a line, without secrets."""
    shown = {name: SECRET if name in SECRET_ARGUMENTS else value for name, value in args.items()}
    words = [f"{name}={value}" for name, value in shown.items() if name not in LONG_ARGUMENTS and value != ""]
    return loggable(" ".join([do, *words]))[:TEXT_LEN_MAX]


def joined(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One entry for each command, where it began, with its last result."""
    found: dict[str, dict[str, Any]] = {}
    entries: list[dict[str, Any]] = []
    for line in lines:
        name = str(line.get("entry", ""))
        if name in found:
            found[name]["result"] = line.get("result", "")
            continue
        entries.append({"from": "", **line})
        if name:
            found[name] = entries[-1]
    return entries


def _append(fd: int, line: bytes) -> None:
    """All of it, or nothing. Raises OSError."""
    size = os.fstat(fd).st_size
    if size and os.pread(fd, 1, size - 1) != b"\n":
        # A power cut has torn the last one.
        line = b"\n" + line
    if os.write(fd, line) < len(line):
        os.ftruncate(fd, size)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return
    for line in lines:
        try:
            yield dict(json.loads(line))
        except (ValueError, TypeError):
            # The end of a line that a power cut has torn.
            continue
