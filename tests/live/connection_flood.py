"""A flood of TCP connections: `python connection_flood.py idle|drip ADDRESS PORT CONNECTIONS SECONDS`.

`idle` opens them and says nothing; `drip` sends one octet every half a second of a message that never ends. It is over
when the peer has closed all of them, or after that many seconds. Prints how many were opened, how many the peer has
closed again, and how many octets were dripped.
"""

from __future__ import annotations

import select
import socket
import sys
import time
from contextlib import suppress

DRIP_S = 0.5
# Connections that are opened before their peer gets a moment to accept them.
STEP = 50
STEP_S = 0.02
ENDLESS = b"INVITE sip:bob@signalbox.test SIP/2.0\r\nVia: " + b"x" * 4096


def opened(remote: tuple[str, int], count: int) -> list[socket.socket]:
    """So many connections, or as many as could be opened."""
    connections = []
    for number in range(count):
        connection = socket.socket()
        with suppress(OSError):
            connection.settimeout(5.0)
            connection.connect(remote)
            connection.setblocking(False)
            connections.append(connection)
        if number % STEP == 0:
            time.sleep(STEP_S)
    return connections


def drip(connections: list[socket.socket], octet: bytes) -> int:
    sent = 0
    for connection in connections:
        with suppress(OSError):
            sent += connection.send(octet)
    return sent


def flood(is_dripping: bool, remote: tuple[str, int], count: int, seconds: float) -> tuple[int, int, int]:
    """(opened, closed by the peer, octets dripped)."""
    ends_at = time.monotonic() + seconds
    connections = opened(remote, count)
    poll = select.poll()
    for connection in connections:
        poll.register(connection, select.POLLIN | select.POLLHUP)
    by_fd = {connection.fileno(): connection for connection in connections}
    octets = turn = 0
    while by_fd and time.monotonic() < ends_at:
        for fd, _ in poll.poll(0):
            poll.unregister(fd)
            by_fd.pop(fd).close()
        if is_dripping:
            octets += drip(list(by_fd.values()), ENDLESS[turn : turn + 1])
        turn += 1
        time.sleep(DRIP_S)
    return len(connections), len(connections) - len(by_fd), octets


if __name__ == "__main__":
    kind, address, port, count, seconds = sys.argv[1:]
    print(*flood(kind == "drip", (address, int(port)), int(count), float(seconds)))
