"""Token buckets and the shares of workers: arithmetic."""

from __future__ import annotations

import pytest

from appliance.catalogue.limit_settings import RateLimitSettings
from appliance.catalogue.overload_settings import OverloadSettings
from appliance.catalogue.settings import Settings
from appliance.overload import rate_limits
from appliance.overload.default_rate_limits import rate_limits_of
from appliance.overload.rate_limits import RateLimits
from appliance.supervisor.rate_allocation import RateAllocator, dealt

LIMIT = RateLimitSettings(name="a", rate_per_s=100, burst=10)


def offer(limits: RateLimits, key: str, rate: int, seconds: float, begin: float = 0.0) -> int:
    """How many of a steady stream are let in."""
    (limit,) = limits.of_requests
    times = [begin + number / rate for number in range(int(rate * seconds))]
    return sum(limit.admits(key, limits.part, now) for now in times)


def test_what_is_within_the_rate_passes() -> None:
    assert offer(RateLimits((LIMIT,)), "192.0.2.1", 90, 10) == 900


def test_beyond_it_the_rate_and_one_burst_pass() -> None:
    assert 1000 <= offer(RateLimits((LIMIT,)), "192.0.2.1", 300, 10) <= 1010


def test_a_burst_passes_after_a_pause() -> None:
    limits = RateLimits((LIMIT,))
    (limit,) = limits.of_requests
    assert [limit.admits("a", 1.0, 1.0) for _ in range(12)] == [True] * 10 + [False] * 2
    assert sum(limit.admits("a", 1.0, 60.0) for _ in range(12)) == 10


def test_each_key_has_a_bucket_of_its_own() -> None:
    limits = RateLimits((LIMIT,))
    offer(limits, "192.0.2.1", 300, 10)
    assert offer(limits, "192.0.2.2", 90, 1, begin=10.0) == 90


def test_a_worker_has_its_part_until_shares_are_dealt() -> None:
    limits = RateLimits((LIMIT,))
    limits.part = 0.25
    assert 245 <= offer(limits, "a", 300, 10) <= 255
    limits.receive_shares({"a": {"a": 80.0}})
    assert 790 <= offer(limits, "a", 300, 10, begin=10.0) <= 820
    limits.receive_shares({})
    assert 245 <= offer(limits, "a", 300, 10, begin=20.0) <= 260


def test_the_keys_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "KEYS_MAX", 3)
    limits = RateLimits((LIMIT,))
    (limit,) = limits.of_requests
    for key in "abcad":
        limit.admits(key, 1.0, 0.0)
    assert list(limit.buckets) == ["c", "a", "d"], "the one that was silent for the longest went"


def test_a_change_of_the_rate_keeps_the_buckets() -> None:
    limits = RateLimits((LIMIT,))
    offer(limits, "a", 300, 1)
    faster = RateLimitSettings(name="a", rate_per_s=200, burst=10)
    limits.reconfigure((faster,))
    assert 195 <= offer(limits, "a", 300, 1, begin=1.0) <= 205
    limits.reconfigure(())
    assert limits.rows() == []


def test_demand_is_told_once() -> None:
    limits = RateLimits((LIMIT,))
    offer(limits, "a", 20, 1)
    assert limits.take_demand() == {"a": {"a": [20, 0]}}
    assert limits.take_demand() == {}


def test_those_with_the_most_demand_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "REPORTED_MAX", 1)
    limits = RateLimits((LIMIT,))
    for key in ("few", "many", "few", "many", "many"):
        limits.of_requests[0].admits(key, 1.0, 0.0)
    assert limits.take_demand() == {"a": {"many": [3, 0]}}
    limits.of_requests[0].admits("few", 1.0, 0.0)
    assert limits.take_demand() == {"a": {"few": [1, 0]}}


# -- those that are built in -------------------------------------------------------------------------


def test_without_a_configuration_requests_and_registrations_of_a_source_are_limited() -> None:
    requests, registrations = rate_limits_of(Settings())
    assert (requests.name, requests.of, requests.per, requests.action) == (
        "default-requests", "requests", "source", "refuse",
    )  # fmt: skip
    assert (registrations.name, registrations.of) == ("default-registrations", "registrations")
    # An office of 1,000 phones that starts after a power cut is registered within half a minute.
    assert registrations.rate_per_s * 30 >= 2 * 1000


def test_a_built_in_limit_can_be_changed_removed_and_replaced() -> None:
    overload = OverloadSettings(requests_per_source=7, registrations_per_source=0)
    (requests,) = rate_limits_of(Settings(overload=overload))
    assert (requests.name, requests.rate_per_s) == ("default-requests", 7)
    own = RateLimitSettings(name="default-requests", rate_per_s=1)
    assert rate_limits_of(Settings(overload=overload, rate_limits=(own,))) == (own,)


# -- the supervisor's side ---------------------------------------------------------------------------


@pytest.mark.parametrize("demands", [{}, {0: 5.0}, {0: 1.0, 1: 99.0, 2: 0.0}, {0: 3.0, 1: 3.0, 2: 3.0}])
def test_the_shares_add_up_to_the_rate(demands: dict[int, float]) -> None:
    shares = dealt(100.0, demands, [0, 1, 2])
    assert sum(shares.values()) == pytest.approx(100.0)
    assert all(share > 0 for share in shares.values())


def test_shares_follow_the_demand() -> None:
    dealer = RateAllocator()
    for _ in range(5):
        dealer.told(0, {"a": {"k": [150, 100]}}, 1.0)
        dealer.told(1, {"a": {"k": [50, 10]}}, 1.0)
    shares = dealer.shares((LIMIT,), [0, 1])
    assert shares[0]["a"]["k"] == pytest.approx(75, abs=1.5)
    assert shares[0]["a"]["k"] + shares[1]["a"]["k"] == pytest.approx(100.0)


def test_demand_that_has_moved_is_followed_within_a_few_reports() -> None:
    dealer = RateAllocator()
    dealer.told(0, {"a": {"k": [150, 100]}}, 1.0)
    for _ in range(6):
        dealer.told(0, {}, 2.0)
        dealer.told(1, {"a": {"k": [150, 100]}}, 2.0)
    assert dealer.shares((LIMIT,), [0, 1])[1]["a"]["k"] > 97


def test_the_alarm_stands_while_the_limit_is_exceeded() -> None:
    dealer = RateAllocator()
    assert not list(dealer.conditions((LIMIT,), 10.0))
    dealer.told(0, {"a": {"k": [150, 100]}}, 10.0)
    (condition,) = dealer.conditions((LIMIT,), 11.0)
    assert (condition.name, condition.subject) == ("rate-limit-acting", "rate-limit a")
    assert not list(dealer.conditions((LIMIT,), 20.0))
