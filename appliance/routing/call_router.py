"""Where a call to a telephone number goes: policy, dial plan, route tables (docs/routing.md).

What comes out is one decision: next hops in the order in which they are tried, a redirect, a rejection, or nothing, and
then the called address is looked up as any other one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from appliance.catalogue.routing_settings import DEFAULT_TABLE, RoutePolicySettings
from appliance.routing.called_number import called_number
from appliance.routing.contact_policy import ROUTED
from appliance.routing.dial_plan import DialPlan
from appliance.routing.domain_routes import DomainRoute, DomainRoutes
from appliance.routing.route_entry import NEXT_HOP, REDIRECT, REJECT, TABLE, RouteEntry
from appliance.routing.route_order import in_order
from appliance.routing.route_tables import RouteTables
from appliance.routing.targets import Q_MAX, Target
from appliance.sip.fnv import fnv
from appliance.sip.uri import Uri

if TYPE_CHECKING:
    from appliance.catalogue.settings import Settings

# Next hops of one call, and tables that it passes.
HOPS_MAX: Final = 16
TABLES_MAX: Final = 32


class RouteDecision:
    """What the route tables say of one call.

    `targets`   next hops, or the contacts of a redirect where `is_redirect`, in their order.
    `status`    that of a rejection, 0 for none; with its `reason`.
    `steps`     the rules that were passed, as operators read them.
    """

    __slots__ = ("is_redirect", "reason", "status", "steps", "targets")

    def __init__(self) -> None:
        self.targets: list[Target] = []
        self.is_redirect = False
        self.status = 0
        self.reason = b""
        self.steps: list[str] = []


class CallRouter:
    """The policies and domains of one configuration, and the tables of the node."""

    __slots__ = ("_by_listener", "_domains", "_other", "tables")

    def __init__(self, settings: Settings) -> None:
        self.tables: RouteTables | None = None
        self.reconfigure(settings)

    def reconfigure(self, settings: Settings) -> None:
        """Go by other settings."""
        policies = settings.route_policies
        self._domains = DomainRoutes(settings.domain_routes)
        self._other = _Policy(RoutePolicySettings())
        self._by_listener: dict[str, _Policy] = {}
        for each in policies:
            policy = _Policy(each)
            if not each.listeners:
                self._other = policy
            for listener in each.listeners:
                self._by_listener[listener] = policy

    def use(self, tables: RouteTables | None) -> None:
        """Go by other tables."""
        self.tables = tables

    def decide_foreign(self, uri: Uri, listener: str, call_id: bytes) -> RouteDecision | None:
        """The decision for a Request-URI in a domain that is served elsewhere; None where DNS says where that is."""
        domain = self._domains.find(uri.host) if self._domains else None
        if domain is None:
            return None
        if domain.table:
            decision = self.decide(uri, listener, call_id, (domain.table,))
            if decision is not None and (decision.status or decision.targets):
                return decision
        return _to_domain(uri, domain)

    def decide(
        self, uri: Uri, listener: str, call_id: bytes, only: tuple[str, ...] = ()
    ) -> RouteDecision | None:
        """The decision for a Request-URI; None where it calls no number, or no table has a route for it.

        `only`: these tables, in place of those of the policy.
        """
        tables = self.tables
        number = None if tables is None else called_number(uri)
        if tables is None or number is None:
            return None
        policy = self._by_listener.get(listener, self._other)
        called, routed = policy.dial_plan.normal_form(number), policy.dial_plan.routing_form(number)
        if not called or not routed:
            return None
        search = _Search(tables, called, routed, number.parameters, fnv(call_id))
        return search.decision if any(search.follow(table) for table in only or policy.tables) else None


def _to_domain(uri: Uri, domain: DomainRoute) -> RouteDecision | None:
    """The request goes on as it is, by a Route to each next hop in turn (RFC 3261 16.6 step 7)."""
    decision = RouteDecision()
    decision.steps.append(f"domain-route {domain.name}")
    decision.targets = [Target(uri, path=(route,), origin=ROUTED) for route in domain.routes]
    return decision if decision.targets else None


class _Policy:
    __slots__ = ("dial_plan", "tables")

    def __init__(self, settings: RoutePolicySettings) -> None:
        self.tables = settings.tables or (DEFAULT_TABLE,)
        self.dial_plan = DialPlan(settings)


class _Search:
    """One call on its way through the tables. It ends at a rejection, at the registrar, and where next hops and
    redirects would be mixed: what comes first decides.
    """

    __slots__ = ("_called", "_is_done", "_parameters", "_routed", "_seed", "_tables", "_visits", "decision")

    def __init__(self, tables: RouteTables, called: bytes, routed: bytes, parameters: bytes, seed: int) -> None:
        self._tables = tables
        self._called = called
        self._routed = routed
        self._parameters = parameters
        self._seed = seed
        self._visits = 0
        self._is_done = False
        self.decision = RouteDecision()

    def follow(self, table: str) -> bool:
        """Gather what a table says; False where it says nothing. Circles were refused when the file was read."""
        self._visits += 1
        match = self._tables.find(table, self._routed)
        if match is None or self._visits > TABLES_MAX:
            return False
        has_found = False
        for entry in in_order(match.entries, self._seed):
            if self._is_done:
                break
            self.decision.steps.append(f"{match.prefix} in table {table}: {entry.action}")
            has_found = (self.follow(entry.table) if entry.kind == TABLE else self._take(entry)) or has_found
        return has_found

    def _take(self, entry: RouteEntry) -> bool:
        decision = self.decision
        if entry.kind not in (NEXT_HOP, REDIRECT):
            self._is_done = True
            if entry.kind == REJECT and not decision.targets:
                decision.status, decision.reason = entry.status, entry.reason
            return True
        is_redirect = entry.kind == REDIRECT
        if decision.targets and decision.is_redirect != is_redirect:
            self._is_done = True
            return True
        decision.is_redirect = is_redirect
        q = Q_MAX - len(decision.targets)
        uri = entry.uri_for(self._called, self._parameters)
        decision.targets.append(Target(uri, q, origin=ROUTED))
        self._is_done = len(decision.targets) >= HOPS_MAX
        return True
