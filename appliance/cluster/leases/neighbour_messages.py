"""Ethernet frames by which neighbours learn where an address is: gratuitous ARP (RFC 826, RFC 5227), unsolicited
neighbour advertisements (RFC 4861 7.2.6), and the probe whether an address is in use (RFC 5227 2.1.1)."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address, ip_interface
from typing import Final

ETHERTYPE_ARP: Final = 0x0806
ETHERTYPE_IPV6: Final = 0x86DD
BROADCAST: Final = b"\xff" * 6
_ARP: Final = struct.Struct("!HHBBH6s4s6s4s")
_REQUEST, _REPLY = 1, 2
_NO_ADDRESS: Final = b"\0" * 4
_ICMPV6: Final = 58
_ALL_NODES: Final = IPv6Address("ff02::1")
_ADVERTISEMENT: Final = 136
_OVERRIDE: Final = 0x20000000
_TARGET_LINK_ADDRESS: Final = 2


def announcements(text: str, hardware: bytes) -> list[bytes]:
    """Frames that say that an address is here. For ARP both forms: some neighbours heed the one, some the other."""
    address = ip_interface(text).ip
    if isinstance(address, IPv6Address):
        return [_advertisement(address, hardware)]
    return [_arp(operation, hardware, address.packed, address.packed) for operation in (_REQUEST, _REPLY)]


def probe(text: str, hardware: bytes) -> bytes:
    """The frame that asks whether an IPv4 address is in use, and changes no table of a neighbour."""
    return _arp(_REQUEST, hardware, _NO_ADDRESS, ip_interface(text).ip.packed)


def sender_of(frame: bytes) -> tuple[bytes, IPv4Address] | None:
    """The hardware address and the IPv4 address that an ARP frame says are its sender's; None: it says none."""
    if len(frame) < 14 + _ARP.size or frame[12:14] != struct.pack("!H", ETHERTYPE_ARP):
        return None
    _, _, _, _, _, hardware, address, _, _ = _ARP.unpack_from(frame, 14)
    return (hardware, IPv4Address(address)) if address != _NO_ADDRESS else None


def _arp(operation: int, hardware: bytes, sender: bytes, target: bytes) -> bytes:
    target_hardware = BROADCAST if operation == _REPLY else b"\0" * 6
    packet = _ARP.pack(1, 0x0800, 6, 4, operation, hardware, sender, target_hardware, target)
    return BROADCAST + hardware + struct.pack("!H", ETHERTYPE_ARP) + packet


def _advertisement(address: IPv6Address, hardware: bytes) -> bytes:
    message = struct.pack("!BBHI", _ADVERTISEMENT, 0, 0, _OVERRIDE) + address.packed
    message += struct.pack("!BB", _TARGET_LINK_ADDRESS, 1) + hardware
    pseudo = address.packed + _ALL_NODES.packed + struct.pack("!II", len(message), _ICMPV6)
    message = message[:2] + struct.pack("!H", _checksum(pseudo + message)) + message[4:]
    packet = struct.pack("!IHBB", 6 << 28, len(message), _ICMPV6, 255) + address.packed + _ALL_NODES.packed + message
    return b"\x33\x33" + _ALL_NODES.packed[-4:] + hardware + struct.pack("!H", ETHERTYPE_IPV6) + packet


def _checksum(octets: bytes) -> int:
    """RFC 1071."""
    total: int = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
