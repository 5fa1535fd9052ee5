"""Replication between workers over a bus that may lose, double and reorder; time is a number (design 4)."""

from __future__ import annotations

import random

import pytest

from appliance.messages.bus_messages import BindingAck, BindingChanges, RangeDigests
from appliance.messages.codec import decode
from appliance.replication.replica import PACE_S
from appliance.replication.replication_link import WINDOW
from tests.replication.node import WALL, Node, Worker, joined


def test_changes_in_quick_succession_leave_together() -> None:
    """One by one they would cost more than what they tell of; the first does not wait."""
    node = Node(2)
    node.run(3.0)
    worker, now = node.workers[0], node.now + 0.01
    worker.register(1, now)
    assert changes_sent(worker, now) == [1]
    for user in (2, 3, 4):
        worker.register(user, now + 0.001)
        assert changes_sent(worker, now + 0.001) == []
    assert worker.replica.next_timer() == now + PACE_S
    assert changes_sent(worker, now + PACE_S) == [3]


def changes_sent(worker: Worker, now: float) -> list[int]:
    """How many records each message with changes has."""
    messages = [message for _, message in worker.replica.messages_to_send(now)]
    return [len(message.records) for message in messages if isinstance(message, BindingChanges) and message.records]


def test_a_lone_worker_is_in_sync_with_itself_and_waits_for_nobody() -> None:
    node = Node(1)
    assert node.workers[0].replica.is_in_sync
    assert node.workers[0].register(1, 0.0) == 0
    assert node.workers[0].replica.messages_to_send(0.0) == []
    assert node.workers[0].replica.next_timer() is None


def test_a_change_is_everywhere_before_it_is_acknowledged() -> None:
    node = joined(3)
    seq = node.workers[0].register(7, node.now)
    assert node.workers[0].replica.acknowledged() == seq - 1
    took = node.run_until(lambda: node.workers[0].replica.acknowledged() == seq, 1)
    assert took <= 0.04
    assert all(worker.table.find(b"sip:7@h", WALL) for worker in node.workers.values())


def test_changes_and_acknowledgements_travel_in_batches() -> None:
    node = joined(3)
    for user in range(1000):
        node.workers[0].register(user, node.now)
    node.kinds.clear()
    node.run(0.05)
    assert node.kinds.count(BindingChanges) == 4  # two each
    assert node.kinds.count(BindingAck) == 2
    assert node.workers[0].replica.acknowledged() == 1000
    assert node.are_equal()


def test_a_worker_that_stops_answering_is_waited_for_only_so_long() -> None:
    node = joined(3)
    node.deaf.add(2)
    seq = node.workers[0].register(1, node.now)
    node.run(0.5)
    assert node.workers[0].replica.acknowledged() == seq - 1
    node.run(1.0)
    assert node.workers[0].replica.acknowledged() == seq
    assert node.workers[0].replica.lagging == [2]
    # And while it lags nobody waits for it.
    seq = node.workers[0].register(2, node.now)
    node.run(0.05)
    assert node.workers[0].replica.acknowledged() == seq
    # It comes back, catches up, and counts again.
    node.deaf.clear()
    node.run(1)
    assert node.workers[0].replica.lagging == []
    assert node.are_equal()


def test_a_worker_that_dies_does_not_stall_the_others() -> None:
    node = joined(3)
    node.deaf.add(2)
    seq = node.workers[0].register(1, node.now)
    node.run(0.1)
    assert node.workers[0].replica.acknowledged() == seq - 1
    del node.workers[2]
    node.say_who_lives()
    assert node.workers[0].replica.acknowledged() == seq


def test_acknowledged_numbers_only_grow() -> None:
    node = joined(3)
    node.deaf.add(2)
    node.workers[0].register(1, node.now)
    node.run(2)
    seen = node.workers[0].replica.acknowledged()
    node.deaf.clear()
    for _ in range(100):
        node.turn()
        assert node.workers[0].replica.acknowledged() >= seen


def test_a_slow_worker_costs_a_bounded_number_of_messages_and_is_made_equal_later() -> None:
    node = joined(2)
    node.deaf.add(1)
    for turn in range(100):
        for user in range(200):
            node.workers[0].register(turn * 200 + user, node.now)
        node.turn()
    waiting = sum(
        len(message.records)
        for _, _, to, octets in node.wires
        if to == 1 and isinstance(message := decode(octets), BindingChanges)
    )
    assert waiting <= WINDOW
    assert node.workers[0].replica.skipped_count == 20000 - waiting
    assert node.workers[0].replica.acknowledged() == 20000
    node.deaf.clear()
    node.run_until(node.are_equal, 30)
    node.run(5)
    assert node.workers[0].replica.lagging == []
    assert len(node.workers[1].table) == 20000


def test_records_and_digests_that_make_no_sense_are_counted_and_do_no_harm() -> None:
    node = joined(2)
    replica = node.workers[0].replica
    replica.receive(1, BindingChanges(1, [b"", b"nonsense", b"\x09" * 40]), node.now)
    replica.receive(1, RangeDigests([1, 2, 3]), node.now)
    replica.receive(1, BindingAck(10**9), node.now)
    replica.receive(77, BindingChanges(1, [b"x"]), node.now)
    assert replica.malformed_count == 4
    node.run(10)
    assert node.are_equal()


@pytest.mark.parametrize("seed", range(8))
def test_tables_become_equal_over_a_bus_that_loses_doubles_and_reorders(seed: int) -> None:
    print("seed", seed)
    rng = random.Random(seed)
    node = Node(rng.randrange(2, 5), rng, loss=0.1)
    for turn in range(300):
        for worker in node.workers.values():
            if rng.random() < 0.3:
                worker.register(rng.randrange(100), node.now, cseq=1 + turn)
        if rng.random() < 0.005:
            node.restart(rng.choice(list(node.workers)))
        node.turn()
    node.run_until(node.are_equal, 60)
    node.run_until(lambda: all(worker.replica.is_in_sync for worker in node.workers.values()), 60)
    # And it stays so, and what is changed now is acknowledged.
    node.loss = 0.0
    node.run(10)
    for worker in node.workers.values():
        seq = worker.register(500, node.now)
        node.run(1)
        assert worker.replica.acknowledged() == seq
    assert node.are_equal()
