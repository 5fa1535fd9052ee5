"""The order of servers is that of RFC 2782, and the same for each message of a call."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import permutations

import pytest

from appliance.routing.server_records import SrvRecord
from appliance.routing.srv_order import in_order
from appliance.sip.siphash import SipHash

CHOICE = SipHash(b"0123456789abcdef")
CALLS = 20000


def records(*weights: int, priority: int = 1) -> list[SrvRecord]:
    return [SrvRecord(priority, weight, 5060, b"host%d.example.com" % place) for place, weight in enumerate(weights)]


def probability(order: tuple[SrvRecord, ...]) -> Fraction:
    """Of this order by RFC 2782: one number from 0 to the sum inclusive for each server that is chosen."""
    result, waiting = Fraction(1), sorted(order, key=lambda record: (record.weight, record.target))
    for record in order:
        before = sum(other.weight for other in waiting[: waiting.index(record)])
        numbers = record.weight if waiting.index(record) else record.weight + 1
        # Those above the running sum before it, up to its own; the first one has 0 as well.
        earlier = bool(waiting.index(record)) and before == 0 and record.weight == 0
        result *= Fraction(0 if earlier else numbers, sum(other.weight for other in waiting) + 1)
        waiting.remove(record)
    return result


@pytest.mark.parametrize("weights", [(1, 2), (60, 20, 20), (0, 10), (5, 5, 5, 5), (0, 0, 1), (1, 1000)])
def test_each_order_is_as_frequent_as_the_rfc_says(weights: tuple[int, ...]) -> None:
    servers = records(*weights)
    counts = Counter(tuple(in_order(servers, CHOICE.of(b"call-%d" % call))) for call in range(CALLS))
    expected = {order: probability(order) for order in permutations(servers)}
    assert sum(expected.values()) == 1
    for order, share in expected.items():
        mean = float(share) * CALLS
        deviation = (mean * (1 - float(share))) ** 0.5
        # The calls are always the same, so the test always ends in the same way.
        assert abs(counts[order] - mean) <= 5 * deviation, (order, counts[order], mean)


def test_priorities_come_first() -> None:
    servers = [*records(0, priority=20), *records(1, 9, priority=10), *records(65535, priority=30)]
    for call in range(50):
        assert [record.priority for record in in_order(servers, CHOICE.of(b"%d" % call))] == [10, 10, 20, 30]


def test_one_call_has_one_order() -> None:
    """RFC 3263 4.4."""
    servers = records(5, 5, 5, 5)
    orders = {tuple(in_order(turned, CHOICE.of(b"call"))) for turned in (servers, sorted(servers, key=hash))}
    assert len(orders) == 1


def test_no_server_is_lost_or_doubled() -> None:
    servers = [*records(0, 0, 7), *records(1, priority=2)]
    for call in range(50):
        assert sorted(in_order(servers, call), key=hash) == sorted(servers, key=hash)
