"""Digests of ranges, now and as they were: what two tables compare."""

from __future__ import annotations

from appliance.location.range_digests import RANGES, RECENT_SECONDS, Digests

SECOND = 1_700_000_000


def noted(*notes: tuple[int, int, int]) -> Digests:
    """(second, range, hash) of each record, noted when its second was now."""
    digests = Digests()
    for second, place, difference in notes:
        digests.note(second, place, difference, second)
    return digests


def test_one_different_record_is_told_and_its_range() -> None:
    one, other = noted((SECOND, 7, 0xA5), (SECOND, 8, 0x11)), noted((SECOND, 7, 0xA6), (SECOND, 8, 0x11))
    assert [place for place in range(RANGES) if one.now[place] != other.now[place]] == [7]


def test_the_order_of_records_does_not_matter_and_what_goes_leaves_nothing() -> None:
    assert noted((SECOND, 7, 1), (SECOND, 7, 2)).now == noted((SECOND, 7, 2), (SECOND, 7, 1)).now
    assert noted((SECOND, 7, 1), (SECOND + 1, 7, 1)).now == [0] * RANGES


def test_digests_can_be_had_as_they_were_seconds_ago() -> None:
    """Two tables that hear of different changes in the last seconds agree on what was before."""
    one, other = noted((SECOND, 7, 1), (SECOND + 4, 7, 2)), noted((SECOND, 7, 1), (SECOND + 5, 9, 3))
    assert one.now != other.now
    assert one.at(SECOND + 3) == other.at(SECOND + 3) == noted((SECOND, 7, 1)).now


def test_what_was_too_long_ago_cannot_be_known() -> None:
    digests = noted(*((SECOND + number, number, 1) for number in range(40)))
    assert digests.at(SECOND + 39 - RECENT_SECONDS) == []
    assert digests.at(SECOND + 30)


def test_a_record_dated_by_a_clock_that_is_wrong_does_not_hide_the_past() -> None:
    digests = noted((SECOND, 7, 1))
    digests.note(SECOND + 86_400, 9, 2, SECOND)
    assert digests.newest == SECOND
    assert digests.at(SECOND + 1) == digests.now


def test_what_was_dated_before_the_clock_was_set_back_cannot_be_taken_out() -> None:
    digests = noted((SECOND + 86_400, 7, 1))
    digests.set_back(SECOND)
    digests.note(SECOND + 1, 9, 2, SECOND + 1)
    assert digests.at(SECOND)[7] == 1 and digests.at(SECOND)[9] == 0
