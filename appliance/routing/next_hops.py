"""From a URI to the flows a request may take, best first (RFC 3261 16.6 step 7, RFC 3263 4).

A literal address is one hop, by the transport that the URI names, else UDP. For a name DNS decides
(server_location.py): each address of each server is a hop. A request too long for UDP tries TCP first and
falls back (RFC 3261 18.1.1).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from appliance.catalogue.settings import OPEN, ListenerSettings
from appliance.routing.host_cache import HostCache, is_unicast, literal_address
from appliance.routing.lookup_questions import LookupHost, Question
from appliance.routing.server_cache import ServerCache
from appliance.routing.server_location import AnswersNeeded, LocationUnknown, Server, ServerLocation, is_nowhere
from appliance.sip.siphash import SipHash
from appliance.sip.uri import Uri
from appliance.transport.flow import NO_CONNECTION, TCP, UDP, Flow
from appliance.transport.process_id import NO_PROCESS
from appliance.transport.transport_table import default_port, is_opened_here, is_secure, transport_of_uri

# RFC 3261 18.1.1: without knowledge of the path MTU, 1300 bytes is the most UDP may carry.
UDP_LEN_MAX = 1300

# Servers of one name, and flows of one request: each costs a caller time when it does not answer.
SERVERS_MAX: Final = 8
FLOWS_MAX: Final = 16
# Servers of one name that one request waits for. Whose name it is may point them all at the name servers of others.
ASKED_MAX: Final = 3

UNBOUNDED: Final = 1 << 16

# Where the bits of IPv6 begin.
_IPV6: Final = 8

# RFC 3261 18.1.1: what a request that is too long for UDP takes.
TCP_THEN_UDP: Final = (TCP, UDP)
# Of a request for which nothing was asked yet.
NONE_FAILED: Final = ()


class NextHops:
    """Chooses flows among the listeners of this appliance."""

    __slots__ = ("_choice", "_hosts", "_location", "_speaks")

    def __init__(
        self, listeners: tuple[ListenerSettings, ...], hosts: HostCache, records: ServerCache, choice: SipHash
    ) -> None:
        """`choice`: the keyed function of a Call-ID by which servers are chosen that DNS gives by weight."""
        self._hosts = hosts
        self._choice = choice
        # For each listener, a bit for each transport, and for IPv6 the same ones further up.
        self._speaks = [_ways_of(listener) for listener in listeners]
        transports = {way for listener in listeners if listener.standing == OPEN for way in listener.transports}
        self._location = ServerLocation(transports, records)

    def find(
        self,
        uri: Uri,
        request_len: int,
        listener: int,
        call_id: bytes,
        now: float,
        failed: Collection[Question] = NONE_FAILED,
    ) -> list[Flow]:
        """Flows to try in order; empty when the target cannot be reached from here.

        `listener` is where the request came in: it is preferred as the way out. `failed`: questions that DNS could not
        answer. Raises AnswersNeeded, and LocationUnknown when nothing is known because of those that failed.
        """
        transports = transports_of(uri, request_len)
        if not transports:
            return []
        host = uri.parameters.get(b"maddr") or uri.host
        address = self._hosts.literal(host)
        flows: list[Flow] = []
        if address:
            self._add_flows(flows, address, uri.port, transports, uri, listener)
            return flows
        servers = self._servers_of(uri, host, transports, call_id, now, failed)[:SERVERS_MAX]
        for server, addresses in self._with_addresses(servers, host, now, failed, ASKED_MAX):
            ways = TCP_THEN_UDP if server.transport == UDP and len(transports) > 1 else (server.transport,)
            for each in addresses:
                self._add_flows(flows, each, server.port, ways, uri, listener)
        return flows[:FLOWS_MAX]

    def _add_flows(
        self, flows: list[Flow], address: str, port: int, transports: tuple[int, ...], uri: Uri, listener: int
    ) -> None:
        # RFC 3261 18.1.1: a request that came to a proxy goes to one host, whatever maddr, a Route or DNS says.
        if not is_unicast(address):
            return
        for transport in transports:
            way_out = self._listener_for(transport, ":" in address, listener)
            if way_out >= 0:
                # RFC 5922 7.3: the domain of the URI is what is compared, whatever DNS makes of it.
                name = uri.host.decode("latin-1") if is_secure(transport) and not self._hosts.literal(uri.host) else ""
                remote = (address, port or default_port(transport))
                flows.append(Flow(transport, way_out, remote, NO_PROCESS, NO_CONNECTION, name))

    def of_one_server(
        self, hops: Sequence[Flow], uri: Uri, request_len: int, call_id: bytes, now: float
    ) -> list[Flow]:
        """Those of the hops that `find` has given which lead to the server of the first one, by the same transport, as
        far as its addresses are known still.
        """
        first = hops[0]
        address, port = first.remote
        host, transports = uri.parameters.get(b"maddr") or uri.host, transports_of(uri, request_len)
        try:
            servers = self._servers_of(uri, host, transports, call_id, now, NONE_FAILED) if transports else ()
            # Nothing is asked for.
            found = self._with_addresses(servers[:SERVERS_MAX], host, now, NONE_FAILED, 0)
        except (AnswersNeeded, LocationUnknown):
            return [first]
        default = default_port(first.transport)
        known = (each for server, each in found if address in each and port == (server.port or default))
        of_server = next(known, (address,))
        same = [hop for hop in hops if hop.transport == first.transport and hop.remote[1] == port]
        return [hop for hop in same if hop.remote[0] in of_server]

    def addresses_of(self, uri: Uri, now: float, failed: Collection[Question] = NONE_FAILED) -> frozenset[str]:
        """All that requests for a URI may be sent to, whatever their length and their Call-ID. Raises as `find`."""
        host = uri.parameters.get(b"maddr") or uri.host
        found = {literal} if (literal := self._hosts.literal(host)) else set()
        for request_len in () if literal else (0, UDP_LEN_MAX + 1):
            transports = transports_of(uri, request_len)
            servers = self._servers_of(uri, host, transports, b"", now, failed) if transports else ()
            for _, addresses in self._with_addresses(servers, host, now, failed):
                found.update(addresses)
        return frozenset(found)

    def _with_addresses(
        self,
        servers: Sequence[Server],
        host: bytes,
        now: float,
        failed: Collection[Question],
        asked_max: int = UNBOUNDED,
    ) -> list[tuple[Server, tuple[str, ...]]]:
        """The servers of a name with the addresses of each; those that DNS could not find are left out.

        While the addresses of fewer than `asked_max` are known, or are known not to be had, others are asked for.
        """
        found: list[tuple[Server, tuple[str, ...]]] = []
        questions: list[Question] = []
        has_failed = False
        for server in servers:
            addresses = () if is_nowhere(server) else self._hosts.find(server.host, now)
            if addresses is not None:
                found.append((server, addresses))
            elif (question := LookupHost(server.host)) in failed:
                has_failed = True
                asked_max -= 1
            elif len(found) + len(questions) < asked_max:
                questions.append(question)
        if questions:
            raise AnswersNeeded(questions)
        if has_failed and not any(addresses for _, addresses in found):
            raise LocationUnknown(host.decode("latin-1"))
        return found

    def _servers_of(
        self,
        uri: Uri,
        host: bytes,
        transports: tuple[int, ...],
        call_id: bytes,
        now: float,
        failed: Collection[Question],
    ) -> Sequence[Server]:
        transport = transports[-1]
        if uri.port:
            return (Server(transport, host, uri.port),)
        seed = self._choice.of(call_id)
        if b"transport" in uri.parameters:
            return self._location.find_by(transport, host, seed, now, failed)
        return self._location.find(host, uri.scheme == b"sips", len(transports) > 1, seed, now, failed)

    def is_way(self, flow: Flow) -> bool:
        """Has this appliance still the listener of a flow that it remembers?"""
        if flow.listener >= len(self._speaks):
            return False
        return self._serves(flow.listener, flow.transport, False) or self._serves(flow.listener, flow.transport, True)

    def flow_to(self, transport: int, host: bytes, port: int) -> Flow | None:
        """The flow to an address; None for a name, or where no listener leads there."""
        address = literal_address(host) if is_opened_here(transport) else ""
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
    """Transports to try for a URI, in order; () when it names one that we do not speak, or that we do not open."""
    if not uri.has_sip_scheme():
        return ()
    transport = transport_of_uri(uri)
    if not is_opened_here(transport):
        return ()
    if transport == UDP and request_len > UDP_LEN_MAX:
        return TCP_THEN_UDP
    return (transport,)
