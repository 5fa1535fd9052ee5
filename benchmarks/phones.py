"""Many phones that register: the bindings a case begins with.

A window of requests is out at a time, so that no server loses one; what is not answered in time is sent again.

Knows nothing of processes.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator

from benchmarks.processes import LOOPBACK, BenchmarkFailed
from benchmarks.servers import DOMAIN

WINDOW = 64
TIMEOUT_S = 1.0
TRIES = 5
EXPIRES_S = 7200
REPLY = re.compile(rb"SIP/2\.0 (\d+) .*?\r\nCall-ID: (\d+)@", re.DOTALL | re.IGNORECASE)


def register_phones(port: int, contact_port: int, users: int, transport: str = "udp", first: int = 0) -> None:
    """Register u0, u1, ... at 127.0.0.1:`contact_port`. Raises BenchmarkFailed when the server refuses one."""
    with socket.socket(type=socket.SOCK_DGRAM) as phone:
        phone.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        phone.bind((LOOPBACK, 0))
        phone.connect((LOOPBACK, port))
        phone.settimeout(TIMEOUT_S)
        requests = _requests(phone.getsockname()[1], contact_port, range(first, first + users), transport)
        _send_all(phone, requests)


def _requests(port: int, contact_port: int, numbers: range, transport: str) -> Iterator[tuple[int, bytes]]:
    for number in numbers:
        user = f"u{number}@{DOMAIN}"
        yield (
            number,
            f"REGISTER sip:{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/UDP {LOOPBACK}:{port};branch=z9hG4bKp{number}\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:{user}>;tag=p{number}\r\nTo: <sip:{user}>\r\n"
            f"Call-ID: {number}@phones.test\r\nCSeq: 1 REGISTER\r\n"
            f"Contact: <sip:u{number}@{LOOPBACK}:{contact_port};transport={transport}>\r\n"
            f"Expires: {EXPIRES_S}\r\nUser-Agent: benchmark phone\r\nContent-Length: 0\r\n\r\n".encode(),
        )


def _send_all(phone: socket.socket, requests: Iterator[tuple[int, bytes]]) -> None:
    waiting: dict[int, bytes] = {}
    tries = 0
    while True:
        while len(waiting) < WINDOW and (following := next(requests, None)) is not None:
            waiting[following[0]] = following[1]
            phone.send(following[1])
        if not waiting:
            return
        try:
            reply = REPLY.match(phone.recv(4096))
            tries = 0
        except TimeoutError:
            tries += 1
            if tries > TRIES:
                raise BenchmarkFailed(f"{len(waiting)} registrations were never answered") from None
            for request in waiting.values():
                phone.send(request)
            continue
        if reply is None or reply[1] != b"200":
            raise BenchmarkFailed(f"a registration was answered {reply and reply[0]!r}")
        waiting.pop(int(reply[2]), None)
