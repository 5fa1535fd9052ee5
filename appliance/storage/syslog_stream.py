"""The log to one syslog server by a connection: TCP (RFC 6587 3.4.1, octet counting) or TLS (RFC 5425).

A thread of its own, so that no process waits for a server: lines stand in a queue of bounded length. When it is full
the oldest line goes and is counted, and the server is told how many have gone once it is reached. A line that the
kernel has taken and a server that dies has not read is lost without a count: syslog has no acknowledgments (RFC 5425
5.1).
"""

from __future__ import annotations

import select
import socket
import ssl
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from threading import Condition, Thread
from typing import Final

from appliance.catalogue.certificate_settings import CertificateSettings, TlsSettings
from appliance.catalogue.machine_values import BY_TLS, LogServer
from appliance.tls_contexts import CertificateUnusable, client_context

CONNECT_MAX_S: Final = 10.0
# How long a server may leave what was sent to it unacknowledged by TCP before it counts as dead.
SILENCE_MAX_S: Final = 10.0
PAUSE_MIN_S, PAUSE_MAX_S = 1.0, 30.0
# How long the end of a process waits for lines to go out.
ENDING_MAX_S: Final = 1.0
_USER_TIMEOUT: Final = getattr(socket, "TCP_USER_TIMEOUT", 18)


@dataclass(frozen=True, slots=True)
class Route:
    """How a server is reached: what of the settings makes another connection when it changes."""

    server: LogServer
    tls: TlsSettings
    certificate: CertificateSettings | None


class SyslogStream:
    """`line_of_loss` writes the message that says how many lines have gone."""

    def __init__(self, route: Route, queue_len_max: int, line_of_loss: Callable[[int], bytes]) -> None:
        self.queue_len_max = queue_len_max
        self.lost = 0
        """Lines that have gone since it was made."""
        self.fault = ""
        """Why the server is not reached, in a sentence; "" while it is, or before the first trial."""
        self._route = route
        self._line_of_loss = line_of_loss
        self._waiting: deque[bytes] = deque()
        self._untold = 0
        self._changed = Condition()
        self._is_closed = False
        self._thread = Thread(target=self._run, name=f"syslog {route.server.address}", daemon=True)
        self._thread.start()

    def put(self, line: bytes) -> None:
        """Have a line sent; at the limit the oldest one goes. Waits for nothing but the queue."""
        with self._changed:
            self._waiting.append(line)
            while len(self._waiting) > self.queue_len_max:
                self._waiting.popleft()
                self.lost += 1
                self._untold += 1
            self._changed.notify()

    def close(self) -> None:
        """Send what waits, within a bound, and end."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        self._thread.join(ENDING_MAX_S)

    @property
    def waiting(self) -> int:
        """Lines in the queue."""
        return len(self._waiting)

    # -- the thread ----------------------------------------------------------------------------------

    def _run(self) -> None:
        pause_s = PAUSE_MIN_S
        while not self._is_closed:
            try:
                with self._connected() as connection:
                    self.fault, pause_s = "", PAUSE_MIN_S
                    self._send_all(connection)
            except (OSError, CertificateUnusable) as fault:
                self.fault = f"{self._name} is not reached: {_reason(fault)}"
            with self._changed:
                self._changed.wait_for(lambda: self._is_closed, pause_s)
            pause_s = min(2 * pause_s, PAUSE_MAX_S)

    @property
    def _name(self) -> str:
        server = self._route.server
        return f"The syslog server {server.address}, {server.transport} port {server.port},"

    def _connected(self) -> socket.socket:
        """A connection. Raises OSError, CertificateUnusable."""
        server = self._route.server
        connection = socket.create_connection((server.address, server.port), CONNECT_MAX_S)
        try:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            connection.setsockopt(socket.IPPROTO_TCP, _USER_TIMEOUT, int(SILENCE_MAX_S * 1000))
            if server.transport != BY_TLS:
                return connection
            context = client_context(self._route.certificate, self._route.tls)
            # RFC 5425 5.2: the name, or the address where none was given.
            context.check_hostname = True
            return context.wrap_socket(connection, server_hostname=server.name or server.address)
        except BaseException:
            connection.close()
            raise

    def _send_all(self, connection: socket.socket) -> None:
        """Send what comes, until the process ends or the connection does. Raises OSError."""
        connection.settimeout(SILENCE_MAX_S)
        while True:
            line, told = self._take()
            if _has_ended(connection):
                self._put_back(line)
                raise ConnectionResetError("the server has closed the connection")
            if line is None:
                if self._is_closed:
                    return
                continue
            if told:
                connection.sendall(framed(self._line_of_loss(told)))
                with self._changed:
                    self._untold -= told
            try:
                connection.sendall(framed(line))
            except OSError:
                self._put_back(line)
                raise

    def _take(self) -> tuple[bytes | None, int]:
        """The next line, and how many have gone before it; None when none has come for a second."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._waiting) or self._is_closed, PAUSE_MIN_S)
            return (self._waiting.popleft() if self._waiting else None), self._untold

    def _put_back(self, line: bytes | None) -> None:
        if line is not None:
            with self._changed:
                self._waiting.appendleft(line)


def framed(line: bytes) -> bytes:
    """RFC 6587 3.4.1, RFC 5425 4.3: MSG-LEN SP SYSLOG-MSG."""
    return b"%d %s" % (len(line), line)


def _has_ended(connection: socket.socket) -> bool:
    """Has the server closed it? A server sends nothing else (RFC 5425 4.3)."""
    if not select.select([connection], [], [], 0)[0]:
        return False
    with suppress(ssl.SSLWantReadError, TimeoutError):
        connection.setblocking(False)
        try:
            return not connection.recv(4096)
        except BlockingIOError:
            return False
        finally:
            connection.settimeout(SILENCE_MAX_S)
    return False


def _reason(fault: Exception) -> str:
    text = getattr(fault, "verify_message", "") or getattr(fault, "strerror", "") or str(fault) or type(fault).__name__
    return f"{text.removesuffix('.')}."
