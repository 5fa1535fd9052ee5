"""Members that own addresses by the quorum lease: one failure each, on a network that is good but for it."""

from __future__ import annotations

import pytest

from appliance.messages.lease_settings import LeaseSettings
from appliance.messages.membership import Member, Membership, VirtualAddress
from appliance.messages.standing_orders import StandingOrders
from tests.cluster.leases.simulated_cluster import SimulatedCluster

ADDRESS = 1
A, B, C = 1, 2, 3


def cluster(members: int = 3, witnesses: tuple[int, ...] = (), preempt: bool = False) -> SimulatedCluster:
    """Member 1 is preferred, then 2, and so on; the first owner is 1."""
    all_members = tuple(Member(n, f"node-{n}", is_witness=n in witnesses) for n in range(1, members + 1))
    nodes = tuple(n for n in range(1, members + 1) if n not in witnesses)
    address = VirtualAddress(ADDRESS, "sip", nodes, preempt=preempt)
    settings = LeaseSettings(preempt_ms=1_000)
    world = SimulatedCluster(7, Membership(1, all_members), (address,), settings)
    world.start(spread_s=0.0)
    world.run(1.5)
    assert world.owner(ADDRESS) == A
    return world


def gap_s(world: SimulatedCluster, within_s: float = 3.0) -> float:
    """Until an address has an owner that is not the one that failed."""
    begun = world.schedule.now
    while not world.owner(ADDRESS) or world.owner(ADDRESS) == A:
        world.run(0.001)
        assert world.schedule.now - begun < within_s, world.story()
    return world.schedule.now - begun


@pytest.mark.parametrize("members", [3, 5, 7])
def test_a_dead_owner_is_replaced_when_its_lease_and_the_margin_are_over(members: int) -> None:
    world = cluster(members)
    world.members[A].kill(has_guard=False)
    assert 0.55 < gap_s(world) < 0.75
    assert world.owner(ADDRESS) == B


def test_a_guard_makes_it_a_matter_of_milliseconds() -> None:
    world = cluster()
    world.members[A].kill(has_guard=True)
    assert gap_s(world) < 0.01


def test_a_member_whose_guard_does_not_wait_yet_takes_no_address() -> None:
    """Its death would cost the lease; an owner keeps what it has."""
    world = cluster()
    for member in (A, B):
        machine = world.members[member].machine
        assert machine is not None
        machine.is_guarded = False
    world.run(1.0)
    assert world.owner(ADDRESS) == A
    world.members[A].kill(has_guard=True)
    gap_s(world)
    assert world.owner(ADDRESS) == C


def test_a_frozen_owner_is_silent_before_another_one_speaks() -> None:
    world = cluster()
    world.members[A].freeze(2.0)
    assert 0.55 < gap_s(world) < 0.75
    world.run(3.0)
    assert world.owner(ADDRESS) == B


def test_an_owner_that_is_cut_off_gives_up() -> None:
    world = cluster()
    world.network.cut = {(A, B), (B, A), (A, C), (C, A)}
    assert 0.55 < gap_s(world) < 0.75


def test_an_owner_that_is_not_answered_gives_up_and_is_replaced_at_once() -> None:
    world = cluster()
    world.network.cut = {(B, A), (C, A)}
    assert gap_s(world) < 0.65


def test_a_member_that_alone_does_not_hear_the_owner_changes_nothing() -> None:
    world = cluster()
    world.network.cut = {(A, C)}
    world.run(3.0)
    world.network.cut = set()
    world.run(1.0)
    assert [change.owner for _, change in world.changes] == [A]
    assert {member.machine.records[ADDRESS].promise.epoch for member in world.members.values() if member.machine} == {1}


def test_an_owner_remains_when_a_claim_that_failed_has_used_a_higher_epoch() -> None:
    world = cluster()
    machine = world.members[C].machine
    assert machine is not None
    machine.records[ADDRESS].claim(C, 2, world.members[C].now)
    world.run(1.0)
    # C can acknowledge it again: A is not lost when B is.
    world.members[B].kill(has_guard=False)
    world.run(2.0)
    assert [change.owner for _, change in world.changes] == [A]
    assert machine.records[ADDRESS].promise.holder == A


def test_an_owner_remains_and_is_acknowledged_when_a_claim_at_its_own_epoch_was_withdrawn() -> None:
    """Two claim at the same epoch; the one that is outvoted has no promise left to give at that epoch."""
    world = cluster()
    machine = world.members[C].machine
    assert machine is not None
    machine.records[ADDRESS].claim(C, 1, world.members[C].now)
    world.run(1.0)
    world.members[B].kill(has_guard=False)
    world.run(2.0)
    assert [change.owner for _, change in world.changes] == [A]
    assert machine.records[ADDRESS].promise.holder == A


