"""Ports of loopback for what a test starts: each is given to one test of the machine, whatever runs beside it.

The kernel gives none of them to a socket without a port (they are below ip_local_port_range). A port is claimed by an
abstract Unix socket of its number, which other processes see and which goes with this one.
"""

from __future__ import annotations

import os
import socket
from itertools import chain

PORTS = range(30_000, 32_700)
_claims: dict[int, socket.socket] = {}


def free_port() -> int:
    """A port that is free for UDP and TCP on all loopback addresses."""
    first = PORTS[os.getpid() % len(PORTS)]
    for port in chain(range(first, PORTS.stop), range(PORTS.start, first)):
        if port not in _claims and _is_claimed_now(port) and _is_free(port):
            return port
    raise AssertionError("no port is free for UDP and TCP")


def _is_claimed_now(port: int) -> bool:
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        claim.bind(f"\0signalbox-test-port-{port}")
    except OSError:
        claim.close()
        return False
    _claims[port] = claim
    return True


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams, socket.socket() as streams:
        try:
            datagrams.bind(("0.0.0.0", port))
            streams.bind(("0.0.0.0", port))
        except OSError:
            return False
    return True
