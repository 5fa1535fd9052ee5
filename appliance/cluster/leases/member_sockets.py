"""UDP sockets to the other members: one each, connected, so that the kernel drops what comes from elsewhere, and no
stranger fills the buffer in which heartbeats wait."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from appliance.cluster.leases.heartbeat_codec import DATAGRAM_LEN_MAX
from appliance.messages.membership import Member, Membership

DATAGRAMS_PER_TURN: Final = 32
# DSCP CS6: network control, before the traffic of users.
_CLASS: Final = 0xC0


class MemberSockets:
    """The sockets of member `me`. Raises OSError when its address is not on this machine."""

    def __init__(self, me: int, membership: Membership) -> None:
        self._ours = membership.member(me)
        self.unsent = 0
        self.sockets = {other.number: _connected(self._ours, other) for other in membership.others(me)}

    def open(self, other: Member) -> socket.socket:
        """One to a member that has joined. Raises OSError."""
        self.sockets[other.number] = _connected(self._ours, other)
        return self.sockets[other.number]

    def send(self, member: int, octets: bytes) -> None:
        """Send; what the network does not take is lost, as on the way."""
        try:
            self.sockets[member].send(octets)
        except OSError:
            self.unsent += 1

    def receive(self, member: int) -> Iterator[bytes]:
        """What has come from a member, DATAGRAMS_PER_TURN at most; nothing from one that was removed."""
        each = self.sockets.get(member)
        if each is None:
            return
        for _ in range(DATAGRAMS_PER_TURN):
            try:
                yield each.recv(DATAGRAM_LEN_MAX + 1)
            except ConnectionError:
                # Word of the other machine that no process listens there.
                continue
            except OSError:
                return

    def close(self) -> None:
        """Close them."""
        for each in self.sockets.values():
            each.close()


def _connected(ours: Member, other: Member) -> socket.socket:
    family = socket.AF_INET6 if ":" in ours.host else socket.AF_INET
    each = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    # All are bound to one port; the kernel gives a datagram to the one that is connected to its sender.
    each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    with suppress(OSError):
        if family == socket.AF_INET:
            each.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, _CLASS)
        else:
            each.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, _CLASS)
    each.bind((ours.host, ours.port))
    each.connect((other.host, other.port))
    return each
