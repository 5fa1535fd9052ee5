"""Registrations of several nodes: what one makes, all have; nothing that was answered is lost."""

from __future__ import annotations

import pytest

from appliance.catalogue.counters import REPLICATION_RECORDS_SENT
from appliance.cluster.replication.log_sender import LOG_STEP
from appliance.cluster.replication.registrations import SEEN_S
from appliance.location.binding import Binding
from appliance.location.record_transfer import part_made_by
from tests.cluster.replication.replicated_nodes import DOWN_S, LASTS_S, Network
from tests.effort import examples


def assert_equal(network: Network) -> None:
    tables = [node.digests() for node in network.nodes.values()]
    assert all(table == tables[0] for table in tables[1:])


def test_what_one_node_makes_the_others_have() -> None:
    network = Network(3)
    network.run_until_in_sync()
    for user in range(50):
        network.nodes[1 + user % 3].register(user)
    network.run_until_in_sync()
    assert_equal(network)
    assert len(network.nodes[2].table) == 50


def test_a_removal_travels_as_well() -> None:
    network = Network(2)
    network.run_until_in_sync()
    network.nodes[1].register(1)
    network.run_until_in_sync()
    network.nodes[2].register(1, is_removal=True)
    network.run_until_in_sync()
    assert len(network.nodes[1].table) == 0
    assert_equal(network)


def test_a_change_travels_once_to_each_node() -> None:
    """The node that gets it does not send it on."""
    network = Network(3)
    network.run_until_in_sync()
    for node in network.nodes.values():
        node.replication.counters[:] = [0] * len(node.replication.counters)
    network.nodes[1].register(1)
    network.run(1.0)
    received = [sum(len(peer.sender.window) for peer in node.replication.peers.values()) for node in
                network.nodes.values()]
    assert received == [0, 0, 0]
    assert [part_made_by(node.table.record_of(b"sip:user1@example.com"), 2) for node in network.nodes.values()] == [
        b"", b"", b""
    ]
    sent = [node.replication.counters[REPLICATION_RECORDS_SENT] for node in network.nodes.values()]
    assert sent == [2, 0, 0]


def test_workers_wait_while_there_is_a_node_to_wait_for() -> None:
    network = Network(2)
    network.cut.add(frozenset((1, 2)))
    network.run(0.1)
    first = network.nodes[1]
    assert not first.page.is_waited
    network.cut.clear()
    network.run_until_in_sync()
    assert first.page.is_waited
    first.register(1)
    assert first.page.acknowledged < first.table.last_seq
    network.run_until_in_sync()
    assert first.page.acknowledged == first.table.last_seq
    network.cut.add(frozenset((1, 2)))
    network.break_all(1)
    assert not first.page.is_waited


def test_what_is_made_at_once_goes_in_batches_and_wakes_no_process() -> None:
    """What a change costs is mostly the wake-ups: of this replicator, by workers, and of the other node's."""
    network = Network(2)
    network.run_until_in_sync()
    first, sent = network.nodes[1], network.sent
    first.wake_ups = 0
    for user in range(1000):
        first.register(user)
        if user % 5 == 4:
            # 1,000 a second.
            network.step()
    # Those of the first step, before the replicator has run.
    assert first.wake_ups == 5
    # A batch and its acknowledgement in ten milliseconds, and the greetings of each second.
    assert network.sent - sent <= 2 * 100 + 10
    network.run_until_in_sync()
    assert_equal(network)


def test_a_change_after_a_rest_leaves_at_once() -> None:
    network = Network(2)
    network.run_until_in_sync()
    network.run(1.0)
    sent = network.sent
    network.nodes[1].register(1)
    network.nodes[1].replication.tick(network.now)
    assert network.sent == sent + 1


def test_who_comes_back_soon_gets_what_was_missed_without_a_comparison() -> None:
    network = Network(2)
    network.run_until_in_sync()
    comparisons = network.nodes[1].replication.counters[104]
    network.cut.add(frozenset((1, 2)))
    network.break_all(1)
    for user in range(100):
        network.nodes[1 + user % 2].register(user)
    network.run(1.0)
    network.cut.clear()
    network.run_until_in_sync()
    assert_equal(network)
    assert network.nodes[1].replication.counters[104] - comparisons <= 1


def test_who_fell_out_of_the_log_compares() -> None:
    network = Network(2)
    network.run_until_in_sync()
    network.cut.add(frozenset((1, 2)))
    network.break_all(1)
    first = network.nodes[1]
    for user in range(2000):
        first.register(user)
    # The persister is done with all of it, and little is kept.
    first.table.after_pass(first.table.last_seq, first.wall_time, 1)
    network.cut.clear()
    network.step()
    assert not network.are_in_sync()
    network.run_until_in_sync()
    assert_equal(network)


