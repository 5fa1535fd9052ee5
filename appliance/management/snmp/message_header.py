"""The beginning of an SNMP message, read before anything else is done with it (RFC 3416, RFC 3412 6, RFC 3417 8).

    Message       ::= SEQUENCE { version INTEGER, community OCTET STRING, data PDUs }
    SNMPv3Message ::= SEQUENCE { version INTEGER, globalData SEQUENCE { id, maxSize INTEGER, flags OCTET STRING, ... },
                                 securityParameters OCTET STRING, plaintext SEQUENCE { engineID, name OCTET STRING,
                                 data PDUs } or encrypted OCTET STRING }
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

VERSION_1, VERSION_2C, VERSION_3 = 0, 1, 3
_SEQUENCE: Final = 0x30
_INTEGER: Final = 0x02
_OCTET_STRING: Final = 0x04
# What a stranger can have decoded before he has proved anything: pysnmp takes a second for 64 KiB of small elements.
# RFC 3412 6: four numbers; RFC 3414 2.4: an engine, a user, two numbers, and two keyed values; 4: a discovery, which is
# all that is sent in clear text where users have keys.
_GLOBAL_LEN_MAX: Final = 64
_SECURITY_LEN_MAX: Final = 512
CLEAR_LEN_MAX: Final = 1024
# RFC 3412 6.4: msgFlags.
_REPORTABLE: Final = 0x04
# RFC 3416 3: Response-PDU and Report-PDU.
_ANSWERS: Final = (0xA2, 0xA8)


class MalformedDatagram(ValueError):
    """It is no SNMP message."""


@dataclass(frozen=True, slots=True)
class Header:
    """`community`: b"" in SNMPv3. `pdu_tag`: 0 where it is encrypted."""

    version: int
    community: bytes = b""
    pdu_tag: int = 0
    is_reportable: bool = False

    @property
    def is_answer(self) -> bool:
        """Is it a Response or a Report?"""
        return self.pdu_tag in _ANSWERS

    @property
    def may_be_answer(self) -> bool:
        """Is it one, or could it be when it is decrypted? RFC 3412 6.4: neither may be reportable."""
        return self.is_answer or (self.version == VERSION_3 and not self.pdu_tag and not self.is_reportable)


def header_of(datagram: bytes) -> Header:
    """What the beginning says; of an unknown version, that alone. Raises MalformedDatagram."""
    start, end = _content(datagram, 0, len(datagram), _SEQUENCE)
    if end != len(datagram):
        raise MalformedDatagram("its length is not that of the datagram")
    place, after = _content(datagram, start, end, _INTEGER)
    if not 1 <= after - place <= 4:
        raise MalformedDatagram("its version is no number")
    version = int.from_bytes(datagram[place:after], "big", signed=True)
    if version == VERSION_3:
        return _version_3_header(datagram, after, end)
    if version not in (VERSION_1, VERSION_2C):
        return Header(version)
    place, after = _content(datagram, after, end, _OCTET_STRING)
    return Header(version, datagram[place:after], _tag(datagram, after, end))


def _version_3_header(datagram: bytes, place: int, end: int) -> Header:
    inside, after = _content(datagram, place, end, _SEQUENCE)
    if after - inside > _GLOBAL_LEN_MAX:
        raise MalformedDatagram("its global data is too long")
    for _ in ("msgID", "msgMaxSize"):
        inside = _content(datagram, inside, after, _INTEGER)[1]
    flags, flags_end = _content(datagram, inside, after, _OCTET_STRING)
    if flags_end - flags != 1:
        raise MalformedDatagram("its flags are not one octet")
    is_reportable = bool(datagram[flags] & _REPORTABLE)
    security, place = _content(datagram, after, end, _OCTET_STRING)
    if place - security > _SECURITY_LEN_MAX:
        raise MalformedDatagram("its security parameters are too long")
    if _tag(datagram, place, end) == _OCTET_STRING:
        if _content(datagram, place, end, _OCTET_STRING)[1] != end:
            raise MalformedDatagram("it goes on after its end")
        return Header(VERSION_3, is_reportable=is_reportable)
    if len(datagram) > CLEAR_LEN_MAX:
        raise MalformedDatagram("it is too long for one that is not encrypted")
    inside, after = _content(datagram, place, end, _SEQUENCE)
    for _ in ("contextEngineID", "contextName"):
        inside = _content(datagram, inside, after, _OCTET_STRING)[1]
    return Header(VERSION_3, b"", _tag(datagram, inside, after), is_reportable)


def _tag(octets: bytes, place: int, end: int) -> int:
    """The tag of the element at `place`."""
    if place >= end:
        raise MalformedDatagram("an element is missing")
    return octets[place]


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
