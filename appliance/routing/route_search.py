"""One call on its way through the route tables (docs/routing.md).

It ends at a rejection, at the registrar, and where next hops and redirects would be mixed: what comes first decides.
"""

from __future__ import annotations

from typing import Final

from appliance.routing.called_number import CalledNumber
from appliance.routing.contact_policy import PUBLISHED, ROUTED
from appliance.routing.enum_cache import EnumCache
from appliance.routing.enum_rules import enum_domain, uris_of
from appliance.routing.lookup_cache import LookupCache
from appliance.routing.lookup_questions import FindEnum, FindRoutes, Question
from appliance.routing.lookup_results import FoundUri, read_result
from appliance.routing.route_conditions import RouteConditions
from appliance.routing.route_decision import RoutedCall, RouteDecision
from appliance.routing.route_entry import (
    ENUM,
    LOOKUP,
    NEXT_HOP,
    REDIRECT,
    REGION,
    REJECT,
    TABLE,
    RouteEntry,
    RouteFault,
)
from appliance.routing.route_lookups import RouteLookup, RouteLookups
from appliance.routing.route_order import in_order
from appliance.routing.route_tables import RouteMatch, RouteTables
from appliance.routing.targets import Q_MAX, Target
from appliance.routing.translations import Translation, Translations
from appliance.sip.fnv import fnv

# Next hops of one call, and tables that it passes.
HOPS_MAX: Final = 16
TABLES_MAX: Final = 32
CONDITION_MISSING: Final = 500, b"Condition Not Configured"
LOOKUP_FAILED: Final = 503, b"Number Lookup Failed"
LOOKUP_MISSING: Final = 500, b"Lookup Not Configured"
REGION_MISSING: Final = 500, b"Region Not Configured"
TOO_MANY_TABLES: Final = 500, b"Too Many Route Tables"
TRANSLATION_MISSING: Final = 500, b"Translation Not Configured"


class RoutingRules:
    """What a search goes by: the tables of the node, and what the configuration says beside them.

    `regions`: the tables by which each of them goes on. `is_counting`: entries that are followed are noted.
    """

    __slots__ = ("conditions", "enum", "found", "is_counting", "lookups", "regions", "tables", "translations")

    def __init__(self, enum: EnumCache, found: LookupCache) -> None:
        self.enum = enum
        self.found = found
        self.lookups = RouteLookups(())
        self.tables: RouteTables | None = None
        self.translations = Translations(())
        self.conditions = RouteConditions(())
        self.regions: dict[str, tuple[str, ...]] = {}
        self.is_counting = False


