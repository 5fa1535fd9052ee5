"""Host to addresses: a bounded cache of literals and of answered look-ups (RFC 3263 4.2).

Literal addresses are parsed once and kept with the names, so the common next hop costs one
dictionary look-up. When the cache is full the entry used for the longest time goes.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from appliance.catalogue.settings import Settings
    from appliance.routing.lookup_questions import HostAnswer, LookupHost

NEVER = float("inf")
# How long a host is not asked for again, however short its answer may be believed.
HOST_RETRY_S = 5.0
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


class HostCache:
    """Known addresses of hosts; `find` answers None when a look-up is needed."""

    __slots__ = ("_known", "limit")

    def __init__(self, limit: int) -> None:
        self._known: dict[bytes, tuple[tuple[str, ...], float]] = {}
        self.limit = limit

    def __len__(self) -> int:
        return len(self._known)

    def find(self, host: bytes, now: float) -> tuple[str, ...] | None:
        """Addresses in the order to try; () when the host has none; None when not known yet."""
        entry = self._known.get(host)
        if entry is not None and now < entry[1]:
            return entry[0]
        literal = literal_address(host)
        if not literal:
            return None
        self.remember(host, (literal,), NEVER)
        return (literal,)

    def reconfigure(self, settings: Settings) -> None:
        """Go by a new limit."""
        self.limit = settings.limits.hosts_cached_max

    def keep(self, question: LookupHost, answer: HostAnswer, now: float) -> None:
        """Keep what DNS has answered."""
        self.remember(question.host, answer.addresses, now + max(answer.ttl_s, HOST_RETRY_S))

    def remember(self, host: bytes, addresses: tuple[str, ...], expires_at: float) -> None:
        """Keep an answer until `expires_at` (monotonic seconds)."""
        self._known.pop(host, None)
        while len(self._known) >= self.limit:
            del self._known[next(iter(self._known))]
        self._known[host] = (addresses[:ADDRESSES_MAX], expires_at)
