"""Netlink by hand: messages, attributes, and a socket that waits for the acknowledgement of the last message.

A renewal has to take microseconds, so there is no library between.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Sequence
from typing import Final

NLM_F_REQUEST: Final = 1
NLM_F_ACK: Final = 4
NLM_F_DUMP: Final = 0x300
NLM_F_REPLACE: Final = 0x100
NLM_F_CREATE: Final = 0x400
NLMSG_ERROR: Final = 2
NLMSG_DONE: Final = 3
NLA_F_NESTED: Final = 0x8000
RECEIVE_LEN: Final = 1 << 16
# The kernel answers at once; without an answer the process must not wait for ever.
ANSWER_MAX_S: Final = 2.0

_HEADER: Final = struct.Struct("=IHHII")
_ERROR: Final = struct.Struct("=i")
_ATTRIBUTE: Final = struct.Struct("=HH")


class NetlinkRefused(OSError):
    """The kernel refused a message. `place`: which one of those that were sent together."""

    def __init__(self, number: int, place: int) -> None:
        super().__init__(number, errno.errorcode.get(number, str(number)))
        self.place = place


def attribute(kind: int, value: bytes) -> bytes:
    """One attribute, padded to four octets."""
    return _ATTRIBUTE.pack(len(value) + 4, kind) + value + b"\0" * (-len(value) % 4)


def nested(kind: int, value: bytes) -> bytes:
    """An attribute that holds attributes."""
    return attribute(kind | NLA_F_NESTED, value)


class NetlinkSocket:
    """One conversation with a part of the kernel. Not for several threads."""

    def __init__(self, protocol: int) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
        self._socket.bind((0, 0))
        self._socket.settimeout(ANSWER_MAX_S)
        self._sequence = 0

    def request(self, messages: Sequence[tuple[int, int, bytes]], acknowledged: int = -1) -> None:
        """Send (type, flags, body) together and wait until the one at that place is done. Raises NetlinkRefused."""
        first = self._sequence + 1
        self._sequence += len(messages)
        acknowledged %= len(messages)
        batch = bytearray()
        for place, (kind, flags, body) in enumerate(messages):
            flags |= NLM_F_REQUEST | (NLM_F_ACK if place == acknowledged else 0)
            batch += _HEADER.pack(len(body) + 16, kind, flags, first + place, 0) + body
        self._socket.send(batch)
        self._await(first, first + acknowledged)

    def _await(self, first: int, last: int) -> None:
        refused: NetlinkRefused | None = None
        while True:
            for kind, sequence, body in self._receive():
                if kind != NLMSG_ERROR or not first <= sequence <= self._sequence:
                    continue
                number = -_ERROR.unpack_from(body)[0]
                if number:
                    refused = refused or NetlinkRefused(number, sequence - first)
                if sequence >= last or refused:
                    if refused:
                        self._discard()
                        raise refused
                    return

    def _discard(self) -> None:
        """A batch that failed has more to say: a complaint for each message behind."""
        self._socket.setblocking(False)
        try:
            while self._socket.recv(RECEIVE_LEN):
                pass
        except BlockingIOError:
            pass
        finally:
            self._socket.settimeout(ANSWER_MAX_S)

    def dump(self, kind: int, body: bytes) -> list[bytes]:
        """All that the kernel lists. Raises NetlinkRefused."""
        self._sequence += 1
        flags = NLM_F_REQUEST | NLM_F_DUMP
        self._socket.send(_HEADER.pack(len(body) + 16, kind, flags, self._sequence, 0) + body)
        listed: list[bytes] = []
        while True:
            for answered, sequence, content in self._receive():
                if sequence != self._sequence:
                    continue
                if answered == NLMSG_DONE:
                    return listed
                if answered == NLMSG_ERROR:
                    raise NetlinkRefused(-_ERROR.unpack_from(content)[0], 0)
                listed.append(content)

    def _receive(self) -> list[tuple[int, int, bytes]]:
        octets = self._socket.recv(RECEIVE_LEN)
        messages = []
        place = 0
        while place + 16 <= len(octets):
            length, kind, _flags, sequence, _port = _HEADER.unpack_from(octets, place)
            messages.append((kind, sequence, octets[place + 16 : place + length]))
            place += max((length + 3) & ~3, 16)
        return messages

    def close(self) -> None:
        """Close it."""
        self._socket.close()