class RouteSearch:
    """The search for one number. `failure`: status and reason where something could not be known or done, and nothing
    else leads on.
    """

    __slots__ = (
        "_call",
        "_called",
        "_is_done",
        "_parameters",
        "_routed",
        "_rules",
        "_seed",
        "_tables",
        "_visits",
        "decision",
        "failure",
    )

    def __init__(
        self,
        rules: RoutingRules,
        tables: RouteTables,
        call: RoutedCall,
        number: CalledNumber,
        forms: tuple[bytes, bytes],
    ) -> None:
        """`forms`: the called number, and the one to route by, in normal form."""
        self._rules = rules
        self._tables = tables
        self._call = call
        self._called, self._routed = forms
        self._parameters = number.parameters
        self._seed = fnv(call.request.read_call_id())
        self._visits = 0
        self._is_done = False
        self.failure: tuple[int, bytes] | None = None
        self.decision = RouteDecision(call.answers)

    def failed(self) -> RouteDecision | None:
        """The decision where no table leads on: a rejection if something has failed, else None."""
        if self.failure is None:
            return None
        self.decision.status, self.decision.reason = self.failure
        return self.decision

    def follow(self, table: str) -> bool:
        """Gather what a table says; False where it says nothing. Circles were refused when the file was read."""
        self._visits += 1
        if self._visits > TABLES_MAX:
            # A lookup may name the table that it was asked from.
            return self._pass_over(TOO_MANY_TABLES, f"more than {TABLES_MAX} tables")
        match = self._tables.find(table, self._routed)
        has_found = False
        while match is not None:
            has_applied = False
            for entry in in_order(match.entries, self._seed):
                if self._is_done:
                    break
                if entry.condition and not self._applies(entry, match):
                    continue
                has_applied = True
                self.decision.steps.append(f"{match.prefix} in table {table}: {entry.action}")
                if self._rules.is_counting:
                    self.decision.entries.append((table, match.prefix, entry.action))
                has_found = self._is_of_use(entry) or has_found
            if has_applied or self._is_done:
                break
            # No entry of the prefix applies to this call: a shorter one decides.
            match = self._tables.shorter(match)
        return has_found

    def _applies(self, entry: RouteEntry, match: RouteMatch) -> bool:
        condition = self._rules.conditions.find(entry.condition)
        if condition is None:
            return self._pass_over(CONDITION_MISSING, f"there is no condition {entry.condition}")
        if condition.holds(self._call):
            return True
        passed = f"{match.prefix} in table {match.table}: {entry.action}"
        self.decision.steps.append(f"{passed} is passed over, as condition {entry.condition} does not hold")
        return False

    def _is_of_use(self, entry: RouteEntry) -> bool:
        if entry.kind == TABLE:
            return self.follow(entry.table)
        if entry.kind == REGION:
            return self._go_on_in(entry.region)
        translation = self._rules.translations.find(entry.translation) if entry.translation else None
        if entry.translation and translation is None:
            # Without it the next hop would get a call that it was not meant to get.
            return self._pass_over(TRANSLATION_MISSING, f"there is no translation {entry.translation}")
        if entry.kind == ENUM:
            return self._ask_enum(entry)
        return self._ask_lookup(entry, translation) if entry.kind == LOOKUP else self._take(entry, translation)

    def _go_on_in(self, region: str) -> bool:
        """The tables of its policy, in their order; the first one that leads on decides."""
        tables = self._rules.regions.get(region)
        if tables is None:
            return self._pass_over(REGION_MISSING, f"there is no region {region} with a policy")
        return any(self.follow(table) for table in tables)

    def _pass_over(self, failure: tuple[int, bytes], step: str) -> bool:
        self.failure = self.failure or failure
        self.decision.steps.append(step)
        return False

    def _take(self, entry: RouteEntry, translation: Translation | None, origin: int = ROUTED) -> bool:
        decision = self.decision
        if entry.kind not in (NEXT_HOP, REDIRECT):
            self._is_done = True
            if entry.kind == REJECT and not decision.targets:
                decision.status, decision.reason = entry.status, entry.reason
            return True
        number, is_redirect = entry.number_for(self._called), entry.kind == REDIRECT
        if translation is None:
            uri = entry.uri_for(number, self._parameters)
            return self._add(Target(uri, origin=origin), entry.translation, is_redirect)
        uri = translation.address(entry.uri_for(translation.number(number), self._parameters))
        path: tuple[bytes, ...] = ()
        if translation.has_host and entry.kind == NEXT_HOP:
            path = (entry.route(),)
        return self._add(Target(uri, path=path, origin=origin), entry.translation, is_redirect)

    def _ask_enum(self, entry: RouteEntry) -> bool:
        """RFC 6116: the SIP URIs of the routed number; where it has none, the next entry or table decides."""
        decision = self.decision
        domain = enum_domain(self._routed, entry.suffix)
        if not domain or decision.is_redirect:
            return False
        question = FindEnum(domain)
        records = self._known(question, self._rules.enum.find(domain, self._call.now))
        if records is None:
            return self._is_done
        uris = uris_of(self._routed, records)
        for uri in uris:
            # A tree that is trusted says what a row says.
            self._add(Target(uri, origin=ROUTED if entry.is_trusted else PUBLISHED), entry.translation, False)
        return bool(uris)

    def _known(self, question: Question, kept: tuple[str, ...] | None) -> tuple[str, ...] | None:
        """What is known; None where it has to be asked first, and all is done, or where it cannot be known.

        That is not "no": without another way the call is answered 503.
        """
        answers = self.decision.answers
        known = answers.get(question, kept)
        if known is None and question in answers:
            self.failure = self.failure or LOOKUP_FAILED
        elif known is None:
            self.decision.question = question
            self._is_done = True
        return known

    def _ask_lookup(self, entry: RouteEntry, translation: Translation | None) -> bool:
        """What a lookup has found decides as rows would; where it has found nothing, the next entry or table."""
        lookup = self._rules.lookups.find(entry.lookup)
        if lookup is None:
            return self._pass_over(LOOKUP_MISSING, f"there is no lookup {entry.lookup}")
        question = lookup.question(self._call, self._routed)
        found = self._known(question, self._rules.found.find(question, self._call.now))
        if found is None:
            return self._is_done or self._has_failed(lookup, question)
        is_of_use = False
        for text in found:
            if self._is_done:
                break
            self.decision.steps.append(f"found by lookup {entry.lookup}: {text}")
            is_of_use = self._follow_found(text, entry, lookup, translation) or is_of_use
        return is_of_use

    def _has_failed(self, lookup: RouteLookup, question: FindRoutes) -> bool:
        self.decision.steps.append(f"lookup {question.lookup.decode()} does not answer")
        if lookup.is_required and not self.decision.targets:
            self.decision.status, self.decision.reason = LOOKUP_FAILED
        self._is_done = self._is_done or lookup.is_required
        return lookup.is_required

    def _follow_found(
        self, text: str, entry: RouteEntry, lookup: RouteLookup, translation: Translation | None
    ) -> bool:
        try:
            result = read_result(text, lookup.is_trusted, entry.translation)
        except RouteFault as fault:
            # What it means cannot be known.
            return self._pass_over(LOOKUP_FAILED, f"not used: {fault.problem}")
        # What is trusted says what a row says.
        origin = ROUTED if lookup.is_trusted else PUBLISHED
        if isinstance(result, FoundUri):
            return self._add(Target(result.uri, origin=origin), entry.translation, result.is_redirect)
        if result.kind == TABLE:
            return self.follow(result.table)
        return self._take(result, translation, origin)

    def _add(self, target: Target, translation: str, is_redirect: bool) -> bool:
        decision = self.decision
        if len(decision.targets) >= HOPS_MAX:
            return True
        if decision.targets and decision.is_redirect != is_redirect:
            self._is_done = True
            return True
        decision.is_redirect = is_redirect
        target.q = Q_MAX - len(decision.targets)
        target.translation = translation
        decision.targets.append(target)
        self._is_done = len(decision.targets) >= HOPS_MAX
        return True
