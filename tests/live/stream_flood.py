"""A stranger that sends small OPTIONS by TCP as fast as they are taken: ADDRESS PORT CONNECTIONS OCTETS SECONDS READS.

It ends when so many octets have been taken, or so many seconds are over. READS 1: it reads what is answered, 0: it does
not. Prints the octets that were taken and the connections that the peer has closed.
"""

from __future__ import annotations

import select
import socket
import sys
import time

BLOCK = 100_000


def message(connection: int, number: int) -> bytes:
    """One OPTIONS. Every second connection has one Call-ID for all its messages, which one worker owns."""
    call_id = connection if connection % 2 else f"{connection}-{number}"
    return (
        "OPTIONS sip:signalbox.test SIP/2.0\r\n"
        f"Via: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK{connection}.{number}\r\n"
        "From: <sip:a@signalbox.test>;tag=a\r\nTo: <sip:a@signalbox.test>\r\n"
        f"Call-ID: flood-{call_id}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def main(address: str, port: int, connections: int, octets: int, seconds: float, reads: bool) -> None:
    """Send by all connections in turn."""
    left: dict[socket.socket, bytes] = {}
    blocks: dict[socket.socket, bytes] = {}
    for connection in range(1, connections + 1):
        endpoint = socket.create_connection((address, port))
        endpoint.setblocking(False)
        left[endpoint] = b""
        blocks[endpoint] = b"".join(message(connection, number) for number in range(BLOCK // 200))
    sent = 0
    end = time.monotonic() + seconds
    while left and sent < octets and time.monotonic() < end:
        readable, writable, _ = select.select(list(left) if reads else [], list(left), [], 0.1)
        for endpoint in {*readable, *writable}:
            try:
                if endpoint in readable and not endpoint.recv(1 << 20):
                    raise ConnectionError
                if endpoint in writable:
                    wanted = left[endpoint] or blocks[endpoint]
                    taken = endpoint.send(wanted)
                    left[endpoint] = wanted[taken:]
                    sent += taken
            except BlockingIOError:
                continue
            except OSError:
                del left[endpoint]
    print(sent, connections - len(left))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]), sys.argv[6] == "1")
