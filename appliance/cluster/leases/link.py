"""The door to one interface: Ethernet frames out, ARP frames in. Frames of packet sockets pass the fence, so the caller
sends an announcement only while the lease is open."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Final

from appliance.cluster.leases.neighbour_messages import ETHERTYPE_ARP, announcements, probe, sender_of

FRAMES_PER_READ: Final = 64
_FRAME_LEN: Final = 128


class Link:
    """An interface that virtual addresses are put on. Raises OSError when there is none of that name."""

    def __init__(self, interface: str) -> None:
        self._socket = socket.socket(
            socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK, socket.htons(ETHERTYPE_ARP)
        )
        self._socket.bind((interface, ETHERTYPE_ARP))
        self.hardware: bytes = self._socket.getsockname()[4]

    def announce(self, address: str) -> None:
        """Tell the neighbours that the address is here. What the interface does not take is not sent."""
        for frame in announcements(address, self.hardware):
            with suppress(OSError):
                self._socket.send(frame)

    def probe(self, address: str) -> None:
        """Ask whether an IPv4 address is in use."""
        with suppress(OSError):
            self._socket.send(probe(address, self.hardware))

    def addresses_seen(self) -> set[str]:
        """IPv4 addresses of which another machine on the link said just now that they are its own."""
        seen: set[str] = set()
        for _ in range(FRAMES_PER_READ):
            try:
                found = sender_of(self._socket.recv(_FRAME_LEN))
            except OSError:
                break
            if found is not None and found[0] != self.hardware:
                seen.add(str(found[1]))
        return seen

    def close(self) -> None:
        """Close it."""
        self._socket.close()
