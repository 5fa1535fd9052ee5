"""The members of a cluster change, each member hears of it at its own time, and no address loses its owner by that."""

from __future__ import annotations

import pytest

from appliance.messages.lease_settings import LeaseSettings
from appliance.messages.membership import Member, Membership, VirtualAddress
from tests.cluster.leases.simulated_cluster import ETCD, PRESENT_S, SimulatedCluster

ADDRESS = 1
A, B, C, D = 1, 2, 3, 4
SETTINGS = LeaseSettings(former_ms=2_000)


def cluster(members: int) -> SimulatedCluster:
    """Member 1 owns the address."""
    all_members = tuple(Member(n, f"node-{n}") for n in range(1, members + 1))
    address = VirtualAddress(ADDRESS, "sip", tuple(range(1, members + 1)))
    world = SimulatedCluster(7, Membership(1, all_members), (address,), SETTINGS)
    world.start(spread_s=0.0)
    world.run(1.5)
    assert world.owner(ADDRESS) == A
    return world


def run_with(world: SimulatedCluster, owner: int, seconds: float) -> None:
    """That member owns the address all along."""
    for _ in range(round(seconds * 500)):
        world.run(0.002)
        assert world.owner(ADDRESS) == owner, world.story()


def until_owned_by(world: SimulatedCluster, owner: int, within_s: float) -> float:
    """How long it takes."""
    begun = world.schedule.now
    while world.owner(ADDRESS) != owner:
        world.run(0.001)
        assert world.schedule.now - begun < within_s, world.story()
    return world.schedule.now - begun


def test_two_become_three_before_the_third_one_runs() -> None:
    world = cluster(2)
    world.join(is_witness=False, starts_after_s=1.0)
    for member in (B, A):
        world.members[member].hear_of_members()
        run_with(world, A, 0.9)
    run_with(world, A, 2.0)
    # The third one votes.
    world.members[A].kill(has_guard=False)
    until_owned_by(world, B, 1.0)


def test_three_become_two() -> None:
    world = cluster(3)
    world.remove(C)
    for member in (A, B, C):
        world.members[member].hear_of_members()
        run_with(world, A, 0.9)
    assert world.members[C].machine is None


def test_one_joins_and_one_is_removed_and_each_member_hears_of_both_at_its_own_time() -> None:
    world = cluster(3)
    world.join(is_witness=False, starts_after_s=0.0)
    for member in (C, A, B):
        world.members[member].hear_of_members()
        run_with(world, A, 0.9)
    world.remove(B)
    for member in (D, B, A, C):
        world.members[member].hear_of_members()
        run_with(world, A, 0.9)


def test_an_owner_that_is_removed_is_replaced_and_is_acknowledged_no_more() -> None:
    world = cluster(3)
    world.remove(A)
    for member in (B, C):
        world.members[member].hear_of_members()
    # It has not heard of it.
    assert 0.55 < until_owned_by(world, B, 1.0) < 0.75
    world.run(1.0)
    world.members[A].hear_of_members()
    run_with(world, B, 1.0)


def test_an_owner_that_does_not_hear_of_the_change_is_acknowledged_for_a_while() -> None:
    world = cluster(3)
    world.join(is_witness=False, starts_after_s=0.0)
    for member in (B, C):
        world.members[member].hear_of_members()
    run_with(world, A, SETTINGS.former_ms / 1000)
    until_owned_by(world, B, 1.0)
    world.members[A].hear_of_members()
    run_with(world, B, 2.0)


def test_an_owner_that_has_missed_a_version_is_not_acknowledged() -> None:
    world = cluster(3)
    world.join(is_witness=False, starts_after_s=0.0)
    for member in (B, C):
        world.members[member].hear_of_members()
    run_with(world, A, 1.0)
    world.remove(D)
    for member in (B, C):
        world.members[member].hear_of_members()
    assert 0.55 < until_owned_by(world, B, 1.0) < 0.75
    # It starts anew.
    world.members[A].hear_of_members()
    run_with(world, B, 2.0)


def test_one_that_is_left_alone_and_starts_anew_has_forgotten_a_promise() -> None:
    world = cluster(2)
    world.remove(B)
    left = world.members[A]
    left.kill(has_guard=False)
    left.membership = world.membership
    left.start()
    assert left.machine is not None and left.machine.is_silent(left.now)
    until_owned_by(world, A, 1.0)


def cut_off_from_etcd() -> SimulatedCluster:
    """Of three members, a and b hear of nothing; c hears that d joins."""
    world = cluster(3)
    world.network.cut |= {(A, ETCD), (B, ETCD)}
    world.run(PRESENT_S + 0.1)
    world.join(is_witness=False, starts_after_s=0.0)
    for member in (A, B, C):
        world.members[member].hear_of_members()
    run_with(world, A, SETTINGS.former_ms / 1000 + 1.5)
    return world


def test_the_members_do_not_change_twice_while_a_majority_of_the_first_ones_is_not_heard() -> None:
    """They are not present in etcd: that they are dead cannot be known."""
    world = cut_off_from_etcd()
    assert world.refusal().startswith("node-1 and node-2 may still go by version 1")
    assert world.refusal(gone=A).startswith("node-1 and node-2")
    # One of them is heard again.
    world.network.cut.remove((B, ETCD))
    run_with(world, A, 0.5)
    assert world.members[B].membership.version == 2
    world.run(SETTINGS.former_ms / 1000 + SETTINGS.promise_s + 0.2)
    assert not world.refusal()
    # a has not heard of it yet, and can be the owner no more.
    assert world.owner(ADDRESS) not in (0, A)


def test_else_two_members_would_own_the_address() -> None:
    """What the rule is for: two of the three, and three of the five."""
    world = cut_off_from_etcd()
    world.join(is_witness=False, starts_after_s=0.0)
    world.members[C].hear_of_members()
    world.members[D].hear_of_members()
    with pytest.raises(AssertionError, match=r"address 1: \[1, \d\] answer"):
        world.run(5.0)


def test_a_member_that_runs_and_has_missed_a_change_is_waited_for() -> None:
    world = cluster(4)
    world.members[C].freeze(1.0)
    world.join(is_witness=False, starts_after_s=0.0)
    for member in (A, B, C, D):
        world.members[member].hear_of_members()
    run_with(world, A, 0.1)
    assert "is not in force on node-1, node-2, node-3, node-4" in world.refusal()
    run_with(world, A, 1.5 + SETTINGS.former_ms / 1000 + SETTINGS.promise_s)
    assert not world.refusal()
