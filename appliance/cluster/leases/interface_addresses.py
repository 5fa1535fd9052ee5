"""Addresses on an interface, by rtnetlink. Each is added for some seconds and has to be renewed: the second fence.

The kernel counts in whole seconds and removes up to a quarter of a second late, so the lease is the first fence.

An IPv6 address that was added is reached only when a thread of the kernel of ordinary priority has made its local
route; with all processors busy that took up to a second. So the route is made here as well, with the same lifetime.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Sequence
from contextlib import suppress
from ipaddress import ip_interface
from typing import Final

from appliance.cluster.leases.netlink import NLM_F_CREATE, NLM_F_REPLACE, NetlinkRefused, NetlinkSocket, attribute

_NETLINK_ROUTE: Final = 0
_NEW_ADDRESS, _DELETE_ADDRESS = 20, 21
_ADDRESS, _LOCAL, _CACHE_INFO, _FLAGS = 1, 2, 6, 8
# No detection of duplicates: it would take a second, and the lease has decided who owns the address.
_NO_DAD: Final = 2
_ABSENT: Final = frozenset({errno.EADDRNOTAVAIL, errno.ENODEV, errno.ESRCH})
_NEW_ROUTE, _DELETE_ROUTE = 24, 25
_TABLE_LOCAL, _PROTOCOL_STATIC, _TYPE_LOCAL = 255, 4, 2
_ROUTE_TO, _ROUTE_INTERFACE, _ROUTE_METRIC, _ROUTE_EXPIRES = 1, 4, 6, 23
# The kernel's own route, which comes later, has metric 0.
_METRIC: Final = 1


class InterfaceAddresses:
    """Adds and removes virtual addresses. Raises OSError when the kernel refuses."""

    def __init__(self) -> None:
        self._socket = NetlinkSocket(_NETLINK_ROUTE)

    def add(self, interface: str, addresses: Sequence[str], lifetime_s: int) -> None:
        """Add them, or renew those that are there."""
        index = socket.if_nametoindex(interface)
        for text in addresses:
            flags = NLM_F_CREATE | NLM_F_REPLACE
            self._socket.request([(_NEW_ADDRESS, flags, _body(text, index) + _lifetime(text, lifetime_s))])
            if ip_interface(text).version == 6:
                expires = attribute(_ROUTE_EXPIRES, struct.pack("=I", lifetime_s))
                self._socket.request([(_NEW_ROUTE, flags, _local_route(text, index) + expires)])

    def remove(self, interface: str, addresses: Sequence[str]) -> None:
        """Remove those that are there."""
        with suppress(OSError):
            index = socket.if_nametoindex(interface)
            for text in addresses:
                self._remove(_DELETE_ADDRESS, _body(text, index))
                if ip_interface(text).version == 6:
                    self._remove(_DELETE_ROUTE, _local_route(text, index))

    def _remove(self, kind: int, body: bytes) -> None:
        try:
            self._socket.request([(kind, 0, body)])
        except NetlinkRefused as fault:
            if fault.errno not in _ABSENT:
                raise


def _body(text: str, index: int) -> bytes:
    interface = ip_interface(text)
    family = socket.AF_INET if interface.version == 4 else socket.AF_INET6
    packed = interface.ip.packed
    body = struct.pack("=BBBBI", family, interface.network.prefixlen, 0, 0, index)
    return body + attribute(_LOCAL, packed) + attribute(_ADDRESS, packed)


def _local_route(text: str, index: int) -> bytes:
    head = struct.pack("=BBBBBBBBI", socket.AF_INET6, 128, 0, 0, _TABLE_LOCAL, _PROTOCOL_STATIC, 0, _TYPE_LOCAL, 0)
    head += attribute(_ROUTE_TO, ip_interface(text).ip.packed)
    head += attribute(_ROUTE_INTERFACE, struct.pack("=I", index))
    return head + attribute(_ROUTE_METRIC, struct.pack("=I", _METRIC))


def _lifetime(text: str, lifetime_s: int) -> bytes:
    # Not preferred in IPv6: what this machine sends of its own accord must not come from it.
    preferred_s = 0 if ip_interface(text).version == 6 else lifetime_s
    times = struct.pack("=IIII", preferred_s, lifetime_s, 0, 0)
    return attribute(_CACHE_INFO, times) + attribute(_FLAGS, struct.pack("=I", _NO_DAD))
