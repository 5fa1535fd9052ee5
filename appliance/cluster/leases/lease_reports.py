"""The socket on which the lease process reports and takes orders (Unix, SOCK_SEQPACKET, one JSON object a packet).

    report   {"addresses": [...], "members": [...], "counters": {...}, ...}      at each change, and once a second
    change   {"change": {...}}                                                   a node has taken or lost an address
    order    {"order": "switchover", "address": 1, "to": 2}; "drain", "maintenance", "ready" with "on";
             "members" with what LeaseLaunch.with_members takes; "stop"
    reply    {"reply": "" or the sentence why not}

A reader that does not read is disconnected: it must not hold this process up.
"""

from __future__ import annotations

import json
import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

READERS_MAX: Final = 4
# Room for the members and addresses of the largest cluster.
ORDER_LEN_MAX: Final = 1 << 16


class LeaseReports:
    """The server's end. Raises OSError when the socket cannot be made."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with suppress(FileNotFoundError):
            path.unlink()
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
        self.listener.setblocking(False)
        self.listener.bind(os.fspath(path))
        path.chmod(0o600)
        self.listener.listen(READERS_MAX)
        self.readers: list[socket.socket] = []

    def accept(self) -> socket.socket | None:
        """A new reader; None when there are too many."""
        try:
            reader, _ = self.listener.accept()
        except OSError:
            return None
        if len(self.readers) >= READERS_MAX:
            reader.close()
            return None
        reader.setblocking(False)
        self.readers.append(reader)
        return reader

    def order_of(self, reader: socket.socket) -> dict[str, Any] | None:
        """What a reader wants; {} for what is no order, None when it has gone."""
        try:
            octets = reader.recv(ORDER_LEN_MAX)
        except BlockingIOError:
            return {}
        except OSError:
            return None
        if not octets:
            return None
        try:
            order = json.loads(octets)
        except ValueError:
            return {}
        return order if isinstance(order, dict) else {}

    def send(self, reader: socket.socket, document: dict[str, Any]) -> bool:
        """To one reader; False: it does not read."""
        try:
            reader.send(json.dumps(document).encode())
        except OSError:
            return False
        return True

    def forget(self, reader: socket.socket) -> None:
        """It has gone."""
        self.readers.remove(reader)
        reader.close()

    def close(self) -> None:
        """Close all."""
        for reader in self.readers:
            reader.close()
        self.listener.close()
        with suppress(FileNotFoundError):
            self._path.unlink()
