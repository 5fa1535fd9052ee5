"""The requests that were refused because their look-up failed: how long, and how many (RFC 3261 8.2.7, 17.2.1)."""

from __future__ import annotations

from appliance.catalogue.counters import COUNTERS, FAILED_LOOKUPS_FORGOTTEN
from appliance.proxy.failed_lookups import FailedLookups
from appliance.proxy.stage_results import Reply

REFUSAL = Reply(503, is_stateless=True)


def table(limit: int = 3) -> tuple[FailedLookups, list[int]]:
    counters = [0] * len(COUNTERS)
    return FailedLookups(counters, limit), counters


def test_a_refusal_is_given_again_until_its_time_is_over() -> None:
    failed, _ = table()
    failed.remember(b"a", REFUSAL, 1000.0, 32.0)
    assert failed.refusal_of(b"a", 1031.9) is REFUSAL
    assert failed.refusal_of(b"b", 1031.9) is None
    assert failed.refusal_of(b"a", 1032.0) is None


def test_the_oldest_goes_where_there_is_no_room_and_that_is_counted() -> None:
    failed, counters = table()
    for key in (b"a", b"b", b"c", b"d"):
        failed.remember(key, REFUSAL, 1000.0, 32.0)
    assert [failed.refusal_of(key, 1000.0) for key in (b"a", b"b", b"d")] == [None, REFUSAL, REFUSAL]
    assert counters[FAILED_LOOKUPS_FORGOTTEN] == 1


def test_what_is_over_makes_room_and_is_not_counted() -> None:
    failed, counters = table()
    for key in (b"a", b"b", b"c"):
        failed.remember(key, REFUSAL, 1000.0, 32.0)
    failed.remember(b"d", REFUSAL, 1032.0, 32.0)
    assert len(failed) == 1
    assert counters[FAILED_LOOKUPS_FORGOTTEN] == 0
