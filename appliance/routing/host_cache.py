"""Host to addresses: literals, and what DNS has answered (RFC 3263 4.2).

Literal addresses are parsed once, so the common next hop costs one dictionary look-up.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from appliance.routing.kept_answers import KeptAnswers

if TYPE_CHECKING:
    from appliance.catalogue.settings import Settings
    from appliance.routing.lookup_questions import HostAnswer, LookupHost

# Of one host. Each costs a caller 64*T1 at worst, and its owner could point them all at another party.
ADDRESSES_MAX = 8
DOT, ZERO, NINE = b".09"


def literal_address(host: bytes) -> str:
    """The address a host literal stands for, without brackets; "" when it is a name."""
    text = host[1:-1] if host[:1] == b"[" else host
    if b":" not in text:
        # `ipaddress` takes a fifth of a REGISTER for it.
        return text.decode("ascii") if is_dotted_quad(text) else ""
    try:
        return ipaddress.ip_address(text.decode("ascii")).compressed
    except ValueError:
        return ""


def is_dotted_quad(host: bytes) -> bool:
    """Is it an IPv4 address as RFC 3986 3.2.2 has it: four decimal numbers up to 255, without leading zeros?"""
    if not 7 <= len(host) <= 15:
        return False
    dots = digits = number = 0
    for octet in host:
        if octet == DOT:
            if not digits:
                return False
            dots += 1
            digits = number = 0
            continue
        if not ZERO <= octet <= NINE or (digits and not number):
            return False
        number = 10 * number + octet - ZERO
        digits += 1
        if number > 255:
            return False
    return dots == 3 and digits > 0


def is_unicast(address: str) -> bool:
    """Is an address one of a single host: no group, not the broadcast address, none of a reserved network?"""
    if ":" in address:
        return not address.startswith("ff")
    first = address.partition(".")[0]
    return not first.isdigit() or int(first) < 224


class HostCache(KeptAnswers):
    """Addresses of hosts, in the order to try; () for a host that has none."""

    __slots__ = ("_literals",)

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._literals: dict[bytes, str] = {}

    def literal(self, host: bytes) -> str:
        """The address a host literal stands for, without brackets; "" when it is a name."""
        address = self._literals.get(host)
        if address is None:
            while len(self._literals) >= self.limit:
                del self._literals[next(iter(self._literals))]
            address = self._literals[host] = literal_address(host)
        return address

    def without_effects(self) -> HostCache:
        """The same answers, for a decision that has no effect."""
        other = HostCache.__new__(HostCache)
        self.share_with(other)
        other._literals = {}
        return other

    def keep(self, question: LookupHost, answer: HostAnswer, now: float) -> None:
        """Keep what DNS has answered."""
        self.store(question.host, answer.addresses[:ADDRESSES_MAX], answer.ttl_s, now)
