"""Variable bindings as octets (RFC 3416 3, RFC 3417 8): the basic encoding rules, for what the agent serves.

A walk of everything is thousands of them. The general encoder takes ten times as long, most of it to make objects.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from appliance.catalogue.mib_objects import Oid
from appliance.management.snmp.object_tree import Value

_SEQUENCE, _INTEGER, _OCTET_STRING, _OBJECT_ID = 0x30, 0x02, 0x04, 0x06
_COUNTER32, _GAUGE32, _TIME_TICKS, _COUNTER64 = 0x41, 0x42, 0x43, 0x46
_TAGS: Final = {
    "SnmpAdminString": _OCTET_STRING,
    "OctetString": _OCTET_STRING,
    "DateAndTime": _OCTET_STRING,
    "Integer32": _INTEGER,
    "TruthValue": _INTEGER,
    "Gauge32": _GAUGE32,
    "Unsigned32": _GAUGE32,
    "Counter32": _COUNTER32,
    "Counter64": _COUNTER64,
    "TimeTicks": _TIME_TICKS,
    "TimeStamp": _TIME_TICKS,
    "ObjectIdentifier": _OBJECT_ID,
}
_END_OF_MIB_VIEW: Final = b"\x82\x00"
# RFC 2578 7.1.3: the first two numbers of an identifier are one.
_SECOND_MAX: Final = 40


def encoded_bindings(bindings: Iterable[tuple[Oid, Value | None]]) -> bytes:
    """A VarBindList. Without a value it is endOfMibView."""
    return _element(_SEQUENCE, b"".join(_binding(oid, value) for oid, value in bindings))


def _binding(oid: Oid, value: Value | None) -> bytes:
    name = _element(_OBJECT_ID, _identifier(oid))
    return _element(_SEQUENCE, name + (_END_OF_MIB_VIEW if value is None else _value(value)))


def _value(value: Value) -> bytes:
    tag, content = _TAGS[value.syntax], value.now
    if isinstance(content, int):
        return _element(tag, _integer(content))
    if isinstance(content, tuple):
        return _element(tag, _identifier(content))
    return _element(tag, content if isinstance(content, bytes) else content.encode())


def _integer(number: int) -> bytes:
    """In two's complement, with as few octets as can be; a number that is not negative has 0 as its first bit."""
    return number.to_bytes((number if number >= 0 else ~number).bit_length() // 8 + 1, "big", signed=True)


def _identifier(oid: Oid) -> bytes:
    first = oid[0] * _SECOND_MAX + oid[1] if len(oid) > 1 else oid[0] * _SECOND_MAX
    octets = bytearray()
    for number in (first, *oid[2:]):
        if number < 0x80:
            octets.append(number)
        else:
            octets += _long_number(number)
    return bytes(octets)


def _long_number(number: int) -> bytes:
    """Seven bits in an octet, the last of which has 0 as its first bit."""
    octets = [number & 0x7F]
    while number := number >> 7:
        octets.append(number & 0x7F | 0x80)
    return bytes(reversed(octets))


def _element(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content
