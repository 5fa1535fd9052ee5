"""The supervisor's end of the socket on which the lease process reports and takes orders.

The other end, and what is written: cluster/leases/lease_reports.py. Nothing here waits; what is no report costs the
connection.
"""

from __future__ import annotations

import json
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

REPORTS_PER_TURN: Final = 64
REPORT_LEN_MAX: Final = 1 << 18
ORDERS_MAX: Final = 16
ORDER_TIMEOUT_S: Final = 2.0

OnReply = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Order:
    until: float
    on_reply: OnReply


class LeaseReader:
    """One connection. Raises OSError when the lease process does not listen."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        self._orders: deque[_Order] = deque()
        self.is_open = True
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """Readable when there are reports."""
        return self._socket.fileno()

    def receive(self) -> list[dict[str, Any]]:
        """The reports that have come, the oldest first; replies to orders are passed on."""
        reports: list[dict[str, Any]] = []
        for _ in range(REPORTS_PER_TURN):
            document = self._next()
            if document is None:
                break
            if "reply" not in document:
                reports.append(document)
            elif self._orders:
                self._orders.popleft().on_reply(str(document["reply"]))
        return reports

    def _next(self) -> dict[str, Any] | None:
        try:
            octets = self._socket.recv(REPORT_LEN_MAX)
            document = json.loads(octets) if octets else None
        except BlockingIOError:
            return None
        except (OSError, ValueError):
            document = None
        if not isinstance(document, dict):
            self.close()
            return None
        return document

    def order(self, order: dict[str, Any], on_reply: OnReply, now: float) -> bool:
        """Send an order. `on_reply` gets "" or the sentence why not. False: it is not sent, and will have no reply."""
        if not self.is_open or len(self._orders) >= ORDERS_MAX:
            return False
        try:
            self._socket.send(json.dumps(order).encode())
        except OSError:
            return False
        self._orders.append(_Order(now + ORDER_TIMEOUT_S, on_reply))
        return True

    def give_up_late(self, now: float) -> None:
        """A process that does not answer in time is not there: the connection is closed."""
        if self._orders and now > self._orders[0].until:
            self.close()

    def close(self) -> None:
        """End it; orders without a reply get the sentence that says so."""
        if not self.is_open:
            return
        self.is_open = False
        self._socket.close()
        while self._orders:
            self._orders.popleft().on_reply("The lease process did not answer; see `show cluster`.")
