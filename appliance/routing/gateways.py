"""The addresses of next hops: only the route tables, and who may relay, lead there (docs/routing.md).

A gateway takes calls from this appliance by its address, and the operator pays for them. So what a stranger has named
(PUBLISHED in contact_policy.py) does not lead to one, whatever DNS makes of the name.

Next hops are addresses or names. A name stands for what DNS has said of it last; one of which nothing is known yet is
asked for first, and where DNS does not answer, once a minute.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from appliance.routing.contact_policy import plain_address
from appliance.routing.host_cache import HostCache, literal_address
from appliance.routing.next_hops import HostUnknown
from appliance.routing.route_tables import RouteTables
from appliance.sip.uri import parse_uri
from appliance.transport.flow import Flow

if TYPE_CHECKING:
    from appliance.catalogue.routing_settings import DomainRouteSettings

# Of the route tables. Each of them costs a step for each call that a stranger has named the target of.
NAMES_MAX: Final = 1000
RETRY_S: Final = 60.0


class GatewayUnknown(HostUnknown):
    """A next hop has to be looked up, so that another host can be told from it."""


class Gateways:
    """The next hops of one configuration and of the tables of the node."""

    __slots__ = ("_addresses", "_asked_at", "_domains", "_hosts", "_is_read", "_known", "_names", "_tables")

    def __init__(self, hosts: HostCache) -> None:
        self._hosts = hosts
        self._domains: tuple[DomainRouteSettings, ...] = ()
        self._tables: RouteTables | None = None
        self._is_read = True
        self._addresses: frozenset[str] = frozenset()
        self._names: tuple[bytes, ...] = ()
        # Of the names: what DNS has said last, and when those were asked for of which it has said nothing.
        self._known: dict[bytes, tuple[str, ...]] = {}
        self._asked_at: dict[bytes, float] = {}

    def use(self, domains: tuple[DomainRouteSettings, ...], tables: RouteTables | None) -> None:
        """Go by other next hops."""
        self._domains, self._tables = domains, tables
        self._is_read = False

    def without(self, hops: list[Flow], now: float) -> list[Flow]:
        """Of these hops, those that are no gateways. Raises GatewayUnknown."""
        if not self._is_read:
            self._read()
        named: set[str] = set().union(*self._addresses_of_names(now))
        addressed = [(hop, plain_address(hop.remote[0])) for hop in hops]
        return [hop for hop, address in addressed if address not in self._addresses and address not in named]

    def note_asked(self, name: bytes, now: float) -> None:
        """A name is being asked for: whether DNS answers or not, it is not needed again soon."""
        self._asked_at[name] = now

    def _addresses_of_names(self, now: float) -> Iterable[tuple[str, ...]]:
        for name in self._names:
            found = self._hosts.find(name, now)
            if found is not None:
                self._known[name] = found
            elif name not in self._known and now - self._asked_at.get(name, now - RETRY_S) >= RETRY_S:
                raise GatewayUnknown(name)
        return self._known.values()

    def _read(self) -> None:
        """Done when it is first needed: most nodes never need it."""
        hosts = {parse_uri(hop.encode()).host for domain in self._domains for hop in domain.next_hops}
        hosts |= self._tables.next_hop_hosts() if self._tables is not None else set()
        self._addresses = frozenset(address for host in hosts if (address := literal_address(host)))
        self._names = tuple(sorted(host for host in hosts if not literal_address(host))[:NAMES_MAX])
        self._known = {name: known for name, known in self._known.items() if name in hosts}
        self._asked_at = {name: at for name, at in self._asked_at.items() if name in hosts}
        self._is_read = True
