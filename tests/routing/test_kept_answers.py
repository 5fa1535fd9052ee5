"""Answers of DNS live as long as they say, within bounds, and outlive a DNS that is silent (RFC 8767)."""

from __future__ import annotations

from appliance.catalogue.dns_settings import DnsSettings
from appliance.catalogue.limit_settings import LimitSettings
from appliance.catalogue.settings import Settings
from appliance.routing.kept_answers import DUE_MAX, RECHECK_S, TTL_MIN_S, KeptAnswers

NAME = b"gate.example.net"
ADDRESSES = ("192.0.2.60", "192.0.2.61")


def answers(limit: int = 10, stale_s: int = 3600) -> KeptAnswers:
    return KeptAnswers(Settings(limits=LimitSettings(hosts_cached_max=limit), dns=DnsSettings(stale_s=stale_s)))


def test_a_name_is_unknown_until_it_is_answered_and_again_when_its_time_is_over() -> None:
    kept = answers()
    assert kept.find(NAME, 0.0) is None
    kept.store(NAME, ADDRESSES, 30.0, 0.0)
    assert kept.find(NAME, 29.9) == ADDRESSES
    assert kept.find(NAME, 30.0) is None


def test_that_there_is_nothing_is_known_as_well() -> None:
    kept = answers()
    kept.store(NAME, (), 30.0, 0.0)
    assert kept.find(NAME, 1.0) == ()


def test_no_ttl_is_too_short_and_none_is_too_long() -> None:
    """RFC 1035 3.2.1: 0 is allowed, and so are 68 years."""
    kept = answers()
    kept.store(NAME, ADDRESSES, 0.0, 0.0)
    assert kept.find(NAME, TTL_MIN_S - 0.1) == ADDRESSES and kept.find(NAME, TTL_MIN_S) is None
    kept.store(NAME, ADDRESSES, 2.0**31, 0.0)
    assert kept.find(NAME, 86399.0) == ADDRESSES and kept.find(NAME, 86400.0) is None


def test_the_oldest_answer_goes_at_the_limit_and_one_that_comes_again_takes_no_second_place() -> None:
    kept = answers(limit=2)
    for name in (b"one", b"two", b"one", b"three"):
        kept.store(name, ADDRESSES, 100.0, 0.0)
    assert len(kept) == 2
    assert [kept.find(name, 1.0) for name in (b"one", b"two", b"three")] == [ADDRESSES, None, ADDRESSES]


def test_what_is_in_use_is_asked_for_again_before_its_time_is_over_and_once() -> None:
    kept = answers()
    kept.store(NAME, ADDRESSES, 100.0, 0.0)
    kept.store(b"idle.example.net", ADDRESSES, 100.0, 0.0)
    assert kept.find(NAME, 89.0) == ADDRESSES and kept.take_due() == []
    assert kept.find(NAME, 90.0) == kept.find(NAME, 91.0) == ADDRESSES
    assert kept.take_due() == [NAME]
    assert kept.find(NAME, 92.0) == ADDRESSES and kept.take_due() == []


def test_a_dead_dns_keeps_what_was_known_for_so_long() -> None:
    kept = answers(stale_s=3600)
    kept.store(NAME, ADDRESSES, 100.0, 0.0)
    assert kept.find(NAME, 100.0) is None
    assert kept.outlive(NAME, 103.0) == ADDRESSES
    # No request waits for it any more, and it is asked for again from time to time.
    assert kept.find(NAME, 104.0) == ADDRESSES and kept.take_due() == []
    assert kept.find(NAME, 103.0 + RECHECK_S) == ADDRESSES and kept.take_due() == [NAME]
    assert kept.outlive(NAME, 140.0) == ADDRESSES
    assert kept.find(NAME, 3699.0) == ADDRESSES
    assert kept.find(NAME, 3700.0) is None and kept.outlive(NAME, 3700.0) is None


def test_a_busy_name_never_waits_for_a_dead_dns() -> None:
    kept = answers()
    kept.store(NAME, ADDRESSES, 100.0, 0.0)
    assert kept.find(NAME, 95.0) == ADDRESSES and kept.take_due() == [NAME]
    assert kept.outlive(NAME, 98.0) == ADDRESSES
    assert [kept.find(NAME, now) for now in (99.0, 100.0, 101.0)] == [ADDRESSES] * 3


def test_without_stale_answers_a_dead_dns_is_no_answer() -> None:
    kept = answers(stale_s=0)
    kept.store(NAME, ADDRESSES, 100.0, 0.0)
    assert kept.outlive(NAME, 100.0) is None


def test_an_answer_ends_the_bad_times() -> None:
    kept = answers()
    kept.store(NAME, ADDRESSES, 100.0, 0.0)
    kept.outlive(NAME, 100.0)
    kept.store(NAME, ("192.0.2.99",), 50.0, 110.0)
    assert kept.find(NAME, 120.0) == ("192.0.2.99",)
    assert kept.find(NAME, 160.0) is None


def test_so_many_are_asked_for_again_at_a_time() -> None:
    kept = answers(limit=1000)
    names = [b"host%d" % number for number in range(300)]
    for name in names:
        kept.store(name, ADDRESSES, 100.0, 0.0)
    for name in names:
        kept.find(name, 95.0)
    assert len(kept.take_due()) == DUE_MAX
    for name in names:
        kept.find(name, 96.0)
    assert len(kept.take_due()) == DUE_MAX


def test_all_are_forgotten() -> None:
    kept = answers()
    kept.store(NAME, ADDRESSES, 100.0, 0.0)
    kept.find(NAME, 95.0)
    assert kept.clear() == 1
    assert kept.find(NAME, 1.0) is None and kept.take_due() == []
