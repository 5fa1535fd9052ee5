"""The STUN server that keeps UDP flows alive: Binding requests and nothing else (RFC 5626 8, RFC 5389 7.3.1, 10.3).

A phone behind a NAT asks for the address that its flow has here, and knows by the answer that the flow is alive. No
authentication is asked for, and an answer is little longer than its request.
"""

from __future__ import annotations

from ipaddress import ip_address
from struct import Struct
from typing import Final

# RFC 5389 6: type, length of the attributes, magic cookie, transaction ID.
_HEADER: Final = Struct(">HHI12s")
_ATTRIBUTE: Final = Struct(">HH")
_COOKIE: Final = 0x2112A442
_BINDING_REQUEST: Final = 0x0001
_BINDING_SUCCESS: Final = 0x0101
_BINDING_ERROR: Final = 0x0111
_XOR_MAPPED_ADDRESS: Final = 0x0020
_ERROR_CODE: Final = 0x0009
_UNKNOWN_ATTRIBUTES: Final = 0x000A
_IPV4: Final = 1
_IPV6: Final = 2
# RFC 5389 15: attributes from here on may be ignored.
_OPTIONAL: Final = 0x8000
# RFC 5389 15: what a request for one's own address may have, and what is not needed to answer it: USERNAME,
# MESSAGE-INTEGRITY, REALM, NONCE.
_UNDERSTOOD: Final = frozenset((0x0006, 0x0008, 0x0014, 0x0015))
# Unknown attributes that an error lists: it stays short.
_LISTED_MAX: Final = 4


def binding_answer(data: bytes, address: str, port: int) -> bytes:
    """The response to a Binding request that came from there; b"" for anything else, which is ignored."""
    if len(data) < _HEADER.size:
        return b""
    kind, length, cookie, transaction = _HEADER.unpack_from(data)
    if kind != _BINDING_REQUEST or cookie != _COOKIE or length != len(data) - _HEADER.size or length % 4:
        return b""
    unknown = _unknown_attributes(data)
    if unknown is None:
        return b""
    if unknown:
        return _message(_BINDING_ERROR, transaction, _error_420(unknown[:_LISTED_MAX]))
    return _message(_BINDING_SUCCESS, transaction, _xor_mapped(address, port, transaction))


def _unknown_attributes(data: bytes) -> list[int] | None:
    """Attributes that have to be understood and are not (RFC 5389 7.3.1); None where they cannot be read."""
    unknown = []
    at = _HEADER.size
    while at < len(data):
        kind, length = _ATTRIBUTE.unpack_from(data, at)
        at += _ATTRIBUTE.size + length + -length % 4
        if kind < _OPTIONAL and kind not in _UNDERSTOOD:
            unknown.append(kind)
    return unknown if at == len(data) else None


def _message(kind: int, transaction: bytes, attributes: bytes) -> bytes:
    return _HEADER.pack(kind, len(attributes), _COOKIE, transaction) + attributes


def _xor_mapped(address: str, port: int, transaction: bytes) -> bytes:
    """RFC 5389 15.2."""
    packed = ip_address(address.partition("%")[0]).packed
    mask = _COOKIE.to_bytes(4, "big") + transaction
    masked = bytes(octet ^ other for octet, other in zip(packed, mask, strict=False))
    family = _IPV4 if len(packed) == 4 else _IPV6
    value = bytes((0, family)) + (port ^ _COOKIE >> 16).to_bytes(2, "big") + masked
    return _ATTRIBUTE.pack(_XOR_MAPPED_ADDRESS, len(value)) + value


def _error_420(unknown: list[int]) -> bytes:
    """RFC 5389 7.3.1, 15.6, 15.9."""
    code = bytes((0, 0, 4, 20))
    listed = b"".join(kind.to_bytes(2, "big") for kind in unknown)
    return _padded(_ERROR_CODE, code) + _padded(_UNKNOWN_ATTRIBUTES, listed)


def _padded(kind: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(kind, len(value)) + value + b"\0" * (-len(value) % 4)
