"""SIP messages as a capture file (libpcap, draft-ietf-opsawg-pcap), for tshark, Wireshark and sngrep.

`debug sip` mirrors messages, not packets, so the headers are synthesized: raw IP (LINKTYPE_RAW) and UDP, whatever the
transport was, with the addresses and ports of the message. A message too long for a datagram is cut.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, BinaryIO, Final

from cli.files import open_private
from cli.output import Item

MAGIC_MICROSECONDS: Final = 0xA1B2C3D4
LINKTYPE_RAW: Final = 101
SNAP_LEN: Final = 262_144
UDP: Final = 17
TTL: Final = 64
UDP_HEADER_LEN: Final = 8
DATA_LEN_MAX: Final = 65_000

HEADER: Final = struct.pack("<IHHiIII", MAGIC_MICROSECONDS, 2, 4, 0, 0, SNAP_LEN, LINKTYPE_RAW)


def record_of(event: Mapping[str, Any]) -> bytes:
    """The record of one message of `debug sip`. Raises ValueError where its addresses are none."""
    local, remote = _end(str(event["local"])), _end(str(event["remote"]))
    source, target = (remote, local) if event["direction"] == "in" else (local, remote)
    packet = _packet(source, target, str(event["data"]).encode()[:DATA_LEN_MAX])
    seconds = int(event["wall_time"])
    micro = min(int((event["wall_time"] - seconds) * 1_000_000), 999_999)
    return struct.pack("<IIII", seconds, micro, len(packet), len(packet)) + packet


def _end(text: str) -> tuple[IPv4Address | IPv6Address, int]:
    """`192.0.2.1:5060`, `2001:db8::1:5060`, `[2001:db8::1]:5060`."""
    host, _, port = text.rpartition(":")
    return ip_address(host.strip("[]")), int(port)


def _packet(
    source: tuple[IPv4Address | IPv6Address, int], target: tuple[IPv4Address | IPv6Address, int], data: bytes
) -> bytes:
    length = UDP_HEADER_LEN + len(data)
    addresses = source[0].packed + target[0].packed
    datagram = struct.pack("!HHHH", source[1], target[1], length, 0) + data
    # RFC 768: the checksum covers a pseudo-header of addresses, protocol and length; 0 would mean "none".
    total = checksum(addresses + struct.pack("!II", length, UDP) + datagram) or 0xFFFF
    datagram = datagram[:6] + struct.pack("!H", total) + datagram[UDP_HEADER_LEN:]
    return _ip_header(source[0], target[0], length) + datagram


def _ip_header(source: IPv4Address | IPv6Address, target: IPv4Address | IPv6Address, length: int) -> bytes:
    addresses = source.packed + target.packed
    if source.version == 6:
        # RFC 8200 3
        return struct.pack("!IHBB", 6 << 28, length, UDP, TTL) + addresses
    # RFC 791 3.1: version 4, five words of header, not to be fragmented
    first = struct.pack("!BBHHHBB", 0x45, 0, 20 + length, 0, 0x4000, TTL, UDP)
    return first + struct.pack("!H", checksum(first + b"\0\0" + addresses)) + addresses


def checksum(octets: bytes) -> int:
    """RFC 1071."""
    padded = octets + b"\0" * (len(octets) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


# -- writing it ------------------------------------------------------------------------------------


def saved(name: str, items: Iterable[Item]) -> Iterator[Item]:
    """The items as they come. Raises Failed before the first one where the file cannot be written."""
    file = open_private(name)
    return _writing(file, items)


def _writing(file: BinaryIO, items: Iterable[Item]) -> Iterator[Item]:
    with file:
        file.write(HEADER)
        for kind, content in items:
            if kind == "event":
                # A message whose addresses are none is shown only.
                with suppress(ValueError, KeyError):
                    file.write(record_of(content))
                    file.flush()
            yield kind, content
