"""A flood of TLS handshakes that are never finished: `python handshake_flood.py ADDRESS PORT HELD SECONDS`.

Of those that are held, one half sends the beginning of a ClientHello and nothing more, the other half sends the rest
octet by octet. Beside them connections with garbage come and go. It is over when the peer has closed all of them, or
after that many seconds. Prints a line `held` when all are open; in the end how many of them the peer has closed, how
many connections with garbage there were, and how many of those it has closed.
"""

from __future__ import annotations

import resource
import select
import socket
import sys
import time
from contextlib import suppress

# The header of a record of 512 octets, and that of a ClientHello in it (RFC 8446 4, 5.1).
BEGINNING = bytes.fromhex("1603010200" "010001fc0303")
GARBAGE = (b"\x16\x03\x01\x00\x05hello", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"x" * 2000)
# Slow enough for the time of a handshake to end before its number of reads.
DRIP_S = 2.0
TURN_S = 0.05
# Connections that are opened before their peer gets a moment to accept them.
STEP = 50


def connection(remote: tuple[str, int], said: bytes) -> socket.socket:
    """One that has said this."""
    made = socket.create_connection(remote, timeout=60)
    made.sendall(said)
    made.setblocking(False)
    return made


class Flood:
    """Those that are held, and those with garbage, by descriptor."""

    def __init__(self, remote: tuple[str, int]) -> None:
        self.held: dict[int, socket.socket] = {}
        self.strange: dict[int, socket.socket] = {}
        self.strangers = 0
        self._remote = remote
        self._poll = select.poll()
        self._dripped_at = time.monotonic()

    def hold(self, count: int) -> None:
        """Open so many."""
        for number in range(count):
            self._keep(self.held, connection(self._remote, BEGINNING))
            if number % STEP == 0:
                self.turn()

    def turn(self) -> None:
        """Take note of those that were closed, send an octet where it is time, and one more garbage."""
        for fd, _ in self._poll.poll(0):
            for kind in (self.held, self.strange):
                if fd in kind and self._is_closed(kind[fd]):
                    self._poll.unregister(fd)
                    kind.pop(fd).close()
        now = time.monotonic()
        if now - self._dripped_at >= DRIP_S:
            self._dripped_at = now
            for slow in list(self.held.values())[1::2]:
                with suppress(OSError):
                    slow.send(b"x")
        with suppress(OSError):
            self._keep(self.strange, connection(self._remote, GARBAGE[self.strangers % len(GARBAGE)]))
            self.strangers += 1
        time.sleep(TURN_S)

    def _keep(self, kind: dict[int, socket.socket], made: socket.socket) -> None:
        kind[made.fileno()] = made
        self._poll.register(made, select.POLLIN | select.POLLHUP)

    @staticmethod
    def _is_closed(end: socket.socket) -> bool:
        """An alert may come before the end."""
        try:
            return not end.recv(4096)
        except BlockingIOError:
            return False
        except OSError:
            return True


def main(address: str, port: int, count: int, seconds: float) -> None:
    """Hold so many until they are closed."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    flood = Flood((address, port))
    flood.hold(count)
    print("held", len(flood.held), flush=True)
    ends_at = time.monotonic() + seconds
    while flood.held and time.monotonic() < ends_at:
        flood.turn()
    print("closed", count - len(flood.held), flood.strangers, flood.strangers - len(flood.strange))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
