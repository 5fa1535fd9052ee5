"""Rules between the settings of routing: what is named is there, and is one section's only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from appliance.catalogue.contradiction import Contradiction


def routing_contradictions(settings: Any) -> Iterator[Contradiction]:
    """Those between sections."""
    yield from _policies(settings)
    yield from _domain_routes(settings)
    yield from _translations(settings)
    yield from _regions(settings)
    yield from _owners(settings)
    yield from _operators(settings)


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
