"""The source that an address counts for, where sources are bounded: limits, shares, failures.

An IPv4 address is one source. Of an IPv6 address the first 64 bits are: a host, or a site, has all addresses that begin
so (RFC 4291 2.5.1, RFC 6177), and could send each message from another one.
"""

from __future__ import annotations

from ipaddress import IPv6Address
from typing import Final

PREFIX_LEN: Final = 64


def source_of(address: str) -> str:
    """The source of an address as flows have it: an IPv4 address itself, else `2001:db8:1:2::/64`."""
    if ":" not in address:
        return address
    plain, _, scope = address.partition("%")
    try:
        parsed = IPv6Address(plain)
    except ValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    prefix = IPv6Address(int(parsed) >> PREFIX_LEN << PREFIX_LEN)
    # Link-local addresses have one prefix on every link.
    return f"{prefix}%{scope}/{PREFIX_LEN}" if scope else f"{prefix}/{PREFIX_LEN}"
