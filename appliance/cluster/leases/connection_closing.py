"""Ends the TCP connections of an address that was lost, by sock_diag: `ss -K src ADDRESS`.

Their peers are connected to nothing: the new owner answers with a reset. Without this the old owner would keep them,
retransmit, and take them up again when it gets the address back.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable
from contextlib import suppress
from ipaddress import ip_interface
from typing import Final

from appliance.cluster.leases.netlink import NetlinkSocket

_NETLINK_SOCK_DIAG: Final = 4
_LIST, _DESTROY = 20, 21
# All states but LISTEN, TIME_WAIT and CLOSE.
_STATES: Final = 0xFFE & ~(1 << 10 | 1 << 6 | 1 << 7)
_REQUEST: Final = struct.Struct("=BBBBI")
_SOCKET_ID_LEN: Final = 48
# Of an inet_diag_msg: family, state, timer, retransmissions; then the id: two ports, source, destination.
_ID_OFFSET: Final = 4
_SOURCE: Final = slice(_ID_OFFSET + 4, _ID_OFFSET + 20)


def close_connections(addresses: Iterable[str]) -> int:
    """End all TCP connections of these addresses on this machine; returns how many. Raises OSError."""
    sources = {ip_interface(text).ip.packed.ljust(16, b"\0") for text in addresses}
    netlink = NetlinkSocket(_NETLINK_SOCK_DIAG)
    closed = 0
    try:
        for family in (socket.AF_INET, socket.AF_INET6):
            head = _REQUEST.pack(family, socket.IPPROTO_TCP, 0, 0, _STATES)
            for found in netlink.dump(_LIST, head + b"\0" * _SOCKET_ID_LEN):
                if found[_SOURCE] in sources:
                    identity = found[_ID_OFFSET : _ID_OFFSET + _SOCKET_ID_LEN]
                    # It may have ended meanwhile.
                    with suppress(OSError):
                        netlink.request([(_DESTROY, 0, head + identity)])
                        closed += 1
    finally:
        netlink.close()
    return closed
