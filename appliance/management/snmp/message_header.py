"""The beginning of an SNMP message, read before anything else is done with it (RFC 3416, RFC 3417 8).

    Message ::= SEQUENCE { version INTEGER, community OCTET STRING, ... }
"""

from __future__ import annotations

from typing import Final

VERSION_1, VERSION_2C, VERSION_3 = 0, 1, 3
_SEQUENCE: Final = 0x30
_INTEGER: Final = 0x02
_OCTET_STRING: Final = 0x04


class MalformedDatagram(ValueError):
    """It is no SNMP message."""


def version_and_community(datagram: bytes) -> tuple[int, bytes]:
    """The version, and the community of a message that has one, else b"". Raises MalformedDatagram."""
    start, end = _content(datagram, 0, len(datagram), _SEQUENCE)
    if end != len(datagram):
        raise MalformedDatagram("its length is not that of the datagram")
    place, after = _content(datagram, start, end, _INTEGER)
    if not 1 <= after - place <= 4:
        raise MalformedDatagram("its version is no number")
    version = int.from_bytes(datagram[place:after], "big", signed=True)
    if version not in (VERSION_1, VERSION_2C):
        return version, b""
    place, after = _content(datagram, after, end, _OCTET_STRING)
    return version, datagram[place:after]


def _content(octets: bytes, place: int, end: int, tag: int) -> tuple[int, int]:
    """Where the content of the element at `place` starts and ends, by the basic encoding rules."""
    if place + 2 > end or octets[place] != tag:
        raise MalformedDatagram(f"there is no element {tag:#x}")
    length, start = octets[place + 1], place + 2
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= 4 or start + count > end:
            raise MalformedDatagram("an element has no definite length")
        length = int.from_bytes(octets[start : start + count], "big")
        start += count
    if start + length > end:
        raise MalformedDatagram("an element ends after its message")
    return start, start + length
