"""Where the servers of a host name are: transport, host and port of each, in the order to try (RFC 3263 4).

    name, port in the URI       A and AAAA of the name, at that port                                      4.2
    name, transport in the URI  SRV of that transport; without any, A and AAAA at its default port        4.2
    name alone                  NAPTR, then SRV of the transport that it prefers; without NAPTR, SRV of
                                each transport; without any, A and AAAA                                   4.1

What is not known is asked for, all of one step at once. "Cannot know" is not "no": a domain whose NAPTR or SRV records
cannot be had is not reached by its address instead, for they may demand TLS.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from appliance.catalogue.transports import TCP, TLS, UDP
from appliance.routing.lookup_questions import LookupServers, Question
from appliance.routing.server_cache import ServerCache, key_of
from appliance.routing.server_records import NAPTR, NOWHERE, SRV, NaptrRecord, SrvRecord, is_domain_name, srv_name
from appliance.routing.srv_order import in_order
from appliance.transport.transport_table import default_port, is_secure

# What a sip URI, and a sips URI, without a transport may use where there is no NAPTR: the preferred one first.
_OF_SIP: Final = (UDP, TCP)
_OF_SIPS: Final = (TLS,)
# Of the NAPTR records of a domain, those whose names are asked for: one for each of UDP, TCP and TLS.
NAPTR_MAX: Final = 3


class AnswersNeeded(Exception):
    """Questions whose answers decide where the request goes. `of`: for which other URI they are needed, or b""."""

    def __init__(self, questions: Sequence[Question], of: bytes = b"") -> None:
        super().__init__(questions)
        self.questions = questions
        self.of = of


class LocationUnknown(Exception):
    """DNS could not say where the servers are."""


class Server:
    """A server of a domain."""

    __slots__ = ("host", "port", "transport")

    def __init__(self, transport: int, host: bytes, port: int) -> None:
        self.transport = transport
        self.host = host
        self.port = port


class ServerLocation:
    """RFC 3263 4 for one set of transports, by what is kept of DNS."""

    __slots__ = ("_records", "_transports")

    def __init__(self, transports: Collection[int], records: ServerCache) -> None:
        self._transports = frozenset(transports)
        self._records = records

    def find(
        self, domain: bytes, is_sips: bool, prefers_tcp: bool, seed: int, now: float, failed: Collection[Question]
    ) -> list[Server]:
        """The servers of a domain; [] where it has none by SRV that we can reach: its own addresses may serve.

        `prefers_tcp`: the request is too long for UDP (RFC 3261 18.1.1). `failed`: questions without an answer.
        Raises AnswersNeeded and LocationUnknown.
        """
        naptr = self._naptr_of(domain, is_sips, now, failed)
        if not naptr:
            return self._without_naptr(domain, is_sips, prefers_tcp, seed, now, failed)
        # RFC 3403 4.1: once an order has served, no later one is considered.
        for order in dict.fromkeys(record.order for record in naptr):
            names = [(record.transport, record.name) for record in naptr if record.order == order]
            servers = self._servers_of(names, seed, now, failed)
            if servers:
                return servers
        return [Server(naptr[0].transport, domain, default_port(naptr[0].transport))]

    def find_by(
        self, transport: int, domain: bytes, seed: int, now: float, failed: Collection[Question]
    ) -> list[Server]:
        """The servers of a domain for one transport. Raises AnswersNeeded and LocationUnknown."""
        name = srv_name(transport, domain)
        servers = self._servers_of([(transport, name)], seed, now, failed) if name else []
        return servers or [Server(transport, domain, default_port(transport))]

    def _without_naptr(
        self, domain: bytes, is_sips: bool, prefers_tcp: bool, seed: int, now: float, failed: Collection[Question]
    ) -> list[Server]:
        spoken = [way for way in (_OF_SIPS if is_sips else _OF_SIP) if way in self._transports]
        if prefers_tcp:
            spoken.reverse()
        names = [(way, name) for way in spoken if (name := srv_name(way, domain))]
        self._require(SRV, [name for _, name in names], now, failed)
        for way, name in names:
            servers = self._servers_of([(way, name)], seed, now, failed)
            if servers:
                return servers
        # RFC 3263 4.1: without any SRV record UDP for sip, TCP for sips, which is TLS.
        default = TLS if is_sips else UDP
        return [Server(default, domain, default_port(default))]

    def _naptr_of(
        self, domain: bytes, is_sips: bool, now: float, failed: Collection[Question]
    ) -> list[NaptrRecord]:
        """Those of transports that we speak; of a sips URI, those that are secure (RFC 3263 4.1)."""
        if not is_domain_name(domain):
            return []
        self._require(NAPTR, [domain], now, failed)
        records: tuple[NaptrRecord, ...] = self._known(NAPTR, domain, now)
        return [
            record
            for record in records
            if record.transport in self._transports and (is_secure(record.transport) or not is_sips)
        ][:NAPTR_MAX]

    def _servers_of(
        self, names: list[tuple[int, bytes]], seed: int, now: float, failed: Collection[Question]
    ) -> list[Server]:
        self._require(SRV, [name for _, name in names], now, failed)
        servers = []
        for transport, name in names:
            records: tuple[SrvRecord, ...] = self._known(SRV, name, now)
            servers += [Server(transport, record.target, record.port) for record in in_order(records, seed)]
        return servers

    def _require(self, record_type: bytes, names: list[bytes], now: float, failed: Collection[Question]) -> None:
        """All the records have to be known."""
        missing = [name for name in names if self._records.find(key_of(record_type, name), now) is None]
        if not missing:
            return
        questions = [LookupServers(record_type, name) for name in missing]
        if any(question in failed for question in questions):
            raise LocationUnknown(missing[0].decode())
        raise AnswersNeeded(questions)

    def _known(self, record_type: bytes, name: bytes, now: float) -> tuple[Any, ...]:
        return self._records.find(key_of(record_type, name), now) or ()


def is_nowhere(server: Server) -> bool:
    """RFC 2782: a target of "." says that the service is decidedly not available."""
    return server.host == NOWHERE
