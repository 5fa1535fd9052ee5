"""The service of a node in the tests of the leases: answers datagrams at the virtual addresses with its number.

    python lease_echo.py NUMBER PORT ADDRESS...
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import sys

IP_FREEBIND, IPV6_FREEBIND = 15, 78


def listening(address: str, port: int) -> socket.socket:
    """A socket bound to an address that may not be there yet."""
    is_v6 = ":" in address
    each = socket.socket(socket.AF_INET6 if is_v6 else socket.AF_INET, socket.SOCK_DGRAM)
    each.setsockopt(socket.IPPROTO_IPV6 if is_v6 else socket.IPPROTO_IP, IPV6_FREEBIND if is_v6 else IP_FREEBIND, 1)
    each.bind((address, port))
    each.setblocking(False)
    return each


def main(number: str, port: int, addresses: list[str]) -> None:
    """Answer for ever. Without a lease the kernel refuses what is sent (EPERM).

    Before ordinary processes, where that is allowed: the gap of the address is wanted, not the load of the machine.
    """
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(5))
    selector = selectors.DefaultSelector()
    for address in addresses:
        selector.register(listening(address, port), selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            with contextlib.suppress(OSError):
                octets, sender = key.fileobj.recvfrom(100)  # type: ignore[union-attr]
                key.fileobj.sendto(octets + number.encode(), sender)  # type: ignore[union-attr]


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
