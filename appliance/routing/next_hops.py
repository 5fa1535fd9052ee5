"""From a URI to the flows a request may take, best first (RFC 3261 16.6 step 7, RFC 3263 4).

NAPTR and SRV come later; today a host has A and AAAA records. The transport is the URI's, else
UDP; a request too long for UDP tries TCP first and falls back (RFC 3261 18.1.1).
"""

from __future__ import annotations

from typing import Final

from appliance.catalogue.settings import OPEN, ListenerSettings
from appliance.routing.host_cache import HostCache, is_unicast, literal_address
from appliance.sip.uri import Uri
from appliance.transport.flow import NO_CONNECTION, TCP, UDP, Flow
from appliance.transport.process_id import NO_PROCESS
from appliance.transport.transport_table import UNKNOWN_TRANSPORT, default_port, is_secure, transport_of_uri

# RFC 3261 18.1.1: without knowledge of the path MTU, 1300 bytes is the most UDP may carry.
UDP_LEN_MAX = 1300

# Where the bits of IPv6 begin.
_IPV6: Final = 8

# RFC 3261 18.1.1: what a request that is too long for UDP takes.
TCP_THEN_UDP: Final = (TCP, UDP)


class HostUnknown(Exception):
    """The host has to be looked up before the request can go on."""

    def __init__(self, host: bytes) -> None:
        super().__init__(host)
        self.host = host


class NextHops:
    """Chooses flows among the listeners of this appliance."""

    __slots__ = ("_hosts", "_speaks")

    def __init__(self, listeners: tuple[ListenerSettings, ...], hosts: HostCache) -> None:
        self._hosts = hosts
        # For each listener, a bit for each transport, and for IPv6 the same ones further up.
        self._speaks = [_ways_of(listener) for listener in listeners]

    def find(self, uri: Uri, request_len: int, listener: int, now: float) -> list[Flow]:
        """Flows to try in order; empty when the target cannot be reached from here.

        `listener` is where the request came in: it is preferred as the way out. Raises HostUnknown.
        """
        transports = transports_of(uri, request_len)
        if not transports:
            return []
        host = uri.parameters.get(b"maddr") or uri.host
        addresses = self._hosts.find(host, now)
        if addresses is None:
            raise HostUnknown(host)
        # RFC 5922 7.3: the domain of the URI is what is compared, whatever DNS makes of it.
        name = uri.host.decode("latin-1") if is_secure(transports[0]) and not literal_address(uri.host) else ""
        flows: list[Flow] = []
        for address in addresses:
            # RFC 3261 18.1.1: a request that came to a proxy goes to one host, whatever maddr, a Route or DNS says.
            if not is_unicast(address):
                continue
            for transport in transports:
                way_out = self._listener_for(transport, ":" in address, listener)
                if way_out >= 0:
                    remote = (address, uri.port or default_port(transport))
                    flows.append(Flow(transport, way_out, remote, NO_PROCESS, NO_CONNECTION, name))
        return flows

    def is_way(self, flow: Flow) -> bool:
        """Has this appliance still the listener of a flow that it remembers?"""
        if flow.listener >= len(self._speaks):
            return False
        return self._serves(flow.listener, flow.transport, False) or self._serves(flow.listener, flow.transport, True)

    def flow_to(self, transport: int, host: bytes, port: int) -> Flow | None:
        """The flow to an address; None for a name, or where no listener leads there."""
        address = literal_address(host)
        way_out = self._listener_for(transport, ":" in address, 0) if address else -1
        return Flow(transport, way_out, (address, port)) if way_out >= 0 else None

    def _listener_for(self, transport: int, is_ipv6: bool, preferred: int) -> int:
        """A listener that speaks the transport and the address family; -1 when there is none."""
        if self._serves(preferred, transport, is_ipv6):
            return preferred
        for number in range(len(self._speaks)):
            if self._serves(number, transport, is_ipv6):
                return number
        return -1

    def _serves(self, number: int, transport: int, is_ipv6: bool) -> bool:
        speaks: int = self._speaks[number]
        return speaks >> (transport + _IPV6 if is_ipv6 else transport) & 1 != 0


def _ways_of(listener: ListenerSettings) -> int:
    if listener.standing != OPEN:
        return 0
    first = _IPV6 if ":" in listener.address else 0
    return sum(1 << first + transport for transport in listener.transports)


def transports_of(uri: Uri, request_len: int) -> tuple[int, ...]:
    """Transports to try for a URI, in order; () when it names one that we do not speak."""
    if not uri.has_sip_scheme():
        return ()
    transport = transport_of_uri(uri)
    if transport == UNKNOWN_TRANSPORT:
        return ()
    if transport == UDP and request_len > UDP_LEN_MAX:
        return TCP_THEN_UDP
    return (transport,)
