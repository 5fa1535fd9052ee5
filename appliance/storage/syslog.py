"""The log by syslog to other machines: RFC 5424 over UDP (RFC 5426), TCP (RFC 6587) and TLS (RFC 5425).

What the network does not take by UDP is lost; a connection has a queue (syslog_stream.py). The facility is `daemon`,
APP-NAME is signalbox, MSGID the process: supervisor, worker, management.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Final

from appliance.catalogue.machine_values import BY_UDP, LogServer, log_server_of
from appliance.catalogue.redaction import loggable
from appliance.catalogue.settings import Settings
from appliance.storage.syslog_stream import Route, SyslogStream

MESSAGE_LEN_MAX: Final = 2048
_FACILITY_DAEMON: Final = 3
# RFC 5424 6.2.1: critical, error, warning, informational, debug.
_SEVERITIES: Final = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
_DEBUG: Final = 7
_BOM: Final = b"\xef\xbb\xbf"


class Syslog(logging.Handler):
    """Sends each record to every server, and waits for none."""

    def __init__(self) -> None:
        super().__init__()
        self.hostname = ""
        self.streams: dict[Route, SyslogStream] = {}
        self._by_udp: tuple[LogServer, ...] = ()
        self._sockets: dict[socket.AddressFamily, socket.socket] = {}
        self._lost_before = 0

    def go_by(self, settings: Settings) -> None:
        """Send to the servers of these settings. Connections to those that stay are kept, and what waits for them."""
        self.hostname = settings.hostname
        servers = [log_server_of(value) for value in settings.logging_hosts]
        self._by_udp = tuple(server for server in servers if server.transport == BY_UDP)
        certificates = {certificate.name: certificate for certificate in settings.certificates}
        own = certificates.get(settings.tls.client_certificate)
        wanted = {Route(server, settings.tls, own) for server in servers if server.transport != BY_UDP}
        for route in set(self.streams) - wanted:
            stream = self.streams.pop(route)
            stream.close()
            self._lost_before += stream.lost + stream.waiting
        for route in wanted - set(self.streams):
            self.streams[route] = SyslogStream(route, settings.logging_queue_max, self._line_of_loss)
        for stream in self.streams.values():
            stream.queue_len_max = settings.logging_queue_max

    def emit(self, record: logging.LogRecord) -> None:
        """Send it."""
        octets = message(record, self.hostname)
        for server in self._by_udp:
            with suppress(OSError):
                self._socket(server.address).sendto(octets, (server.address, server.port))
        for stream in self.streams.values():
            stream.put(octets)

    def close(self) -> None:
        """Release the sockets; what waits for a connection is sent, within a bound."""
        for opened in self._sockets.values():
            opened.close()
        self._sockets = {}
        for stream in self.streams.values():
            stream.close()
        super().close()

    @property
    def lost(self) -> int:
        """Lines that no connection has taken, of this process."""
        return self._lost_before + sum(stream.lost for stream in self.streams.values())

    def faults(self) -> Iterator[tuple[str, str]]:
        """(server, sentence) of each that is not reached by a connection."""
        for route, stream in self.streams.items():
            if stream.fault:
                yield route.server.address, f"{stream.fault} Lines waiting: {stream.waiting}, lost: {stream.lost}."

    def _socket(self, host: str) -> socket.socket:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        if family not in self._sockets:
            opened = self._sockets[family] = socket.socket(family, socket.SOCK_DGRAM)
            opened.setblocking(False)
        return self._sockets[family]

    def _line_of_loss(self, count: int) -> bytes:
        sentence = "%d lines of this log could not be sent and are lost."
        record = logging.LogRecord("signalbox.syslog", logging.WARNING, "", 0, sentence, (count,), None)
        return message(record, self.hostname)


def message(record: logging.LogRecord, hostname: str) -> bytes:
    """RFC 5424 6: PRI VERSION TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA MSG."""
    severity = next((number for level, number in _SEVERITIES if record.levelno >= level), _DEBUG)
    moment = datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="milliseconds")
    process = record.name.rpartition(".")[2]
    header = f"<{_FACILITY_DAEMON * 8 + severity}>1 {moment} {hostname} signalbox {os.getpid()} {process} - "
    text = " ".join(loggable(record.getMessage()).split("\n"))
    return (header.encode("ascii", "replace") + _BOM + text.encode())[:MESSAGE_LEN_MAX]
