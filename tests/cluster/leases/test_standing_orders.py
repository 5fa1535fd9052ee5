"""Orders of operators, given at one member: all hear of them, the newest hold, and who starts anew learns them."""

from __future__ import annotations

from appliance.cluster.leases.lease_machine import SWITCH_WITHIN_S, LeaseMachine
from appliance.cluster.leases.lease_orders import carry_out
from appliance.messages.standing_orders import StandingOrders
from tests.cluster.leases.simulated_cluster import SimulatedCluster
from tests.cluster.leases.test_lease_machine import ADDRESS, A, B, C, cluster, gap_s


class Process:
    """A member, as orders see it."""

    def __init__(self, world: SimulatedCluster, number: int) -> None:
        machine = world.members[number].machine
        assert machine is not None
        self.machine: LeaseMachine = machine

    def end(self) -> None: ...


def order(world: SimulatedCluster, number: int, **fields: object) -> str:
    """Give an order at a member; the reply."""
    reply = carry_out(fields, Process(world, number), world.members[number].now)
    world.members[number].step()
    return reply


def orders(world: SimulatedCluster, number: int) -> StandingOrders:
    return Process(world, number).machine.orders


def test_any_member_can_be_told_to_switch_an_address_over() -> None:
    world = cluster()
    assert order(world, C, order="switchover", address=ADDRESS, to=B) == ""
    assert gap_s(world) < 0.01
    assert world.owner(ADDRESS) == B
    # It was carried out once: who owns it next keeps it.
    world.run(1.0)
    assert order(world, C, order="switchover", address=ADDRESS, to=A) == ""
    world.run(1.0)
    assert world.owner(ADDRESS) == A


def test_an_order_waits_until_the_owner_hears_the_member_that_is_to_be_the_next_one() -> None:
    """It was accepted where it was given: there that member is heard."""
    world = cluster()
    world.network.cut = {(B, A)}
    world.run(0.3)
    assert order(world, C, order="switchover", address=ADDRESS, to=B) == ""
    world.run(0.3)
    assert world.owner(ADDRESS) == A
    world.network.cut = set()
    world.run(0.5)
    assert world.owner(ADDRESS) == B


def test_an_order_that_cannot_be_carried_out_is_dropped_after_some_seconds() -> None:
    world = cluster()
    world.network.cut = {(B, A)}
    world.run(0.3)
    assert order(world, C, order="switchover", address=ADDRESS, to=B) == ""
    world.run(SWITCH_WITHIN_S)
    world.network.cut = set()
    world.run(1.0)
    assert world.owner(ADDRESS) == A


def test_an_order_that_was_carried_out_moves_nothing_any_more() -> None:
    """Its new owner gives the address away: those who had heard of the order do not give it back."""
    world = cluster()
    assert order(world, C, order="switchover", address=ADDRESS, to=B) == ""
    world.run(0.2)
    assert order(world, B, order="switchover", address=ADDRESS, to=C) == ""
    world.run(0.2)
    assert world.owner(ADDRESS) == C
    world.run(SWITCH_WITHIN_S)
    assert world.owner(ADDRESS) == C


def test_a_switchover_without_a_possible_owner_is_refused_where_it_is_ordered() -> None:
    world = cluster(witnesses=(C,))
    assert order(world, B, order="switchover", address=ADDRESS, to=C) == "That node cannot take it now."
    assert order(world, B, order="switchover", address=ADDRESS, to=A) == "That node cannot take it now."
    assert order(world, B, order="switchover", address=9) == "There is no virtual address 9."


def test_a_node_is_drained_by_an_order_at_another_one() -> None:
    world = cluster()
    assert order(world, C, order="drain", on=True, member=A) == ""
    assert gap_s(world) < 0.01
    owner = world.owner(ADDRESS)
    world.members[owner].kill(has_guard=True)
    world.run(0.5)
    assert world.owner(ADDRESS) not in (A, owner)


def test_a_drained_node_that_starts_anew_is_drained_still() -> None:
    world = cluster()
    order(world, B, order="drain", on=True, member=A)
    gap_s(world)
    world.members[A].kill(has_guard=True)
    world.members[A].start()
    world.run(1.5)
    assert orders(world, A).drained == (A,)
    assert order(world, A, order="drain", on=False, member=A) == ""
    world.run(0.2)
    assert [orders(world, number).drained for number in (A, B, C)] == [()] * 3


def test_maintenance_is_for_all_and_the_newest_order_holds() -> None:
    world = cluster()
    order(world, B, order="maintenance", on=True, stamp=2_000_000)
    world.run(0.1)
    assert all(orders(world, number).is_maintained for number in (A, B, C))
    # By a clock that is behind: later all the same, for it has heard of the first one.
    order(world, C, order="maintenance", on=False, stamp=1_000)
    world.run(0.1)
    assert not any(orders(world, number).is_maintained for number in (A, B, C))


def test_orders_that_were_given_on_both_sides_of_a_partition_are_the_same_after_it() -> None:
    world = cluster()
    world.network.cut = {(A, B), (B, A), (A, C), (C, A)}
    order(world, A, order="drain", on=True, member=B, stamp=5_000)
    order(world, B, order="drain", on=True, member=C, stamp=4_000)
    world.run(0.5)
    world.network.cut = set()
    world.run(0.5)
    assert {orders(world, number).drained for number in (A, B, C)} == {(B,)}


def test_a_member_votes_for_addresses_that_it_does_not_know() -> None:
    """As a witness, or before it has the configuration that the others have."""
    world = cluster(witnesses=(C,))
    witness = Process(world, C).machine
    del witness.records[ADDRESS]
    world.run(1.0)
    assert witness.records[ADDRESS].promise.holder == A
    world.members[A].kill(has_guard=False)
    assert 0.55 < gap_s(world) < 0.75
    assert world.owner(ADDRESS) == B
