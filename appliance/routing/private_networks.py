"""Networks of the operator's own, to which no sender outside of them may name the way (RFC 1918, RFC 4193, RFC 6598).

The appliance may stand in such a network and in the Internet at once. What a subscriber, a record of DNS or a contact
names there (a database, the console of a machine) could not be reached from where he is.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Final

from appliance.routing.contact_policy import plain_address
from appliance.routing.host_cache import literal_address
from appliance.transport.flow import Flow

if TYPE_CHECKING:
    from appliance.catalogue.settings import ListenerSettings

# Link-local addresses as well (RFC 3927, RFC 4291 2.5.6).
_NETWORKS: Final = tuple(
    map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "fc00::/7",
                     "fe80::/10"))
)  # fmt: skip
# What is parsed: other addresses are the most.
_BEGINNINGS: Final = ("10.", "172.", "192.168.", "100.", "169.254.", "f")


class PrivateNetworks:
    """By which listeners hosts of private networks may be named."""

    __slots__ = ("_is_open",)

    def __init__(self, listeners: Iterable[ListenerSettings]) -> None:
        self._is_open = [listener.relay_private or _is_inside(listener) for listener in listeners]

    def without(self, hops: list[Flow], way_in: int) -> list[Flow]:
        """Of these hops, those that a sender may name; `way_in`: the listener that his request came in by."""
        if self._is_open[way_in]:
            return hops
        return [hop for hop in hops if not is_private(hop.remote[0])]


def is_private(address: str) -> bool:
    """Is an address in a private network? "" for a name is not."""
    plain = plain_address(address).partition("%")[0]
    return plain.startswith(_BEGINNINGS) and any(ip_address(plain) in network for network in _NETWORKS)


def _is_inside(listener: ListenerSettings) -> bool:
    """Do its senders come from such a network? Not where it is known to them by another address (RFC 3261 18.1.1)."""
    known_as = literal_address(listener.advertise.encode()) if listener.advertise else listener.address
    return is_private(known_as)
