"""A flood of datagrams, bounded in rate and time: `python flood.py garbage|invites ADDRESS PORT RATE SECONDS`.

`garbage` is random octets, half of them behind the first line of a request; `invites` are calls to an unknown user from
thousands of sources.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress

SOURCES = 10_000
# Sockets that are open at a time; each stands for a source until it is replaced.
OPEN = 500
STEP_S = 0.005


def garbage(number: int) -> bytes:
    return (b"INVITE sip:%d SIP/2.0\r\n" % number if number % 2 else b"") + os.urandom(200)


def invite(number: int) -> bytes:
    return (
        b"INVITE sip:nobody@signalbox.test SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bKf%d\r\n"
        b"Max-Forwards: 70\r\nFrom: <sip:flood@flood.test>;tag=%d\r\nTo: <sip:nobody@signalbox.test>\r\n"
        b"Call-ID: flood-%d\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
    ) % (number, number, number)


def opened() -> socket.socket:
    source = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    source.bind(("127.0.0.1", 0))
    source.setblocking(False)
    return source


def flood(make: Callable[[int], bytes], remote: tuple[str, int], rate: int, seconds: float) -> int:
    """Send evenly, in steps; returns how many were sent."""
    sources = [opened() for _ in range(OPEN)]
    replaced_every = max(1, int(rate * seconds) // SOURCES)
    sent = 0
    begun = time.monotonic()
    while (elapsed := time.monotonic() - begun) < seconds:
        while sent < rate * elapsed:
            place = sent % OPEN
            if sent % replaced_every == 0:
                sources[place].close()
                sources[place] = opened()
            with suppress(BlockingIOError, ConnectionRefusedError):
                sources[place].sendto(make(sent), remote)
            sent += 1
        time.sleep(STEP_S)
    return sent


if __name__ == "__main__":
    kind, address, port, rate, seconds = sys.argv[1:]
    make = {"garbage": garbage, "invites": invite}[kind]
    print(flood(make, (address, int(port)), int(rate), float(seconds)))