def test_a_node_that_joins_gets_all() -> None:
    network = Network(2)
    network.cut.add(frozenset((1, 2)))
    for user in range(5 * LOG_STEP):
        network.nodes[2].register(user)
    network.cut.clear()
    network.run_until_in_sync()
    assert_equal(network)


def test_a_frozen_node_costs_a_bounded_memory() -> None:
    network = Network(2)
    network.run_until_in_sync()
    first = network.nodes[1]
    network.nodes[2].is_frozen = True
    for user in range(20 * LOG_STEP):
        first.register(user)
        if user % 50 == 0:
            network.step()
    assert sum(len(batch) for batch in network.pipes[1, 2].batches) < 4 << 20
    network.nodes[2].is_frozen = False
    network.run_until_in_sync()
    assert_equal(network)


@pytest.mark.parametrize("ahead_s", [-7200.0, 5.0])
def test_contacts_end_at_one_moment_where_clocks_differ(ahead_s: float) -> None:
    network = Network(2, clocks=(0.0, ahead_s))
    network.run_until_in_sync()
    network.nodes[1].register(1)
    network.nodes[2].register(2)
    network.run_until_in_sync()
    for aor in (b"sip:user1@example.com", b"sip:user2@example.com"):
        left = [node.table.entries(aor)[0].expires_at - node.wall_time for node in network.nodes.values()]
        assert left[0] == pytest.approx(left[1], abs=1.0)
        assert left[0] == pytest.approx(LASTS_S, abs=2.0)
    assert_equal(network)


def test_what_a_lost_node_told_one_of_the_others_only_reaches_all() -> None:
    network = Network(3)
    network.run_until_in_sync()
    network.cut.add(frozenset((1, 3)))
    network.break_link(1, 3)
    network.nodes[1].register(1)
    network.run(DOWN_S / 2)
    assert network.nodes[2].table.entries(b"sip:user1@example.com")
    network.cut |= {frozenset((1, 2))}
    network.break_all(1)
    network.run(10.0)
    assert network.nodes[3].table.entries(b"sip:user1@example.com")


@pytest.mark.parametrize("seed", range(examples(60)))
def test_tables_converge_and_nothing_answered_is_lost(seed: int) -> None:
    """Links break, nodes freeze, replicators restart, one machine is lost: what was answered is on a node that lives,
    and when it is quiet all tables are equal.
    """
    network = Network(2 + seed % 2, seed)
    chance = network.chance
    answered: list[Binding] = []
    is_machine_lost = False
    for step in range(1500):
        network.step()
        for node in network.nodes.values():
            if chance.random() < 0.2:
                node.register(chance.randrange(60), is_removal=chance.random() < 0.2)
            if chance.random() < 0.02:
                node.table.after_pass(node.table.last_seq, node.wall_time, 10)
            for binding in node.answered():
                del node.made[binding.aor]
                answered.append(binding)
                others = [other for other in network.nodes.values() if other is not node]
                assert any(other.has(binding) for other in others), f"seed {seed}, step {step}"
        number = chance.choice(list(network.nodes))
        if chance.random() < 0.01:
            network.break_link(number, chance.choice([other for other in network.nodes if other != number]))
        if chance.random() < 0.003:
            network.restart(number)
        node = network.nodes[number]
        if chance.random() < (0.1 if node.is_frozen else 0.01):
            node.is_frozen = not node.is_frozen
            if node.is_frozen and chance.random() < 0.5:
                network.break_all(number)
        if step > 300 and not is_machine_lost and chance.random() < 0.003:
            is_machine_lost = True
            network.restart(number, is_machine_lost=True)
    for node in network.nodes.values():
        node.is_frozen = False
    network.run_until_in_sync()
    tables = [node.digests() for node in network.nodes.values()]
    assert all(table == tables[0] for table in tables), f"seed {seed}"
    assert answered
    for binding in answered:
        assert network.nodes[1].has(binding), f"seed {seed}: {binding.aor.decode()}"


def test_a_node_that_may_lack_what_was_made_before_counts_when_all_workers_have_looked() -> None:
    """They still hold what waited for the node that was lost; what this one acknowledges says nothing of that."""
    network = Network(2)
    network.run_until_in_sync()
    node = network.nodes[1]
    replication, peer = node.replication, node.replication.peers[2]
    replication.link_lost(2, network.now)
    assert not node.page.is_waited
    replication.link_up(2, network.now)
    peer.sender.begins_at = 5
    replication._count(peer, network.now + SEEN_S / 2)
    assert not node.page.is_waited
    replication._count(peer, network.now + SEEN_S)
    assert node.page.is_waited


def test_answers_wait_for_as_many_nodes_as_copies_says() -> None:
    """`cluster copies 2`: as far as the second node has come; with one link, as far as that one."""
    replication = Network(1).nodes[1].replication
    replication.copies = 2
    assert replication._reached([10, 7]) == 7
    assert replication._reached([10]) == 10
    assert replication._reached([]) == 0
    replication.copies = 1
    assert replication._reached([7, 10]) == 10
