"""When the members may change again: the rule alone. A member is dead, cut off from etcd, or has not heard yet."""

from __future__ import annotations

from itertools import combinations

import pytest

from appliance.cluster.coordination.key_store import Entry
from appliance.cluster.coordination.versions_in_force import VersionsInForce, version_in

NAMES = {number: f"sip{number}" for number in range(1, 8)}


def names(*numbers: int) -> dict[int, str]:
    return {number: NAMES[number] for number in numbers}


def test_the_first_version_has_none_before_it() -> None:
    assert VersionsInForce().refusal(1, names(1), {}) == ""


def test_a_majority_of_either_version_is_enough() -> None:
    three, four = names(1, 2, 3), names(1, 2, 3, 4)
    assert not VersionsInForce({1: 2, 2: 2}).refusal(2, four, three)
    assert not VersionsInForce({1: 2, 3: 2, 4: 2}).refusal(2, four, three)
    assert VersionsInForce({1: 2, 4: 2}).refusal(2, four, three).startswith("sip2 and sip3 may still go by version 1")
    # The version before may be unknown: written by an older Signalbox.
    assert VersionsInForce({1: 2, 2: 2}).refusal(2, four, {})


def test_who_runs_and_lags_is_named_first() -> None:
    known = VersionsInForce({1: 2, 2: 1}, frozenset({1, 2, 3}))
    assert "version 2, is not in force on sip2 and sip3 yet" in known.refusal(2, names(1, 2, 3), names(1, 2))


def test_what_cannot_be_understood_is_no_version() -> None:
    octets = (b"", b"x", b"-1", b"1.5", "\u00b2".encode(), b"9" * 4000)
    assert [version_in(Entry("key", value, 1, 1)) for value in octets] == [0] * len(octets)
    assert (version_in(None), version_in(Entry("key", b"12", 1, 1))) == (0, 12)


@pytest.mark.parametrize("count", range(1, 7))
@pytest.mark.parametrize("is_joining", [True, False])
def test_whenever_a_change_may_be_made_the_version_before_has_no_majority_left(count: int, is_joining: bool) -> None:
    """All sets of members that have taken the present version."""
    before = names(*range(1, count + 1))
    present = names(*range(1, count + 2)) if is_joining else names(*range(1, count))
    known_names = {**before, **present}
    for size in range(len(known_names) + 1):
        for taken in combinations(known_names, size):
            known = VersionsInForce(dict.fromkeys(taken, 2))
            if present and not known.refusal(2, present, before):
                left = before.keys() - {*taken}
                assert len(left) <= len(before) // 2
