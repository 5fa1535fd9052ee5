"""Many phones that register: the bindings an experiment begins with.

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
BUFFER_OCTETS = 4 << 20
REPLY = re.compile(rb"SIP/2\.0 (\d+) .*?\r\nCall-ID: (\d+)@", re.DOTALL | re.IGNORECASE)


def register_phones(port: int, contact_port: int, users: int, transport: str = "udp") -> None:
    """Register u0, u1, ... at 127.0.0.1:`contact_port`. Raises BenchmarkFailed when the server refuses one."""
    with socket.socket(type=socket.SOCK_DGRAM) as phone:
        phone.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_OCTETS)
        phone.connect((LOOPBACK, port))
        phone.settimeout(TIMEOUT_S)
        _send_all(phone, register_requests(phone.getsockname()[1], contact_port, users, transport))


def register_requests(port: int, contact_port: int, users: int, transport: str) -> Iterator[tuple[int, bytes]]:
    """The number of a user and its REGISTER, sent from a port of 127.0.0.1."""
    # SIPp writes the transport in capitals, and Kamailio takes a contact in other letters for another one.
    contact = f"{LOOPBACK}:{contact_port};transport={transport.upper()}"
    for number in range(users):
        user = f"u{number}@{DOMAIN}"
        yield (
            number,
            f"REGISTER sip:{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/UDP {LOOPBACK}:{port};branch=z9hG4bKp{number}\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:{user}>;tag=p{number}\r\nTo: <sip:{user}>\r\n"
            f"Call-ID: {number}@phones.test\r\nCSeq: 1 REGISTER\r\nContact: <sip:u{number}@{contact}>\r\n"
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
            reply = phone.recv(4096)
            tries = 0
        except TimeoutError:
            tries += 1
            if tries > TRIES:
                raise BenchmarkFailed(f"{len(waiting)} registrations were never answered") from None
            for request in waiting.values():
                phone.send(request)
            continue
        waiting.pop(accepted_number(reply), None)


def accepted_number(reply: bytes) -> int:
    """The number of the phone whose registration was accepted. Raises BenchmarkFailed when it was not."""
    match = REPLY.match(reply)
    if match is None or match[1] != b"200":
        raise BenchmarkFailed(f"a registration was answered {reply[:200]!r}")
    return int(match[2])
