"""Where a call to a telephone number goes: policy, dial plan, route tables (docs/routing.md).

What comes out is one decision: next hops in the order in which they are tried, a redirect, a rejection, or nothing, and
then the called address is looked up as any other one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.catalogue.peers import Peers
from appliance.catalogue.routing_settings import DEFAULT_TABLE, RoutePolicySettings
from appliance.routing.called_number import called_number
from appliance.routing.contact_policy import ROUTED
from appliance.routing.dial_plan import DialPlan
from appliance.routing.domain_routes import DomainRoute, DomainRoutes
from appliance.routing.enum_cache import EnumCache
from appliance.routing.gateways import Gateways
from appliance.routing.lookup_cache import LookupCache
from appliance.routing.private_networks import PrivateNetworks
from appliance.routing.route_conditions import RouteConditions
from appliance.routing.route_counts import RouteCounts
from appliance.routing.route_decision import RoutedCall, RouteDecision
from appliance.routing.route_lookups import RouteLookups
from appliance.routing.route_search import RouteSearch, RoutingRules
from appliance.routing.route_tables import RouteTables
from appliance.routing.targets import Target
from appliance.routing.translations import Translations
from appliance.sip.uri import Uri, written_user

if TYPE_CHECKING:
    from appliance.catalogue.settings import Settings


class CallRouter:
    """The policies and domains of one configuration, and the tables of the node. `counts`: of the entries followed."""

    __slots__ = (
        "_domains",
        "_gateways_of_tables",
        "_policies",
        "_rules",
        "_settings",
        "counts",
        "gateways",
        "private_networks",
    )

    def __init__(self, settings: Settings, enum: EnumCache, found: LookupCache) -> None:
        self._rules = RoutingRules(enum, found)
        self.gateways = Gateways()
        self._gateways_of_tables = Gateways()
        self.counts = RouteCounts(0)
        self.reconfigure(settings)

    def without_effects(self) -> CallRouter:
        """The same policies and tables, and nothing is counted here."""
        other = CallRouter.__new__(CallRouter)
        for name in CallRouter.__slots__:
            setattr(other, name, getattr(self, name))
        other.counts = RouteCounts(0)
        return other

    @property
    def translations(self) -> Translations:
        """Those of the configuration."""
        return self._rules.translations

    def reconfigure(self, settings: Settings) -> None:
        """Go by other settings."""
        self._settings = settings
        self.private_networks = PrivateNetworks(settings.listeners)
        self._rules.translations = Translations(settings.translations)
        self._rules.lookups = RouteLookups(settings.lookups)
        self._rules.conditions = RouteConditions(settings.conditions)
        self._rules.is_counting = settings.limits.route_counts_max > 0
        self.counts.limit = settings.limits.route_counts_max
        self.gateways.use(settings.domain_routes, self._rules.tables)
        self._gateways_of_tables.use((), self._rules.tables)
        self._domains = DomainRoutes(settings.domain_routes)
        policies = {each.name: RoutePolicy(each) for each in settings.route_policies}
        of_regions = {each.policy for each in settings.regions}
        self._rules.regions = {each.name: policies[each.policy].tables for each in settings.regions if each.policy}
        # Calls come to the policy of a region by rows, unless it has listeners or sources of its own.
        others = [policy for name, policy in policies.items() if name not in of_regions or not policy.is_for_all()]
        # The first one that fits is used: those for some sources, for some listeners, for all.
        self._policies = (*sorted(others, key=RoutePolicy.rank), RoutePolicy(RoutePolicySettings()))

    def policy_of(self, listener: str, address: str) -> RoutePolicy:
        """The policy for requests that come in by a listener from an address."""
        return next(policy for policy in self._policies if policy.fits(listener, address))

    def use(self, tables: RouteTables | None) -> None:
        """Go by other tables."""
        self._rules.tables = tables
        self.gateways.use(self._settings.domain_routes, tables)
        self._gateways_of_tables.use((), tables)

    def gateways_beside(self, host: bytes) -> Gateways:
        """The next hops that a URI of that host is not meant to lead to: not those of its own domain-route."""
        return self._gateways_of_tables if self._domains and self._domains.find(host) else self.gateways

    def decide_at_gateway(self, call: RoutedCall, policy: RoutePolicy) -> RouteDecision | None:
        """The decision for a number at the address or the name of a next hop; None for any other Request-URI."""
        return self.decide(call, policy) if self.gateways.has(call.uri) else None

    def decide_foreign(self, call: RoutedCall, policy: RoutePolicy) -> RouteDecision | None:
        """The decision for a Request-URI in a domain that is served elsewhere; None where DNS says where that is."""
        domain = self._domains.find(call.uri.host) if self._domains else None
        if domain is None:
            return None
        if domain.table:
            decision = self.decide(call, policy, (domain.table,))
            if decision is not None and (decision.status or decision.targets or decision.question):
                return decision
        return self._to_domain(call.uri, domain)

    def decide(self, call: RoutedCall, policy: RoutePolicy, only: tuple[str, ...] = ()) -> RouteDecision | None:
        """The decision for a Request-URI; None where it calls no number, or no table has a route for it.

        `only`: these tables, in place of those of the policy.
        """
        tables = self._rules.tables
        number = None if tables is None else called_number(call.uri)
        if tables is None or number is None:
            return None
        called, routed = policy.dial_plan.normal_form(number), policy.dial_plan.routing_form(number)
        if not called or not routed:
            return None
        search = RouteSearch(self._rules, tables, call, number, (called, routed))
        if any(search.follow(table) for table in only or policy.tables):
            return search.decision
        return search.failed()

    def _to_domain(self, uri: Uri, domain: DomainRoute) -> RouteDecision | None:
        """The request goes on by a Route to each next hop in turn (RFC 3261 16.6 step 7): as it is, or translated."""
        decision = RouteDecision()
        decision.steps.append(f"domain-route {domain.name}")
        if domain.translation:
            decision.steps.append(f"translation {domain.translation}")
            uri = self._translated(uri, domain.translation)
        for route in domain.routes:
            target = Target(uri, path=(route,), origin=ROUTED)
            target.translation = domain.translation
            decision.targets.append(target)
        return decision if decision.targets else None

    def _translated(self, uri: Uri, name: str) -> Uri:
        """The Request-URI after a translation; its number is changed where it calls one."""
        translation = self._rules.translations.find(name)
        # A domain names one of its own configuration.
        assert translation is not None
        number = called_number(uri)
        if number is not None and uri.is_sip:
            digits = translation.number(number.digits)
            if digits != number.digits:
                user = written_user(digits + number.parameters)
                uri = Uri(uri.scheme, user, uri.host, uri.port, uri.parameters)
        return translation.address(uri)


class RoutePolicy:
    """One policy of the configuration. Never changed."""

    __slots__ = ("_listeners", "_sources", "dial_plan", "tables")

    def __init__(self, settings: RoutePolicySettings) -> None:
        self._listeners = frozenset(settings.listeners)
        self._sources = Peers(settings.sources) if settings.sources else None
        self.tables = settings.tables or (DEFAULT_TABLE,)
        self.dial_plan = DialPlan(settings)

    def is_for_all(self) -> bool:
        """Is it for requests from anywhere, by whatever listener?"""
        return self._sources is None and not self._listeners

    def rank(self) -> tuple[bool, bool]:
        """Lower is looked at first: what is said of sources counts more than what is said of listeners."""
        return self._sources is None, not self._listeners

    def fits(self, listener: str, address: str) -> bool:
        """Is it for requests that come in by that listener from that address?"""
        if self._listeners and listener not in self._listeners:
            return False
        return self._sources is None or self._sources.has_address(address)
