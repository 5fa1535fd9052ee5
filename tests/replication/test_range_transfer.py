"""Ranges on their way: a few are asked for at a time, and given in messages of bounded size (design 4)."""

from __future__ import annotations

from appliance.messages.bus_messages import RangeRecords
from appliance.replication.range_transfer import (
    PORTION,
    PORTION_OCTETS,
    PULL_RANGES,
    PULL_TIMEOUT_S,
    RANGES,
    Portions,
    Pull,
    portions_of,
)


def test_the_next_ranges_are_asked_for_when_those_before_have_come_whole() -> None:
    pull = Pull(3, list(range(PULL_RANGES + 1)), 0.0)
    asked = pull.next_ranges()
    assert len(asked) == PULL_RANGES
    for place in asked:
        assert pull.next_ranges() == []
        pull.portion_arrived(place, False, 0.0)
        assert pull.next_ranges() == []
        pull.portion_arrived(place, True, 0.0)
    assert not pull.is_over
    (last,) = pull.next_ranges()
    assert {*asked, last} == set(range(PULL_RANGES + 1))
    pull.portion_arrived(last, True, 0.0)
    assert pull.is_over


def test_every_portion_gives_a_pull_more_time() -> None:
    pull = Pull(3, [1], 0.0)
    assert pull.give_up_at == PULL_TIMEOUT_S
    pull.portion_arrived(1, False, 1.5)
    assert pull.give_up_at == 1.5 + PULL_TIMEOUT_S


def test_a_range_is_given_in_messages_of_bounded_size_and_the_last_one_says_so() -> None:
    records = [b"%d" % number for number in range(PORTION + 1)]
    assert list(portions_of(7, records)) == [
        RangeRecords(7, records[:PORTION], False),
        RangeRecords(7, records[PORTION:], True),
    ]
    large = [b"x" * PORTION_OCTETS, b"y"]
    assert list(portions_of(7, large)) == [RangeRecords(7, large[:1], False), RangeRecords(7, large[1:], True)]
    assert list(portions_of(7, [])) == [RangeRecords(7, [], True)]


def test_what_is_asked_for_is_given_in_that_order_and_once() -> None:
    portions = Portions(lambda place: [b"of %d" % place])
    portions.request([5, 2, 5, RANGES, -1])
    portions.request([2, 9])
    given = []
    while portions:
        given.append(portions.next())
    assert given == [RangeRecords(place, [b"of %d" % place], True) for place in (5, 2, 9)]


def test_a_range_that_is_asked_for_again_is_read_again() -> None:
    """Whoever asks again lacks something still."""
    portions = Portions(lambda place: [b"%d" % place] * (PORTION + 1))
    portions.request([1])
    assert [portions.next().last, portions.next().last] == [False, True]
    portions.request([1])
    assert len(portions) == 1
    assert [portions.next().last, portions.next().last] == [False, True]
