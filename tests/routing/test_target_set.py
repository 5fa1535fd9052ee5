"""What to try next of the targets of one request (RFC 3261 16.5 to 16.7, RFC 5393 5, RFC 5626 7)."""

from __future__ import annotations

import pytest

from appliance.routing.target_set import SearchPolicy, TargetSet
from appliance.routing.targets import Target
from appliance.sip.uri import parse_uri

BY_Q = SearchPolicy("by-q", 20, 20.0)


def target(name: str, q: int = 1000, spares: tuple[Target, ...] = ()) -> Target:
    made = Target(parse_uri(b"sip:%s@192.0.2.4" % name.encode()), q)
    made.spares = spares
    return made


def opened(
    targets: list[Target], breadth: int = 60, policy: SearchPolicy = BY_Q, is_spiral: bool = False
) -> TargetSet:
    found = TargetSet(targets, policy, breadth, is_spiral)
    assert found.open()
    return found


def names(group: list[Target]) -> list[tuple[str, int]]:
    """Who is tried, and with which Max-Breadth."""
    return [((member.uri.user or b"").decode(), member.breadth) for member in group]


def test_a_group_has_the_whole_breadth_that_the_one_before_it_gave_back() -> None:
    """RFC 5393 5.3.3.1."""
    targets = opened([target("a", 900), target("b", 500), target("c", 900)], 7)
    assert names(targets.next_group()) == [("a", 3), ("c", 4)]
    assert names(targets.next_group()) == [("b", 7)]
    assert targets.next_group() == []


def test_a_spiral_shares_its_breadth_out_once() -> None:
    """RFC 5393 5.3.3 lets a proxy distribute it; in all, not only at a time, a spiral becomes no more than that."""
    targets = opened([target("a", 900), target("b", 500)], 7, is_spiral=True)
    assert names(targets.next_group()) == [("a", 3)]
    assert names(targets.next_group()) == [("b", 4)]


@pytest.mark.parametrize(
    ("fork", "qs", "breadth", "is_spiral", "suffices"),
    [
        ("by-q", [900, 900], 2, False, True),
        ("by-q", [900, 900], 1, False, False),
        ("by-q", [900, 500, 500], 1, False, False),
        ("by-q", [900, 500], 1, False, True),
        ("by-q", [900, 500], 1, True, False),
        ("parallel", [900, 500], 1, False, False),
        ("sequential", [900, 900], 1, False, True),
        ("sequential", [900, 900], 1, True, False),
    ],
)
def test_a_breadth_that_does_not_suffice(
    fork: str, qs: list[int], breadth: int, is_spiral: bool, suffices: bool
) -> None:
    """RFC 5393 5.3.3: with 1 it can be forked serially only."""
    members = [target(f"t{at}", q) for at, q in enumerate(qs)]
    targets = TargetSet(members, SearchPolicy(fork, 20, 0.0), breadth, is_spiral)
    assert targets.open() is suffices
    assert targets.is_closed is not suffices
    if not suffices:
        assert targets.next_group() == []


def test_targets_are_bounded_from_the_first_on() -> None:
    """RFC 5393 5: those beyond `proxy targets` are left out, and none is added."""
    targets = opened([target("a"), target("b"), target("c")], policy=SearchPolicy("by-q", 2, 0.0))
    assert not targets.add(target("d"), target("a"))
    assert [name for name, _ in names(targets.next_group())] == ["a", "b"]


def test_each_uri_is_tried_once() -> None:
    """RFC 3261 16.7 step 4."""
    targets = opened([target("a")])
    (first,) = targets.next_group()
    assert targets.has_had(target("a")) and not targets.has_had(target("b"))
    assert targets.add(target("b"), first)
    assert targets.has_had(target("b"))
    assert names(targets.next_group()) == [("b", 60)]
    assert targets.has_had(target("b"))


def test_as_many_are_added_as_there_is_breadth_for_at_a_time() -> None:
    """RFC 5393 5.3.3: contacts of one q would be tried together, those of another q after them."""
    targets = opened([target("a")], 2)
    (first,) = targets.next_group()
    assert [targets.add(target(f"b{at}", 500), first) for at in range(3)] == [True, True, False]
    assert targets.add(target("c", 300), first)
    assert names(targets.next_group()) == [("b0", 1), ("b1", 1)]
    assert names(targets.next_group()) == [("c", 2)]


def test_what_a_spiral_adds_has_its_part_of_the_branch_that_led_to_it() -> None:
    targets = opened([target("a", 900), target("b", 500)], 4, is_spiral=True)
    (first,) = targets.next_group()
    assert [targets.add(target(f"c{at}", 100), first) for at in range(3)] == [True, True, False]
    assert names(targets.next_group()) == [("b", 2)]
    (second, third) = targets.next_group()
    assert (second.breadth, third.breadth) == (1, 1)
    assert targets.add(target("d"), second) and not targets.add(target("e"), second)


@pytest.mark.parametrize(
    ("status", "is_received", "is_tried"),
    [
        (408, True, True),
        (408, False, True),
        (430, True, True),
        (503, False, True),
        (503, True, False),
        (486, True, False),
    ],
)
def test_a_spare_replaces_a_target_whose_flow_has_failed(status: int, is_received: bool, is_tried: bool) -> None:
    """RFC 5626 7, RFC 5627 6.1."""
    targets = opened([target("a", spares=(target("b"), target("c")))])
    (first,) = targets.next_group()
    spare = targets.after_failure(first, status, is_received)
    assert (spare is not None) is is_tried
    if spare is None:
        return
    assert names([spare]) == [("b", 60)]
    assert targets.has_had(target("b"))
    last = targets.after_failure(spare, status, is_received)
    assert last is not None and names([last]) == [("c", 60)]
    assert targets.after_failure(last, status, is_received) is None


def test_nothing_is_tried_after_the_end() -> None:
    """RFC 3261 16.7 step 5, 16.10: a 2xx, a 6xx or a CANCEL has come."""
    targets = opened([target("a", spares=(target("b"),)), target("c", 500)])
    (first,) = targets.next_group()
    targets.close()
    assert targets.after_failure(first, 408, True) is None
    assert not targets.add(target("d"), first)
    assert targets.next_group() == []
    assert targets.group_time() == 0.0


def test_a_group_has_its_time_while_there_is_another_one() -> None:
    targets = opened([target("a"), target("b", 500)])
    targets.next_group()
    assert targets.group_time() == 20.0
    targets.next_group()
    assert targets.group_time() == 0.0


def test_another_worker_goes_on_with_it() -> None:
    first = opened([target("a"), target("b", 500)])
    (tried,) = first.next_group()
    second = TargetSet([], BY_Q, 60, is_spiral=False)
    second.resume(first.waiting, first.known, first.is_closed)
    assert not second.has_had(target("c")) and second.has_had(tried)
    assert names(second.next_group()) == [("b", 60)]
