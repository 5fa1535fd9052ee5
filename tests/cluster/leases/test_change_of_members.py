"""The members of a cluster change, each member hears of it at its own time, and no address loses its owner by that."""

from __future__ import annotations

from appliance.messages.lease_settings import LeaseSettings
from appliance.messages.membership import Member, Membership, VirtualAddress
from tests.cluster.leases.simulated_cluster import SimulatedCluster

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
