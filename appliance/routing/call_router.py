"""Where a call to a telephone number goes: policy, dial plan, route tables (docs/routing.md).

What comes out is one decision: next hops in the order in which they are tried, a redirect, a rejection, or nothing, and
then the called address is looked up as any other one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from appliance.catalogue.peers import Peers
from appliance.catalogue.routing_settings import DEFAULT_TABLE, RoutePolicySettings
from appliance.routing.called_number import called_number
from appliance.routing.contact_policy import PUBLISHED, ROUTED
from appliance.routing.dial_plan import DialPlan
from appliance.routing.domain_routes import DomainRoute, DomainRoutes
from appliance.routing.enum_cache import EnumCache
from appliance.routing.enum_rules import enum_domain, uris_of
from appliance.routing.gateways import Gateways
from appliance.routing.lookup_questions import FindEnum
from appliance.routing.route_entry import ENUM, NEXT_HOP, REDIRECT, REJECT, TABLE, RouteEntry
from appliance.routing.route_order import in_order
from appliance.routing.route_tables import RouteTables
from appliance.routing.targets import Q_MAX, Target
from appliance.sip.fnv import fnv
from appliance.sip.uri import Uri

if TYPE_CHECKING:
    from appliance.catalogue.settings import Settings

Answers = dict[bytes, tuple[str, ...] | None]
# Next hops of one call, and tables that it passes.
HOPS_MAX: Final = 16
TABLES_MAX: Final = 32


class RouteDecision:
    """What the route tables say of one call.

    `targets`   next hops, or the contacts of a redirect where `is_redirect`, in their order.
    `status`    that of a rejection, 0 for none; with its `reason`.
    `steps`     the rules that were passed, as operators read them.
    `question`  what has to be known first; nothing else is decided then.
    `answers`   what is known so far: NAPTR records by ENUM domain, None where DNS could not say.
    """

    __slots__ = ("answers", "is_redirect", "question", "reason", "status", "steps", "targets")

    def __init__(self, answers: Answers | None = None) -> None:
        self.answers: Answers = {} if answers is None else answers
        self.question: FindEnum | None = None
        self.targets: list[Target] = []
        self.is_redirect = False
        self.status = 0
        self.reason = b""
        self.steps: list[str] = []


class CallRouter:
    """The policies and domains of one configuration, and the tables of the node."""

    __slots__ = ("_domains", "_enum", "_policies", "_settings", "gateways", "tables")

    def __init__(self, settings: Settings, enum: EnumCache) -> None:
        self._enum = enum
        self.gateways = Gateways()
        self.tables: RouteTables | None = None
        self.reconfigure(settings)

    def reconfigure(self, settings: Settings) -> None:
        """Go by other settings."""
        self._settings = settings
        self.gateways.use(settings.domain_routes, self.tables)
        self._domains = DomainRoutes(settings.domain_routes)
        policies = [RoutePolicy(each) for each in settings.route_policies]
        # The first one that fits is used: those for some sources, for some listeners, for all.
        self._policies = (*sorted(policies, key=RoutePolicy.rank), RoutePolicy(RoutePolicySettings()))

    def policy_of(self, listener: str, address: str) -> RoutePolicy:
        """The policy for requests that come in by a listener from an address."""
        return next(policy for policy in self._policies if policy.fits(listener, address))

    def use(self, tables: RouteTables | None) -> None:
        """Go by other tables."""
        self.tables = tables
        self.gateways.use(self._settings.domain_routes, tables)

    def decide_foreign(
        self, uri: Uri, policy: RoutePolicy, call_id: bytes, now: float, answers: Answers
    ) -> RouteDecision | None:
        """The decision for a Request-URI in a domain that is served elsewhere; None where DNS says where that is."""
        domain = self._domains.find(uri.host) if self._domains else None
        if domain is None:
            return None
        if domain.table:
            decision = self.decide(uri, policy, call_id, now, answers, (domain.table,))
            if decision is not None and (decision.status or decision.targets or decision.question):
                return decision
        return _to_domain(uri, domain)

    def decide(
        self, uri: Uri, policy: RoutePolicy, call_id: bytes, now: float, answers: Answers, only: tuple[str, ...] = ()
    ) -> RouteDecision | None:
        """The decision for a Request-URI; None where it calls no number, or no table has a route for it.

        `answers`: what DNS has said for this call; it is asked for no more. `only`: these tables, in place of those of
        the policy.
        """
        tables = self.tables
        number = None if tables is None else called_number(uri)
        if tables is None or number is None:
            return None
        called, routed = policy.dial_plan.normal_form(number), policy.dial_plan.routing_form(number)
        if not called or not routed:
            return None
        search = _Search(tables, called, routed, number.parameters, fnv(call_id), self._enum, answers, now)
        if any(search.follow(table) for table in only or policy.tables):
            return search.decision
        return search.failure() if search.has_failed else None


def _to_domain(uri: Uri, domain: DomainRoute) -> RouteDecision | None:
    """The request goes on as it is, by a Route to each next hop in turn (RFC 3261 16.6 step 7)."""
    decision = RouteDecision()
    decision.steps.append(f"domain-route {domain.name}")
    decision.targets = [Target(uri, path=(route,), origin=ROUTED) for route in domain.routes]
    return decision if decision.targets else None


class RoutePolicy:
    """One policy of the configuration. Never changed."""

    __slots__ = ("_listeners", "_sources", "dial_plan", "tables")

    def __init__(self, settings: RoutePolicySettings) -> None:
        self._listeners = frozenset(settings.listeners)
        self._sources = Peers(settings.sources) if settings.sources else None
        self.tables = settings.tables or (DEFAULT_TABLE,)
        self.dial_plan = DialPlan(settings)

    def rank(self) -> tuple[bool, bool]:
        """Lower is looked at first: what is said of sources counts more than what is said of listeners."""
        return self._sources is None, not self._listeners

    def fits(self, listener: str, address: str) -> bool:
        """Is it for requests that come in by that listener from that address?"""
        if self._listeners and listener not in self._listeners:
            return False
        return self._sources is None or self._sources.has_address(address)


class _Search:
    """One call on its way through the tables. It ends at a rejection, at the registrar, and where next hops and
    redirects would be mixed: what comes first decides.
    """

    __slots__ = (
        "_cache",
        "_called",
        "_is_done",
        "_now",
        "_parameters",
        "_routed",
        "_seed",
        "_tables",
        "_visits",
        "decision",
        "has_failed",
    )

    def __init__(
        self,
        tables: RouteTables,
        called: bytes,
        routed: bytes,
        parameters: bytes,
        seed: int,
        cache: EnumCache,
        answers: Answers,
        now: float,
    ) -> None:
        self._tables = tables
        self._called = called
        self._routed = routed
        self._parameters = parameters
        self._seed = seed
        self._visits = 0
        self._is_done = False
        self._cache = cache
        self._now = now
        self.has_failed = False
        self.decision = RouteDecision(answers)

    def failure(self) -> RouteDecision:
        """The decision where a look-up failed and nothing else leads on."""
        self.decision.status, self.decision.reason = 503, b"Number Lookup Failed"
        return self.decision

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
            has_found = self._is_of_use(entry) or has_found
        return has_found

    def _is_of_use(self, entry: RouteEntry) -> bool:
        if entry.kind == TABLE:
            return self.follow(entry.table)
        return self._ask_enum(entry) if entry.kind == ENUM else self._take(entry)

    def _take(self, entry: RouteEntry) -> bool:
        decision = self.decision
        if entry.kind not in (NEXT_HOP, REDIRECT):
            self._is_done = True
            if entry.kind == REJECT and not decision.targets:
                decision.status, decision.reason = entry.status, entry.reason
            return True
        is_redirect = entry.kind == REDIRECT
        return self._add(entry.uri_for(self._called, self._parameters), is_redirect, ROUTED)

    def _ask_enum(self, entry: RouteEntry) -> bool:
        """RFC 6116: the SIP URIs of the routed number; where it has none, the next entry or table decides."""
        decision = self.decision
        domain = enum_domain(self._routed, entry.suffix)
        if not domain or decision.is_redirect:
            return False
        records = decision.answers[domain] if domain in decision.answers else self._cache.find(domain, self._now)
        if records is None:
            if domain not in decision.answers:
                decision.question = FindEnum(domain)
                self._is_done = True
                return True
            # It cannot be known, which is not "no": without another way the call is answered 503.
            self.has_failed = True
            return False
        uris = uris_of(self._routed, records)
        for uri in uris:
            # A tree that is trusted says what a row says.
            self._add(uri, False, ROUTED if entry.is_trusted else PUBLISHED)
        return bool(uris)

    def _add(self, uri: Uri, is_redirect: bool, origin: int) -> bool:
        decision = self.decision
        if len(decision.targets) >= HOPS_MAX:
            return True
        if decision.targets and decision.is_redirect != is_redirect:
            self._is_done = True
            return True
        decision.is_redirect = is_redirect
        q = Q_MAX - len(decision.targets)
        decision.targets.append(Target(uri, q, origin=origin))
        self._is_done = len(decision.targets) >= HOPS_MAX
        return True
