"""The log by syslog to other machines: RFC 5424 over UDP (RFC 5426). What the network does not take is lost.

The facility is `daemon`, APP-NAME is signalbox, MSGID the process: supervisor, worker, management.
"""

from __future__ import annotations

import logging
import os
import socket
from contextlib import suppress
from datetime import datetime
from typing import Final

from appliance.catalogue.redaction import without_url_secrets

PORT: Final = 514
MESSAGE_LEN_MAX: Final = 2048
_FACILITY_DAEMON: Final = 3
# RFC 5424 6.2.1: critical, error, warning, informational, debug.
_SEVERITIES: Final = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
_DEBUG: Final = 7
_BOM: Final = b"\xef\xbb\xbf"


class Syslog(logging.Handler):
    """Sends each record to every host, and waits for none."""

    def __init__(self, hosts: tuple[str, ...], hostname: str) -> None:
        super().__init__()
        self.hosts = hosts
        self.hostname = hostname
        self._sockets: dict[socket.AddressFamily, socket.socket] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Send it."""
        octets = message(record, self.hostname)
        for host in self.hosts:
            with suppress(OSError):
                self._socket(host).sendto(octets, (host, PORT))

    def close(self) -> None:
        """Release the sockets."""
        for opened in self._sockets.values():
            opened.close()
        self._sockets = {}
        super().close()

    def _socket(self, host: str) -> socket.socket:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        if family not in self._sockets:
            opened = self._sockets[family] = socket.socket(family, socket.SOCK_DGRAM)
            opened.setblocking(False)
        return self._sockets[family]


def message(record: logging.LogRecord, hostname: str) -> bytes:
    """RFC 5424 6: PRI VERSION TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA MSG."""
    severity = next((number for level, number in _SEVERITIES if record.levelno >= level), _DEBUG)
    moment = datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="milliseconds")
    process = record.name.rpartition(".")[2]
    header = f"<{_FACILITY_DAEMON * 8 + severity}>1 {moment} {hostname} signalbox {os.getpid()} {process} - "
    text = " ".join(without_url_secrets(record.getMessage()).split("\n"))
    return (header.encode("ascii", "replace") + _BOM + text.encode())[:MESSAGE_LEN_MAX]
