"""Rules between the settings of routing: what is named is there, and is one section's only."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import Any, Final

from appliance.catalogue.contradiction import Contradiction

# Of a condition, and of all of them: a worker goes through them once a day, on a call's time.
WINDOWS_MAX: Final = 100
ALL_WINDOWS_MAX: Final = 1000


def routing_contradictions(settings: Any) -> Iterator[Contradiction]:
    """Those between sections."""
    yield from _policies(settings)
    yield from _domain_routes(settings)
    yield from _translations(settings)
    yield from _regions(settings)
    yield from _owners(settings)
    yield from _operators(settings)
    yield from _windows_of_all(settings)


def condition_contradictions(settings: Any) -> Iterator[Contradiction]:
    """Those of one section `condition`."""
    if _count_windows(settings) > WINDOWS_MAX:
        inner = "times" if len(settings.times) > WINDOWS_MAX else "exceptions"
        problem = f"condition {settings.name} has more than {WINDOWS_MAX} lines `time` and `except`"
        remedy = "delete those that are over, and write one with a rule, such as FREQ=YEARLY, for those that come again"
        place = WINDOWS_MAX - (len(settings.times) if inner == "exceptions" else 0)
        yield Contradiction((inner,), problem, remedy, place)


def _policies(settings: Any) -> Iterator[Contradiction]:
    """Each listener has one route policy for all sources at most, and those without a listener are for all others.

    A policy of a region without listeners and sources is for calls that rows send to the region.
    """
    owners: dict[str, str] = {}
    of_regions = {region.policy for region in settings.regions}
    for place, policy in enumerate(settings.route_policies):
        if policy.sources or (policy.name in of_regions and not policy.listeners):
            continue
        for listener in policy.listeners or ("",):
            owner = owners.setdefault(listener, policy.name)
            if owner != policy.name:
                which = f"listener {listener}" if listener else "the listeners without another one"
                problem = f"route policy {owner} is for {which}, too"
                yield Contradiction(("route_policies",), problem, "leave one of the two", place, "listeners")


def _domain_routes(settings: Any) -> Iterator[Contradiction]:
    """A domain is served here or elsewhere, and has one route."""
    owners: dict[str, str] = dict.fromkeys(settings.domains, "")
    for place, route in enumerate(settings.domain_routes):
        for domain in (route.name, *route.aliases):
            owner = owners.setdefault(domain, route.name)
            if owner != route.name:
                where = f"domain-route {owner}" if owner else "a domain of this appliance"
                yield Contradiction(("domain_routes",), f"{domain} is already {where}", "delete one of them", place)


def _translations(settings: Any) -> Iterator[Contradiction]:
    known = {each.name for each in settings.translations}
    for place, route in enumerate(settings.domain_routes):
        if route.translation and route.translation not in known:
            problem = f"domain-route {route.name}: there is no translation {route.translation}"
            remedy = f"add a section `translation {route.translation}`"
            yield Contradiction(("domain_routes", "translations"), problem, remedy, place, "translation")


def _regions(settings: Any) -> Iterator[Contradiction]:
    known = {each.name for each in settings.route_policies}
    for place, region in enumerate(settings.regions):
        if region.policy and region.policy not in known:
            problem = f"region {region.name}: there is no route policy {region.policy}"
            remedy = f"add a section `route-policy {region.policy}`"
            yield Contradiction(("regions", "route_policies"), problem, remedy, place, "policy")


def _owners(settings: Any) -> Iterator[Contradiction]:
    """A table, or a section, belongs to one region."""
    owners: dict[str, str] = {}
    for place, region in enumerate(settings.regions):
        for inner, things in (("tables", [f"table {each}" for each in region.tables]), ("sections", region.sections)):
            for thing in things:
                owner = owners.setdefault(thing, region.name)
                if owner != region.name:
                    problem = f"{thing} belongs to region {owner}, too"
                    yield Contradiction(("regions",), problem, "leave it to one of the two", place, inner)


def _operators(settings: Any) -> Iterator[Contradiction]:
    known = {each.name for each in settings.regions}
    for place, operator in enumerate(settings.operators):
        if operator.region and operator.region not in known:
            problem = f"operator {operator.name}: there is no region {operator.region}"
            remedy = f"add a section `region {operator.region}`"
            yield Contradiction(("operators", "regions"), problem, remedy, place, "region")


def _windows_of_all(settings: Any) -> Iterator[Contradiction]:
    for place, count in enumerate(accumulate(map(_count_windows, settings.conditions))):
        if count > ALL_WINDOWS_MAX:
            problem = f"all conditions together have more than {ALL_WINDOWS_MAX} lines `time` and `except`"
            remedy = "delete conditions that no row names, or windows that are over"
            yield Contradiction(("conditions",), problem, remedy, place)
            return


def _count_windows(condition: Any) -> int:
    return len(condition.times) + len(condition.exceptions)
