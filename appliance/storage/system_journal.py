"""The log by the native protocol of journald, with fields: datagrams of lines `NAME=value`.

See systemd.io/JOURNAL_NATIVE_PROTOCOL. Used where standard error is the journal ($JOURNAL_STREAM, systemd.exec(5)).
Fields of each record besides MESSAGE and PRIORITY:

    SIGNALBOX_PROCESS  supervisor, worker, management; SIGNALBOX_WORKER its number
    SIGNALBOX_EVENT    what happened, where it has a name: `alarm raised`, `alarm cleared`, `login`, ...
    SIGNALBOX_...      what the event is about: ALARM, SUBJECT, SEVERITY, USER, MESSAGE_HASH, CALL_ID

A line that journald does not take at once is lost: no process of the appliance waits for it.
"""

from __future__ import annotations

import logging
import os
import socket
import struct
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from appliance.catalogue.redaction import loggable

SOCKET: Final = "/run/systemd/journal/socket"
VALUE_LEN_MAX: Final = 32 * 1024
# syslog(3): critical, error, warning, informational, debug.
_PRIORITIES: Final = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
_DEBUG: Final = 7


def is_journal(environment: Mapping[str, str] = os.environ, fd: int = 2) -> bool:
    """Is standard error of this process the journal?"""
    with suppress(OSError):
        status = os.fstat(fd)
        return environment.get("JOURNAL_STREAM", "") == f"{status.st_dev}:{status.st_ino}"
    return False


def fields(event: str, **values: object) -> dict[str, dict[str, str]]:
    """What `extra=` of a log call takes: the name of the event, and what it is about."""
    named = {f"SIGNALBOX_{name.upper()}": str(value) for name, value in values.items()}
    return {"fields": {"SIGNALBOX_EVENT": event, **named}}


class SystemJournal(logging.Handler):
    """Sends each record to journald; `constant` fields go with all."""

    def __init__(self, constant: Mapping[str, str], address: str = SOCKET) -> None:
        super().__init__()
        self._constant = dict(constant)
        self._address = address
        self._door = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)

    def emit(self, record: logging.LogRecord) -> None:
        """Send it."""
        with suppress(OSError):
            self._door.sendto(datagram(self._all_fields(record)), self._address)

    def _all_fields(self, record: logging.LogRecord) -> dict[str, str]:
        return {
            "MESSAGE": loggable(self.format(record)),
            "PRIORITY": str(next((number for level, number in _PRIORITIES if record.levelno >= level), _DEBUG)),
            "SYSLOG_IDENTIFIER": "signalbox",
            "SIGNALBOX_PROCESS": record.name.rpartition(".")[2],
            **self._constant,
            **getattr(record, "fields", {}),
        }

    def close(self) -> None:
        """Release the socket."""
        self._door.close()
        super().close()


def datagram(values: Mapping[str, str]) -> bytes:
    """The fields as journald reads them: a value with several lines has its length before it."""
    parts = []
    for name, value in values.items():
        octets = value.encode("utf-8", "replace")[:VALUE_LEN_MAX]
        if b"\n" in octets:
            parts.append(name.encode() + b"\n" + struct.pack("<Q", len(octets)) + octets + b"\n")
        else:
            parts.append(name.encode() + b"=" + octets + b"\n")
    return b"".join(parts)


def write_failure(text: str) -> None:
    """Say on standard error why a command failed: with its priority, where that is the journal (sd-daemon(3))."""
    prefix = "<3>" if is_journal() else ""
    for line in text.splitlines():
        print(f"{prefix}{line}", file=sys.stderr)
