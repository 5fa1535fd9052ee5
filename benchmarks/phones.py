"""Many phones that register: the bindings an experiment begins with.

By one TCP connection, for there a transaction ends with its answer (RFC 3261 17.2.2, timer J): a server that remembers
each answer by UDP for 32 s would have to refuse some of a million. A window of requests is out at a time.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from itertools import islice

from benchmarks.processes import LOOPBACK, BenchmarkFailed
from benchmarks.servers import DOMAIN

WINDOW = 64
TIMEOUT_S = 10.0
EXPIRES_S = 7200
RECEIVED_OCTETS = 1 << 16
END = b"\r\n\r\n"
STATUS = re.compile(rb"SIP/2\.0 (\d+) ")


def register_phones(port: int, contact_port: int, users: int, transport: str = "udp") -> None:
    """Register u0, u1, ... at 127.0.0.1:`contact_port`. Raises BenchmarkFailed when the server refuses one."""
    with socket.create_connection((LOOPBACK, port), TIMEOUT_S) as phone:
        phone.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        requests = register_requests(phone.getsockname()[1], contact_port, users, transport)
        replies = b""
        while window := list(islice(requests, WINDOW)):
            phone.sendall(b"".join(window))
            accepted = 0
            while accepted < len(window):
                count, replies = take_replies(replies + _received(phone))
                accepted += count


def register_requests(port: int, contact_port: int, users: int, transport: str) -> Iterator[bytes]:
    """The REGISTER of each user, sent from a port of 127.0.0.1."""
    # SIPp writes the transport in capitals, and Kamailio takes a contact in other letters for another one.
    contact = f"{LOOPBACK}:{contact_port};transport={transport.upper()}"
    for number in range(users):
        user = f"u{number}@{DOMAIN}"
        yield (
            f"REGISTER sip:{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/TCP {LOOPBACK}:{port};branch=z9hG4bKp{number}\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:{user}>;tag=p{number}\r\nTo: <sip:{user}>\r\n"
            f"Call-ID: {number}@phones.test\r\nCSeq: 1 REGISTER\r\nContact: <sip:u{number}@{contact}>\r\n"
            f"Expires: {EXPIRES_S}\r\nUser-Agent: benchmark phone\r\nContent-Length: 0\r\n\r\n"
        ).encode()


def take_replies(stream: bytes) -> tuple[int, bytes]:
    """How many whole replies a stream begins with, and what follows. Raises BenchmarkFailed when one is not 200."""
    *replies, rest = stream.split(END)
    for reply in replies:
        status = STATUS.match(reply)
        if status is None or status[1] != b"200":
            raise BenchmarkFailed(f"a registration was answered {reply[:200]!r}")
    return len(replies), rest


def _received(phone: socket.socket) -> bytes:
    try:
        octets = phone.recv(RECEIVED_OCTETS)
    except TimeoutError:
        raise BenchmarkFailed("a registration was never answered") from None
    if not octets:
        raise BenchmarkFailed("the server closed the connection of the phones")
    return octets