def test_a_member_that_starts_anew_has_forgotten_its_promises_and_is_silent() -> None:
    world = cluster()
    world.network.cut = {(A, C), (C, A)}
    world.run(1.0)
    # B alone acknowledges A. It starts anew, and is asked by C, which hears no owner.
    world.network.cut |= {(A, B), (B, A)}
    world.members[B].kill(has_guard=False)
    world.members[B].start()
    assert gap_s(world) > 0.6


def test_a_switchover_takes_no_longer_than_a_few_messages() -> None:
    world = cluster()
    machine = world.members[A].machine
    assert machine is not None
    assert machine.switch_over(ADDRESS, C, world.members[A].now) == ""
    world.members[A].step()
    assert gap_s(world) < 0.01
    assert world.owner(ADDRESS) == C


def test_a_switchover_is_refused_with_a_reason() -> None:
    world = cluster(witnesses=(C,))
    a, b = world.members[A], world.members[B]
    assert a.machine is not None and b.machine is not None
    assert "does not own" in b.machine.switch_over(ADDRESS, A, b.now)
    assert "cannot take" in a.machine.switch_over(ADDRESS, C, a.now)
    assert "no virtual address" in a.machine.switch_over(9, B, a.now)


def test_a_drained_node_gives_its_address_away_and_takes_none() -> None:
    world = cluster()
    machine = world.members[A].machine
    assert machine is not None
    machine.is_leaving = True
    assert gap_s(world) < 0.05
    world.members[B].kill(has_guard=True)
    world.run(0.5)
    assert world.owner(ADDRESS) == C


def test_a_drained_node_keeps_what_no_other_can_take() -> None:
    world = cluster(witnesses=(B, C))
    machine = world.members[A].machine
    assert machine is not None
    machine.is_leaving = True
    world.run(1.0)
    assert world.owner(ADDRESS) == A


def test_in_maintenance_a_node_takes_nothing_by_itself_but_by_order() -> None:
    world = cluster()
    for member in world.members.values():
        assert member.machine is not None
        member.machine.orders = StandingOrders(1, is_maintained=True)
    machine = world.members[A].machine
    assert machine is not None
    machine.switch_over(ADDRESS, B, world.members[A].now)
    world.members[A].step()
    assert gap_s(world) < 0.01
    world.members[B].kill(has_guard=True)
    world.run(2.0)
    assert world.owner(ADDRESS) == 0


def test_a_witness_votes_and_never_owns() -> None:
    world = cluster(witnesses=(C,))
    world.members[A].kill(has_guard=False)
    assert 0.55 < gap_s(world) < 0.75
    world.members[B].kill(has_guard=True)
    world.run(2.0)
    assert world.owner(ADDRESS) == 0


def test_a_preferred_node_gets_the_address_back_when_it_has_been_there_for_a_while() -> None:
    world = cluster(preempt=True)
    world.members[A].kill(has_guard=True)
    world.run(0.5)
    world.members[A].start()
    world.run(1.0)
    assert world.owner(ADDRESS) == B
    world.run(2.0)
    assert world.owner(ADDRESS) == A


def test_without_preempt_it_stays_where_it_is() -> None:
    world = cluster()
    world.members[A].kill(has_guard=True)
    world.run(0.5)
    world.members[A].start()
    world.run(4.0)
    assert world.owner(ADDRESS) == B


def test_an_address_that_another_machine_has_is_not_taken() -> None:
    world = cluster()
    for number in (B, C):
        machine = world.members[number].machine
        assert machine is not None
        machine.set_elsewhere(ADDRESS, True)
    world.members[A].kill(has_guard=True)
    world.run(1.0)
    assert world.owner(ADDRESS) == 0


def test_a_clock_that_jumps_costs_a_moment_and_no_take_over() -> None:
    world = cluster()
    member = world.members[A]
    assert member.machine is not None
    member._perform(member.machine.clocks_jumped(member.now))
    member.step()
    assert world.owner(ADDRESS) == 0
    world.run(0.01)
    assert world.owner(ADDRESS) == A
    assert len(world.changes) == 1


def test_a_machine_that_stood_still_finds_that_it_owns_nothing() -> None:
    world = cluster()
    world.members[A].pause(2.0)
    world.run(3.0)
    assert world.owners(ADDRESS) == [B]


def test_a_cluster_of_one_owns_its_addresses_at_once() -> None:
    world = SimulatedCluster(
        1, Membership(1, (Member(A, "alone"),)), (VirtualAddress(ADDRESS, "sip", (A,)),), LeaseSettings()
    )
    world.start(spread_s=0.0)
    world.run(0.1)
    assert world.owner(ADDRESS) == A
