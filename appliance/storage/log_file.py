"""The log of a node as a file: STATE/log/signalbox.log, one line an event.

Bounded: the supervisor, who writes most of it, renames a full file to `signalbox.log.1`, and the one that had that
name goes. Workers append to the same file and open it anew when it has been renamed. A disk that is full costs
lines of the log and nothing else.
"""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Any, Final

from appliance import clock
from appliance.catalogue.alarms import LOG_HOST_UNREACHABLE, Condition
from appliance.catalogue.redaction import loggable
from appliance.catalogue.settings import Settings
from appliance.storage.syslog import Syslog
from appliance.storage.system_journal import SystemJournal, is_journal

FILE_LEN_MAX: Final = 8 * 1024 * 1024
FORMAT: Final = "%(asctime)s.%(msecs)03d %(levelname)s %(name)s: %(message)s"
DATE_FORMAT: Final = "%Y-%m-%d %H:%M:%S"
# What `clear logging` writes: `show logging` begins after the last one.
CLEARED: Final = "Log cleared by "


def log_path(state_dir: Path) -> Path:
    """Where the log of an appliance is."""
    return state_dir / "log" / "signalbox.log"


class LogFile:
    """The supervisor's end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._log = logging.getLogger("signalbox.supervisor")
        # What it is told goes to the file by `write`, and to no standard error.
        self._log.addHandler(logging.NullHandler())

    def takes(self, level: int) -> bool:
        """Does `logging level` let it in?"""
        return self._log.isEnabledFor(level)

    def write(self, sentence: str, level: int = logging.INFO, event: Mapping[str, Any] | None = None) -> None:
        """Append one line, and send it to the hosts of `logging host`; `event`: its fields (system_journal.py)."""
        if not self.takes(level):
            return
        sentence = loggable(sentence)
        self._log.log(level, "%s", sentence, extra=event)
        name = logging.getLevelName(level)
        line = f"{clock.local_time_text()} {name} signalbox.supervisor: {sentence}\n".encode()
        try:
            fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                if os.fstat(fd).st_size > FILE_LEN_MAX:
                    self._path.rename(_older(self._path))
                os.write(fd, line)
            finally:
                os.close(fd)
        except OSError:
            return


def latest_lines(path: Path, count: int) -> list[str]:
    """The last lines since the log was cleared, oldest first."""
    lines: deque[str] = deque(maxlen=count)
    for name in (_older(path), path):
        try:
            with name.open(encoding="utf-8", errors="replace") as file:
                for line in file:
                    if f": {CLEARED}" in line:
                        lines.clear()
                    lines.append(line.rstrip("\n"))
        except OSError:
            continue
    return list(lines)


def log_to_stderr(**constant: str) -> None:
    """Let the log of this process go to standard error; where that is the journal, with `constant` as fields."""
    if not log_to_journal(constant):
        handler = logging.StreamHandler()
        handler.setFormatter(_Redacting(FORMAT, DATE_FORMAT))
        logging.basicConfig(level=logging.INFO, handlers=[handler])


def log_to_journal(constant: Mapping[str, str]) -> bool:
    """Let the log of this process go to the journal, where standard error is that; else False."""
    if not is_journal():
        return False
    logging.basicConfig(level=logging.INFO, handlers=[SystemJournal(constant)], format="%(message)s")
    return True


def log_to_file(path: Path) -> None:
    """Let the log of this process go to the file as well as to where it goes."""
    handler = _Appending(path, encoding="utf-8", delay=True)
    handler.setFormatter(_Redacting(FORMAT, DATE_FORMAT))
    logging.getLogger().addHandler(handler)


def log_by(settings: Settings) -> None:
    """Let the log of this process go by the settings: its level, its hosts, and the zone of its times."""
    log = logging.getLogger("signalbox")
    log.setLevel(settings.logging_level.upper())
    clock.set_time_zone(settings.timezone)
    syslog = next(_syslogs(), None)
    if syslog is None and settings.logging_hosts:
        syslog = Syslog()
        log.addHandler(syslog)
    if syslog is not None:
        syslog.go_by(settings)


def lines_lost() -> int:
    """Lines of this process that no connection to a host of `logging host` has taken."""
    return sum(handler.lost for handler in _syslogs())


def log_conditions() -> Iterator[Condition]:
    """The alarms about hosts of `logging host` that are not reached, as this process finds them."""
    for handler in _syslogs():
        for server, sentence in handler.faults():
            yield Condition(LOG_HOST_UNREACHABLE, server, sentence)


def _syslogs() -> Iterator[Syslog]:
    return (handler for handler in logging.getLogger("signalbox").handlers if isinstance(handler, Syslog))


class _Redacting(logging.Formatter):
    """Traces of faults included: a driver may quote the URL of its database."""

    def format(self, record: logging.LogRecord) -> str:
        return loggable(super().format(record))


class _Appending(WatchedFileHandler):
    """What cannot be written is lost: a full disk must neither end a process nor fill standard error."""

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError):
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """The record is dropped."""


def _older(path: Path) -> Path:
    return path.with_name(path.name + ".1")
