"""Where contacts and redirects may lead (RFC 3261 10.3, 16.5, 16.7 step 4, 26.1).

A contact is an address that a stranger may have chosen. Three rules keep it from becoming a way around `relay`, or a
way to send chosen octets to services that are not meant for it:

- Registered is only what is allowed: with `contacts-allowed`, the networks and domains that it lists; without it,
  anything but an address of this machine, and a port below 1024 only at the address that the REGISTER came from.
  Loopback is allowed only where the listener itself is on loopback. A listener on all addresses is not.
- A contact at the address that its REGISTER came from is the phone's own. One that leads elsewhere (a name, another
  address) is a foreign target, which `relay` judges as it judges a Request-URI; so is a contact of a 3xx.
- A name that turns out to be an address of this machine is not sent to; and a Request-URI leads to this machine only by
  the port of a listener, or where a peer is.
- What a stranger has published (a record of a public ENUM tree, a redirect by a sender who may not relay) is a foreign
  target as well. It leads neither to this machine nor to peers, and not to next hops of routes (gateways.py): these
  trust this appliance, and not him.

A phone behind a NAT has a private address in its Contact. It is registered, and reached by its flow, by its Path, or by
callers that may relay.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from appliance.catalogue.peers import Peers
from appliance.catalogue.settings import Settings
from appliance.location.binding import Binding
from appliance.routing.host_cache import is_unicast, literal_address
from appliance.routing.listener_marks import ListenerMarks
from appliance.sip.errors import MalformedMessage
from appliance.sip.headers import parse_name_addr
from appliance.sip.uri import Uri
from appliance.transport.flow import Flow
from appliance.transport.transport_table import is_opened_here

# Where a target comes from: the Request-URI or what the operator allows; a contact at its source; another contact; a
# next hop of a route table; what a stranger has published; a redirect by a peer.
NAMED, AT_SOURCE, ELSEWHERE, ROUTED, PUBLISHED, BY_PEER = range(6)
PRIVILEGED_PORTS: Final = 1024
_UNSPECIFIED: Final = ("0.0.0.0", "::")
_LOCAL_NAMES: Final = (b"localhost", b"localhost.localdomain")


class ContactPolicy:
    """What one configuration allows."""

    __slots__ = ("_domains", "_is_on_loopback", "_networks", "_own", "_peers", "_ports", "is_confined", "marks")

    def __init__(self, settings: Settings, addresses: Iterable[str] = ()) -> None:
        """`addresses`: those of this machine, whichever of them have a listener."""
        allowed = settings.registrar.contacts_allowed
        self.is_confined = bool(allowed)
        self._networks = tuple(ip_network(item) for item in allowed if _is_network(item))
        self._domains = tuple(item.encode() for item in allowed if not _is_network(item))
        listeners = settings.listeners
        self._is_on_loopback = [ip_address(listener.address).is_loopback for listener in listeners]
        own = {name for listener in listeners for name in (listener.address, listener.advertise) if name}
        self._own = frozenset(own.union(addresses))
        self._ports = frozenset(listener.port for listener in listeners)
        self.marks = ListenerMarks(listeners)
        self._peers = Peers([peer for listener in listeners for peer in listener.peers])

    def is_refused(self, binding: Binding, uri: Uri, listener: int) -> bool:
        """May this contact not be registered by a REGISTER that came in by that listener? `uri` is the contact."""
        if not uri.has_sip_scheme():
            return False  # no request is ever forwarded to it
        hop = _first_hop(binding, uri)
        host = destination_of(hop)
        address = plain_address(literal_address(host))
        is_here = self._is_on_loopback[listener]
        if not is_here and (is_loopback(address) or _is_local_name(host)):
            return True
        if address in _UNSPECIFIED or (address and not is_unicast(address)):
            return True
        is_at_source = self._is_at_source(address, binding)
        if self.is_confined and binding.flow is not None and not is_opened_here(binding.flow.transport):
            # RFC 7118 5: its contact leads nowhere.
            return not self._is_in_network(binding.source_ip)
        if self.is_confined:
            return not (self.is_listed(uri) and (is_at_source or self.is_listed(hop)))
        if address in self._own:
            return not is_here
        return 0 < hop.port < PRIVILEGED_PORTS and not is_at_source

    def is_listed(self, uri: Uri) -> bool:
        """Does `contacts-allowed` list the host that requests for this URI go to?"""
        if not self.is_confined:
            return False
        host = destination_of(uri)
        address = literal_address(host)
        if address:
            return self._is_in_network(address)
        name = host.rstrip(b".")
        return any(name == domain or name.endswith(b"." + domain) for domain in self._domains)

    def origin_of(self, binding: Binding, uri: Uri) -> int:
        """Does a binding lead to where it came from? `uri` is its contact."""
        hop = _first_hop(binding, uri)
        if self._is_at_source(plain_address(literal_address(destination_of(hop))), binding):
            return AT_SOURCE
        return NAMED if self.is_listed(hop) else ELSEWHERE

    def passable(self, hops: list[Flow], origin: int, way_in: int) -> list[Flow]:
        """The hops that a target of this origin may take; `way_in`: the listener that the request came in by."""
        if origin == AT_SOURCE:
            return hops
        for hop in hops:
            if self._is_barred(hop, origin, way_in):
                return [other for other in hops if not self._is_barred(other, origin, way_in)]
        return hops

    def _is_barred(self, hop: Flow, origin: int, way_in: int) -> bool:
        remote = hop.remote
        address = plain_address(remote[0])
        is_here = self._is_on_loopback[way_in]
        if origin == PUBLISHED and self._is_trusting(address, remote[1]):
            return True
        if is_loopback(address):
            return not (is_here and self._is_on_loopback[hop.listener])
        if is_here or address not in self._own:
            return False
        return is_foreign(origin) or (remote[1] not in self._ports and not self._peers.has_address(address))

    def _is_trusting(self, address: str, port: int) -> bool:
        """Is it a peer, or this appliance itself?"""
        return self._peers.has_address(address) or (address in self._own and port in self._ports)

    def _is_at_source(self, address: str, binding: Binding) -> bool:
        """Did the REGISTER come from this address, or from a peer with the Path of one?"""
        if not address or not binding.source_ip:
            return False
        if address == binding.source_ip:
            return True
        # A peer may have several addresses.
        peers = self._peers
        return bool(binding.path_text) and peers.has_address(address) and peers.has_address(binding.source_ip)

    def _is_in_network(self, text: str) -> bool:
        address = _unmapped(text)
        return any(address in network for network in self._networks)


def destination_of(uri: Uri) -> bytes:
    """The host that requests for a URI go to (RFC 3261 16.6 step 7, RFC 3263 4): its maddr, else its host."""
    return (uri.parameter(b"maddr") or uri.host).lower() if b"maddr" in uri.parameters else uri.host


def is_loopback(address: str) -> bool:
    """Is this address (or none, "") of the machine itself alone? To the kernel the unspecified one is, as well."""
    if not address.startswith(("127.", "0.", ":")):
        return False
    parsed = _unmapped(address)
    return parsed.is_loopback or parsed.is_unspecified


def is_foreign(origin: int) -> bool:
    """Is a target of this origin one that `relay` has to allow?"""
    return origin in (ELSEWHERE, PUBLISHED, BY_PEER)


def is_next_hop(origin: int) -> bool:
    """Is it replaced by the next one where it cannot serve a call (RFC 3263 4.3)?"""
    return origin in (ROUTED, PUBLISHED)


def plain_address(address: str) -> str:
    """An address without the disguise of an IPv4 address in IPv6 (RFC 4291 2.5.5.2); "" stays "" (a name)."""
    return str(_unmapped(address)) if address.startswith("::ffff:") else address


def _first_hop(binding: Binding, uri: Uri) -> Uri:
    """RFC 3327 5.3: where a request for this binding goes first."""
    if not binding.path_text:
        return uri
    try:
        return parse_name_addr(binding.path[0], "Path").uri
    except MalformedMessage:
        return uri  # it cannot be followed either


def _is_local_name(host: bytes) -> bool:
    name = host.rstrip(b".")
    return name in _LOCAL_NAMES or name.endswith(b".localhost")


def _unmapped(text: str) -> IPv4Address | IPv6Address:
    """The address; an IPv4 address that is mapped into IPv6 as what it is (RFC 4291 2.5.5.2)."""
    address = ip_address(text)
    return getattr(address, "ipv4_mapped", None) or address


def _is_network(item: str) -> bool:
    try:
        return ip_network(item) is not None
    except ValueError:
        return False
