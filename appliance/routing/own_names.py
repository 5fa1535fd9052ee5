"""Which names and addresses are this appliance's own (RFC 3261 16.4, 16.5).

Two different questions: "is this domain ours?" decides who looks a user up, "does this host and
port name me?" decides whether a Route or Via value is mine. Both are dictionary look-ups prepared
once per configuration.

The nodes of a cluster are one element to others: the address that a listener has on another node is ours as well, in a
Route and in a Request-URI. Where a node dies, what names its own address in a Route set comes by a virtual address to
the node that has taken that over. A Via names one node, for responses go back where the request came from.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import replace

from appliance.catalogue.settings import ENDING, GONE, OPEN, ListenerSettings, Settings
from appliance.catalogue.transports import SIP_PORT
from appliance.sip.uri import Uri, canonical_host
from appliance.transport.transport_table import port_of_uri


def host_text(address: str) -> bytes:
    """An address as it stands in a URI: IPv6 in brackets (RFC 3261 25.1 `host`)."""
    if ":" in address:
        return b"[" + ipaddress.ip_address(address).compressed.encode() + b"]"
    return address.encode()


def sent_by(listener: ListenerSettings) -> bytes:
    """`host:port` by which peers reach this listener: the advertised address if there is one."""
    return host_text(listener.advertise or listener.address) + b":" + str(listener.port).encode()


def _default_domain(settings: Settings) -> bytes:
    """The domain of a user who does not name it: the first one, or the address of the first listener."""
    if settings.domains:
        return settings.domains[0].lower().encode()
    first = settings.listeners[0]
    return host_text(first.advertise or first.address)


def _host_of_maddr(uri: Uri) -> bytes:
    """The maddr in the spelling in which hosts are compared; some write IPv6 without brackets."""
    host = (uri.parameter(b"maddr") or b"").lower()
    return canonical_host(b"[" + host + b"]" if b":" in host and not host.startswith(b"[") else host)


class OwnNames:
    """The appliance's domains and the `host:port` pairs of its listeners."""

    __slots__ = (
        "_domains",
        "_listeners",
        "_of_nodes",
        "default_domain",
        "listener_names",
        "realm",
        "sent_by_len_max",
        "sent_bys",
    )

    def __init__(self, settings: Settings, former: Sequence[ListenerSettings] = ()) -> None:
        """`former` are the listeners as they were before these settings: their names stay ours."""
        self._domains = frozenset(canonical_host(name.lower().encode()) for name in settings.domains)
        self.realm = settings.digest.realm.encode()
        self.default_domain = _default_domain(settings)
        self.sent_bys = [sent_by(listener) for listener in settings.listeners]
        self.sent_by_len_max = max(map(len, self.sent_bys))
        # At their places, one a line; nothing where there is none.
        self.listener_names = b"\n".join(
            listener.name.encode() if listener.standing != GONE else b"" for listener in settings.listeners
        )
        # Host, advertised or real, to port to the number of a listener.
        self._listeners: dict[bytes, dict[int, int]] = {}
        still = [
            replace(listener, standing=now.standing) if now.standing == GONE else listener
            for listener, now in zip(former, settings.listeners, strict=False)
        ]
        # Where two have one name, the one that is open has it.
        for listeners, standing in ((still, OPEN), (settings.listeners, ENDING), (settings.listeners, OPEN)):
            for number, listener in enumerate(listeners):
                if listener.standing == standing:
                    for address in (listener.advertise or listener.address, listener.address):
                        self._listeners.setdefault(host_text(address), {})[listener.port] = number

        # The same of other nodes of the cluster.
        self._of_nodes = _addresses_on_nodes(settings)

    def is_me(self, uri: Uri) -> bool:
        """Does the URI name one of my listeners by host and port (RFC 3261 16.4)?"""
        return self.listener_of(uri) >= 0 and not self.is_diverted(uri)

    def is_own_route(self, uri: Uri) -> bool:
        """Does a Route value name this appliance, by listener or, without a user, by domain (RFC 3261 16.4)?"""
        return self.is_me(uri) or (not uri.user and self.is_responsible_for(uri))

    def is_diverted(self, uri: Uri) -> bool:
        """Does `maddr` send it elsewhere, whatever its host (RFC 3261 16.4, 16.5)?"""
        if b"maddr" not in uri.parameters:
            return False
        return not self.is_own_domain(_host_of_maddr(uri))

    def is_own_sent_by(self, host: bytes, port: int) -> bool:
        """Is `host:port` one that I write into Via? 0 stands for the default port."""
        ports = self._listeners.get(host)
        return ports is not None and (port or SIP_PORT) in ports

    def listener_of(self, uri: Uri) -> int:
        """The number of the listener that a URI names, by its address on any node; -1 when it names none."""
        return self._listener_at(uri.host, port_of_uri(uri))

    def _listener_at(self, host: bytes, port: int) -> int:
        ports = self._listeners.get(host) or self._of_nodes.get(host)
        return -1 if ports is None else ports.get(port, -1)

    def is_responsible_for(self, uri: Uri) -> bool:
        """Is the URI in a domain of mine, or addressed to me (RFC 3261 16.5)?

        A domain is matched without its port unless it is also a listener's host: then another
        port there is another server.
        """
        if self.is_diverted(uri):
            return False
        return self._is_responsible_at(uri.host, uri)

    def _is_responsible_at(self, host: bytes, uri: Uri) -> bool:
        if host in self._domains and (not uri.port or host not in self._listeners):
            return True
        return self._listener_at(host, port_of_uri(uri)) >= 0

    def leads_here(self, uri: Uri) -> bool:
        """Would a request that is sent to this URI come here, by its host and port or by its maddr?"""
        if not uri.has_sip_scheme():
            return False
        host = uri.host
        if b"maddr" in uri.parameters:
            host = _host_of_maddr(uri)
        return self._is_responsible_at(host, uri)

    def is_own_domain(self, host: bytes) -> bool:
        """Is `host` one of the domains, whatever the port (for From and To, RFC 3261 22)?"""
        return host in self._domains or host in self._listeners or host in self._of_nodes

    def realm_of(self, host: bytes) -> bytes:
        """The user base of `host`: the one configured realm, else the domain itself."""
        return self.realm or host

    def is_own_realm(self, realm: bytes) -> bool:
        """Is it a realm for which we ask for passwords?"""
        return realm == self.realm if self.realm else self.is_own_domain(realm)

    def public_uri(self, aor: bytes, host: bytes) -> bytes:
        """An address-of-record as others can use it: in `host`, or another domain of ours, where the realm is none."""
        user, _, realm = aor[4:].rpartition(b"@")
        if self.is_own_domain(realm):
            return aor
        return b"".join((b"sip:", user, b"@", host if self.is_own_domain(host) else self.default_domain))

    def aor_of(self, user: bytes, host: bytes) -> bytes:
        """The address-of-record under which a user is kept (RFC 3261 10.3 step 5).

        Domains that share a realm are aliases of each other: one user, one set of bindings.
        """
        return b"".join((b"sip:", user, b"@", self.realm_of(host)))


def _addresses_on_nodes(settings: Settings) -> dict[bytes, dict[int, int]]:
    """Host to port to the number of a listener: the addresses that listeners have on nodes of the cluster."""
    open_ones = {each.name: number for number, each in enumerate(settings.listeners) if each.standing == OPEN}
    found: dict[bytes, dict[int, int]] = {}
    for node in settings.nodes:
        for name, address in node.own_addresses.items():
            number = open_ones.get(name, -1)
            if number >= 0:
                found.setdefault(host_text(address), {})[settings.listeners[number].port] = number
    return found
