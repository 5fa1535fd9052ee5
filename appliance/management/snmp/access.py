"""Who may do what: communities with their networks, users, and which of them may write.

A message is looked at before the engine decodes it, so that one from an address that has no right costs little. There
are two views: all that is served may be read, and what is writable at all may be written with `read-write`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from appliance.catalogue.snmp_settings import SnmpSettings
from appliance.catalogue.snmp_values import community_of, target_of, user_of
from appliance.management.snmp.message_header import (
    VERSION_2C,
    VERSION_3,
    MalformedDatagram,
    header_of,
)

# RFC 3411 5: SnmpSecurityModel and SnmpSecurityLevel.
MODEL_V2C, MODEL_USM = 2, 3
NO_AUTH_NO_PRIV, AUTH_PRIV = 1, 3

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LOOPBACK: Final[tuple[Network, ...]] = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))


class Verdict(Enum):
    """What is to be done with a message; the value is the counter of RFC 3418 that counts it."""

    ADMITTED = ""
    MALFORMED = "snmpInASNParseErrs"
    BAD_VERSION = "snmpInBadVersions"
    BAD_COMMUNITY = "snmpInBadCommunityNames"
    UNEXPECTED = "snmpSilentDrops"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who sends a request, as the engine has found out."""

    model: int
    name: str
    level: int


class Access:
    """The rights by one configuration."""

    def __init__(self, settings: SnmpSettings) -> None:
        communities, users = map(community_of, settings.communities), map(user_of, settings.users)
        self._has_users = bool(settings.users)
        self._networks: dict[bytes, tuple[Network, ...]] = {}
        self._rights: dict[Principal, bool] = {}
        """Who may read, and whether the same may write."""
        for community in communities:
            self._networks[community.name.encode()] = _networks(community.networks)
            self._rights[Principal(MODEL_V2C, community.name, NO_AUTH_NO_PRIV)] = community.may_write
        for user in users:
            self._rights[Principal(MODEL_USM, user.name, AUTH_PRIV)] = user.may_write

        informed = (target for target in map(target_of, settings.targets) if target.is_inform)
        self._informed = {(_address(target.address), target.port) for target in informed}
        """Where acknowledgements of informs come from."""

    def look(self, datagram: bytes, source: str) -> Verdict:
        """May it, as a request, go to the engine? `source`: the address that it came from."""
        try:
            header = header_of(datagram)
        except MalformedDatagram:
            return Verdict.MALFORMED
        if header.version not in (VERSION_2C, VERSION_3):
            return Verdict.BAD_VERSION
        if header.version == VERSION_2C and not _is_within(source, self._networks.get(header.community, ())):
            return Verdict.BAD_COMMUNITY
        if header.version == VERSION_3 and not self._has_users:
            # Without users a stranger could get a Report only: longer than its request, and work for the engine.
            return Verdict.UNEXPECTED
        # The engine would keep what it learns from a Report, for each source.
        return Verdict.UNEXPECTED if header.is_answer else Verdict.ADMITTED

    def look_at_answer(self, datagram: bytes, source: str, port: int) -> Verdict:
        """May it go to the engine, as what a target answers to an inform?"""
        if (_address(source), port) not in self._informed:
            return Verdict.UNEXPECTED
        try:
            header = header_of(datagram)
        except MalformedDatagram:
            return Verdict.MALFORMED
        if header.version not in (VERSION_2C, VERSION_3):
            return Verdict.BAD_VERSION
        return Verdict.ADMITTED if header.may_be_answer else Verdict.UNEXPECTED

    def may_read(self, principal: Principal) -> bool:
        """May it read all that is served?"""
        return principal in self._rights

    def may_write(self, principal: Principal) -> bool:
        """May it write what is writable?"""
        return self._rights.get(principal, False)

    def name_of(self, principal: Principal) -> str:
        """How logs call it. A community is a secret, so it is not named."""
        return f"snmp {principal.name}" if principal.model == MODEL_USM else "snmp community"


def _networks(words: Sequence[str]) -> tuple[Network, ...]:
    return tuple(map(ipaddress.ip_network, words)) or LOOPBACK


def _is_within(source: str, networks: tuple[Network, ...]) -> bool:
    address = _address(source)
    return any(address in network for network in networks)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Without its zone, and as IPv4 where it is mapped to IPv6."""
    address = ipaddress.ip_address(text.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address
