"""The addresses of next hops: only the route tables and peers lead there (docs/routing.md).

A gateway takes calls from this appliance by its address, and the operator pays for them. So neither what a stranger has
named (PUBLISHED in contact_policy.py) nor what a subscriber has (proxy/gateway_access.py) leads to one, whatever DNS
makes of the name.

Next hops are addresses or names. A name stands for all servers that DNS has last given for it (RFC 3263 4); one of
which nothing is known yet is asked for first, and where DNS does not answer, once a minute.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Final

from appliance.routing.contact_policy import destination_of, plain_address
from appliance.routing.host_cache import literal_address
from appliance.routing.lookup_questions import Question
from appliance.routing.next_hops import NONE_FAILED, NextHops
from appliance.routing.route_tables import RouteTables
from appliance.routing.server_location import AnswersNeeded, LocationUnknown
from appliance.sip.uri import Uri, parse_uri
from appliance.transport.flow import Flow

if TYPE_CHECKING:
    from appliance.catalogue.routing_settings import DomainRouteSettings

# Of the route tables. Each of them costs a look at what is kept of DNS whenever the names are read anew.
NAMES_MAX: Final = 1000
# How long what is known of the names is used for all calls.
FRESH_S: Final = 1.0
RETRY_S: Final = 60.0
# Names that one request has asked for at once.
ASKED_AT_ONCE_MAX: Final = 10
# Where DNS has said something of none, and fails for more than so many while one request waits, nothing can be told.
SILENCES_MAX: Final = 2


class GatewayUnknown(AnswersNeeded):
    """Next hops have to be looked up, so that another host can be told from them."""


class Gateways:
    """The next hops of one configuration and of the tables of the node."""

    __slots__ = (
        "_addresses",
        "_domains",
        "_fresh_until",
        "_hosts",
        "_is_read",
        "_known",
        "_named",
        "_names",
        "_tables",
        "_unsure_at",
    )

    def __init__(self) -> None:
        self._domains: tuple[DomainRouteSettings, ...] = ()
        self._tables: RouteTables | None = None
        self._is_read = True
        self._addresses: frozenset[str] = frozenset()
        # Next hops that are names, by their text; and all addresses of them, used until a monotonic moment.
        self._names: dict[bytes, Uri] = {}
        self._hosts: frozenset[bytes] = frozenset()
        self._named: frozenset[str] = frozenset()
        self._fresh_until = 0.0
        # Of the names: what DNS has said last, and when it did not say all.
        self._known: dict[bytes, frozenset[str]] = {}
        self._unsure_at: dict[bytes, float] = {}

    def use(self, domains: tuple[DomainRouteSettings, ...], tables: RouteTables | None) -> None:
        """Go by other next hops."""
        self._domains, self._tables = domains, tables
        self._is_read = False

    def without(
        self, hops: list[Flow], next_hops: NextHops, now: float, failed: Collection[Question] = NONE_FAILED
    ) -> list[Flow]:
        """Of these hops, those that are no gateways. `failed`: questions that DNS could not answer.

        Raises GatewayUnknown, and LocationUnknown when DNS does not answer for any of the next hops.
        """
        if not hops:
            return hops
        if not self._is_read:
            self._read()
        if now >= self._fresh_until:
            self._look_up_names(next_hops, now, failed)
        addressed = [(hop, plain_address(hop.remote[0])) for hop in hops]
        return [hop for hop, address in addressed if address not in self._addresses and address not in self._named]

    def has_address(self, address: str) -> bool:
        """Is it that of a next hop, as far as is known without asking DNS?"""
        if not self._is_read:
            self._read()
        plain = plain_address(address)
        return plain in self._addresses or plain in self._named

    def has(self, uri: Uri) -> bool:
        """Does a URI name a next hop: by an address that is known, or by the name that the next hop has itself?"""
        host = destination_of(uri)
        address = literal_address(host)
        return self.has_address(address) if address else self._has_host(host.lower())

    def _has_host(self, host: bytes) -> bool:
        if not self._is_read:
            self._read()
        return host in self._hosts

    def _look_up_names(self, next_hops: NextHops, now: float, failed: Collection[Question]) -> None:
        """Note the addresses of all names. Raises GatewayUnknown, and LocationUnknown."""
        needed, silent = {}, []
        for name, uri in self._names.items():
            questions = self._look_up(name, uri, next_hops, now, failed)
            if questions is None:
                silent.append(name)
            elif questions:
                needed[name] = questions
                if len(needed) == ASKED_AT_ONCE_MAX:
                    break
        if needed:
            raise GatewayUnknown([each for questions in needed.values() for each in questions], next(iter(needed)))
        if not self._known and len(silent) > SILENCES_MAX:
            raise LocationUnknown(silent[0].decode("latin-1"))
        self._named = frozenset(plain_address(address) for known in self._known.values() for address in known)
        self._fresh_until = now + FRESH_S

    def _look_up(
        self, name: bytes, uri: Uri, next_hops: NextHops, now: float, failed: Collection[Question]
    ) -> Sequence[Question] | None:
        """Note the addresses of a name; the questions that have to be asked first. None: this request has asked them,
        and DNS did not answer.
        """
        try:
            self._known[name] = next_hops.addresses_of(uri, now)
            self._unsure_at.pop(name, None)
            return ()
        except AnswersNeeded:
            if name in self._known and name not in self._unsure_at:
                return ()
        try:
            # Of some of its servers, perhaps.
            found = next_hops.addresses_of(uri, now, failed)
        except LocationUnknown:
            self._unsure_at[name] = now
            return None
        except AnswersNeeded as needed:
            return () if now - self._unsure_at.get(name, now - RETRY_S) < RETRY_S else needed.questions
        self._known[name] = found | self._known.get(name, frozenset())
        self._unsure_at[name] = now
        return ()

    def _read(self) -> None:
        """Done when it is first needed: most nodes never need it."""
        hops = [parse_uri(hop.encode()) for domain in self._domains for hop in domain.next_hops]
        hops += self._tables.next_hops() if self._tables is not None else []
        self._addresses = frozenset(address for hop in hops if (address := literal_address(destination_of(hop))))
        names = {hop.text.lower(): hop for hop in hops if not literal_address(destination_of(hop))}
        self._names = {name: names[name] for name in sorted(names)[:NAMES_MAX]}
        self._hosts = frozenset(destination_of(hop).lower() for hop in self._names.values())
        self._known = {name: known for name, known in self._known.items() if name in self._names}
        self._unsure_at = {name: at for name, at in self._unsure_at.items() if name in self._names}
        self._fresh_until = 0.0
        self._is_read = True
