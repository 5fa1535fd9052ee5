"""Whom a certificate names, by the rules of SIP (RFC 5922 7.1, 7.2), as ssl.SSLObject.getpeercert gives it."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any


def identities_of(certificate: Mapping[str, Any]) -> frozenset[str]:
    """The domains that it proves, in lower case; a name in its subject is none (RFC 5922 7.1 leaves that open)."""
    names = certificate.get("subjectAltName", ())
    # RFC 5922 7.1: a sip URI without a user; DNS names only where there is no such URI.
    domains = {domain for kind, value in names if kind == "URI" and (domain := _domain_of(value))}
    domains = domains or {value.lower().rstrip(".") for kind, value in names if kind == "DNS"}
    # An empty name would stand for the address that is asked for by no name.
    return frozenset(filter(None, domains))


def _domain_of(uri: str) -> str:
    scheme, _, rest = uri.partition(":")
    if scheme.lower() != "sip" or "@" in rest:
        return ""
    host = rest.partition(";")[0].partition("?")[0]
    return host.partition(":")[0].lower().rstrip(".")


def is_proved(certificate: Mapping[str, Any], name: str) -> bool:
    """Does it prove that its holder is this domain, or this address?

    Wildcards match nothing (RFC 5922 7.2). An address stands in an entry of its own (RFC 5280 4.2.1.6).
    """
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return name.lower().rstrip(".") in identities_of(certificate)
    entries = [value for kind, value in certificate.get("subjectAltName", ()) if kind == "IP Address"]
    return any(_is_address(entry.strip(), address) for entry in entries)


def _is_address(entry: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    try:
        return ipaddress.ip_address(entry) == address
    except ValueError:
        # The octets of an entry may be too few or too many: then Python calls it "<invalid>".
        return False
