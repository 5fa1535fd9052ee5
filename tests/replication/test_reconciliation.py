"""Reconciliation of tables: joiners, gaps, and what is fetched from whom; time is a number (design 4)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from appliance.location.binding import BindingChange
from appliance.messages.bus_messages import BusMessage, InSync, RangeDigests, RangeRequest
from appliance.messages.codec import decode
from appliance.replication.range_transfer import RANGES
from appliance.replication.reconciliation import ASK_S, SILENT_S, Reconciliation
from tests.replication.node import WALL, Node, Worker, binding, joined


def test_workers_that_start_together_are_in_sync_at_once() -> None:
    node = Node(4)
    assert node.run_until(lambda: all(worker.replica.is_in_sync for worker in node.workers.values()), 3) < 0.2


def test_nothing_is_said_when_nothing_happens_but_a_digest_now_and_then() -> None:
    node = joined(2)
    node.kinds.clear()
    node.run(10)
    assert node.kinds.count(RangeDigests) == 4
    assert set(node.kinds) == {RangeDigests, InSync}


def test_a_joiner_gets_ten_thousand_bindings_in_portions_and_is_then_in_sync() -> None:
    node = joined(3)
    for user in range(10_000):
        node.workers[user % 3].register(user, node.now)
        if user % 500 == 0:
            node.turn()
    node.run(3)
    joiner = node.restart(2)
    assert not joiner.replica.is_in_sync
    took = node.run_until(lambda: joiner.replica.is_in_sync, 20)
    print("joined after", took)
    assert len(joiner.table) == 10_000
    assert node.are_equal()
    # It counts again from now on.
    node.run(0.1)
    seq = node.workers[0].register(1, node.now, cseq=2)
    assert node.workers[0].replica.acknowledged() == seq - 1
    node.run(0.05)
    assert node.workers[0].replica.acknowledged() == seq


def test_a_joiner_that_loaded_the_journal_asks_for_nothing_but_what_it_lacks() -> None:
    node = joined(2)
    for user in range(5000):
        node.workers[0].register(user, node.now)
        if user % 500 == 0:
            node.turn()
    node.run(3)
    stored = [record for place in range(256) for record in node.workers[0].records.records_of_range(place)]
    node.workers[0].register(5000, node.now)
    node.run(3)
    node.sent_octets = 0
    joiner = node.restart(1, iter(stored))
    node.run_until(lambda: joiner.replica.is_in_sync, 10)
    assert joiner.replica.pulled_count == 1
    assert node.sent_octets < 60_000


def test_a_joiner_to_whom_the_first_words_are_lost_still_learns_what_was_before_it() -> None:
    """The bus refuses what is sent before it has connected; changes after the join are acknowledged all the same."""
    node = joined(2)
    node.workers[0].register(1, node.now)
    node.run(3)
    stored = [record for place in range(256) for record in node.workers[0].records.records_of_range(place)]
    joiner = node.restart(1, iter(stored))
    assert node.workers[0].replica.messages_to_send(node.now)
    node.run_until(lambda: joiner.replica.is_in_sync, 10)
    node.run(0.1)
    seq = node.workers[0].register(2, node.now)
    node.run(0.1)
    assert node.workers[0].replica.acknowledged() == seq


def test_the_one_who_joins_may_know_more_than_the_others() -> None:
    """Its journal holds what it had not told anybody when it died."""
    node = joined(2)
    node.run(2)
    lonely = Worker(1)
    lonely.register(9, node.now)
    stored = [record for place in range(256) for record in lonely.records.records_of_range(place)]
    joiner = node.restart(1, iter(stored))
    node.run_until(lambda: joiner.replica.is_in_sync, 10)
    assert node.workers[0].table.find(b"sip:9@h", WALL)


def test_calls_go_on_while_someone_joins() -> None:
    node = joined(3)
    for user in range(3000):
        node.workers[user % 2].register(user, node.now)
    node.run(3)
    joiner = node.restart(2)
    cseq = 1
    while not joiner.replica.is_in_sync:
        cseq += 1
        seq = node.workers[0].register(cseq % 50, node.now, cseq)
        node.run(0.03)
        assert node.workers[0].replica.acknowledged() == seq
        assert node.now < 60
    node.run(3)
    assert node.are_equal()


def test_a_worker_joins_although_the_clock_was_set_back_meanwhile() -> None:
    node = joined(2)
    node.workers[0].register(1, node.now)
    node.run(8.0)
    node.wall -= 1800.0
    node.run(2.0)
    joiner = node.restart(1)
    node.run_until(lambda: joiner.replica.is_in_sync, 5.0)
    assert node.are_equal()
    node.run(0.1)
    number = node.workers[0].register(2, node.now - 1800.0)
    node.run_until(lambda: node.workers[0].replica.acknowledged() >= number, 1.0)
    assert node.are_equal()


def test_a_source_that_dies_in_the_middle_is_replaced_by_another() -> None:
    node = joined(3)
    for user in range(5000):
        node.workers[0].register(user, node.now)
        if user % 500 == 0:
            node.turn()
    node.run(3)
    joiner = node.restart(2)
    node.run_until(lambda: len(joiner.table) > 500, 20)
    source = 0 if any(wire[1] == 0 and wire[2] == 2 and len(wire[3]) > 1000 for wire in node.wires) else 1
    del node.workers[source]
    node.say_who_lives()
    node.run_until(lambda: joiner.replica.is_in_sync, 20)
    assert node.are_equal()
    assert len(joiner.table) == 5000


def test_a_pull_that_makes_no_progress_is_given_up_when_its_time_is_over() -> None:
    """At the very moment that next_timer names: whoever waits for that moment would come again and again."""
    node = joined(2)
    node.workers[1].table.apply(BindingChange(b"sip:9@h", (binding(9, node.now),)))
    node.run_until(lambda: has_asked_for_ranges(node, 0), 10)
    node.deaf.add(1)
    replica = node.workers[0].replica
    now = node.now
    for _ in range(100):
        due = replica.next_timer()
        assert due is not None
        now = max(now, due)
        replica.handle_timers(now)
        replica.messages_to_send(now)
    assert now > node.now + 5


def has_asked_for_ranges(node: Node, worker: int) -> bool:
    """Whether a request of this worker for ranges is on its way."""
    requests = [decode(octets) for _, sender, _, octets in node.wires if sender == worker]
    return any(isinstance(request, RangeRequest) and request.ranges for request in requests)


class Table:
    """An empty table that knows everything up to second 100."""

    def records_of_range(self, place: int) -> Iterator[bytes]:
        return iter(())

    def digests_at(self, second: int) -> list[int]:
        return [0] * RANGES if second <= 100 else []

    def settled_second(self) -> int:
        return 100

    def newest_second(self) -> int:
        return 100


def met(*workers: int) -> tuple[Reconciliation, list[tuple[int, BusMessage]]]:
    """The reconciliation of a joiner that has just met these workers, and its outbox."""
    outbox: list[tuple[int, BusMessage]] = []
    reconciliation = Reconciliation(Table(), outbox)
    for worker in workers:
        reconciliation.meet(worker, 0.0)
    assert outbox == [(worker, RangeRequest([])) for worker in workers]
    outbox.clear()
    return reconciliation, outbox


def equal_at(second: int) -> list[int]:
    return [second, *[0] * RANGES]


def test_a_gap_is_made_good_only_by_digests_of_a_time_after_it() -> None:
    reconciliation, outbox = met(1)
    assert reconciliation.digests_arrived(1, equal_at(99), 1.0)
    assert outbox == [(1, InSync())]
    reconciliation.missed(1)
    assert not reconciliation.digests_arrived(1, equal_at(100), 2.0)
    outbox.clear()
    reconciliation.handle_timers(2.0)
    assert outbox == [(1, RangeRequest([]))]
    assert reconciliation.next_timer() == 2.0 + ASK_S


def test_a_silent_sibling_holds_up_a_joiner_only_so_long_and_only_if_another_one_agrees() -> None:
    reconciliation, _ = met(1, 2)
    reconciliation.check_sync(SILENT_S)
    assert not reconciliation.is_in_sync, "nobody has agreed"
    reconciliation.digests_arrived(1, equal_at(99), SILENT_S - 1)
    assert not reconciliation.is_in_sync, "the other one may still answer"
    reconciliation.check_sync(SILENT_S)
    assert reconciliation.is_in_sync


def test_what_differs_is_fetched_from_one_sibling_at_a_time() -> None:
    reconciliation, outbox = met(1, 2)
    differing = [99, 7, *[0] * (RANGES - 1)]
    assert not reconciliation.digests_arrived(1, differing, 0.0)
    assert not reconciliation.digests_arrived(2, differing, 0.0)
    assert outbox == [(1, RangeRequest([0]))]
    outbox.clear()
    # Both compare again, for either may have had what the other lacked.
    reconciliation.portion_arrived(1, 0, True, 0.0)
    assert outbox == [(1, RangeDigests(equal_at(99))), (1, RangeRequest([]))]


def test_what_are_no_digests_is_refused() -> None:
    reconciliation, _ = met(1)
    with pytest.raises(ValueError, match="3 numbers"):
        reconciliation.digests_arrived(1, [1, 2, 3], 0.0)
