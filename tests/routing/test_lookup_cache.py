"""Answers of lookups are kept for their time, and as many as the lookup allows."""

from __future__ import annotations

from dataclasses import replace

from appliance.catalogue.lookup_settings import LookupSettings
from appliance.catalogue.settings import Settings
from appliance.routing.lookup_cache import LookupCache
from appliance.routing.lookup_questions import FindRoutes, RoutesAnswer

LOOKUP = LookupSettings("a", servers=("http://127.0.0.1/{number}",), cached_max=2, found_s=60, missing_s=30)
NOW = 1000.0


def question(number: str, lookup: str = "a") -> FindRoutes:
    return FindRoutes(lookup.encode(), number.encode())


def cache_with(*numbers: str) -> LookupCache:
    cache = LookupCache(Settings(lookups=(LOOKUP,)))
    for number in numbers:
        cache.keep(question(number), RoutesAnswer(1, ("sip:gw",), False), NOW)
    return cache


def test_what_was_found_and_what_was_not_have_their_times() -> None:
    cache = cache_with("1")
    cache.keep(question("2"), RoutesAnswer(2, (), False), NOW)
    assert cache.find(question("1"), NOW + 59) == ("sip:gw",)
    assert cache.find(question("2"), NOW + 29) == ()
    assert cache.find(question("2"), NOW + 30) is None
    assert cache.find(question("1"), NOW + 60) is None
    assert len(cache) == 0
    assert cache.figures() == {"a": (0, 2)}


def test_the_oldest_gives_way() -> None:
    cache = cache_with("1", "2", "3")
    assert [cache.find(question(number), NOW) for number in "123"] == [None, ("sip:gw",), ("sip:gw",)]


def test_callers_and_domains_that_matter_are_told_apart() -> None:
    cache = cache_with("1")
    assert cache.find(FindRoutes(b"a", b"1", b"2"), NOW) is None
    assert cache.find(FindRoutes(b"a", b"1", b"", b"example.com"), NOW) is None


def test_another_lookup_of_that_name_begins_anew() -> None:
    cache = cache_with("1")
    cache.reconfigure(Settings(lookups=(LOOKUP,)))
    assert cache.find(question("1"), NOW) == ("sip:gw",)
    cache.reconfigure(Settings(lookups=(replace(LOOKUP, timeout_ms=700),)))
    assert cache.find(question("1"), NOW) is None
    cache.reconfigure(Settings())
    cache.keep(question("1"), RoutesAnswer(1, ("sip:gw",), False), NOW)
    assert len(cache) == 0


def test_nothing_is_kept_where_nothing_may() -> None:
    cache = LookupCache(Settings(lookups=(replace(LOOKUP, cached_max=0),)))
    cache.keep(question("1"), RoutesAnswer(1, ("sip:gw",), False), NOW)
    assert len(cache) == 0
