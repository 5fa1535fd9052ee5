"""Replication between workers over a bus that may lose, double and reorder; time is a number (design 4)."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import pytest

from appliance.location.binding import Binding, BindingChange, new_binding
from appliance.location.bindings import BindingTable
from appliance.location.records import BindingRecords, encode_change
from appliance.state.messages import BindingAck, BindingChanges, BusMessage, InSync, PeerStarted, RangeDigests
from appliance.state.replication import PACE_S, WINDOW, Replica
from appliance.state.wire import decode, encode

WALL = 1_700_000_000.0


class Limits:
    replication_wait_ms = 500


class Worker:
    """A replica with its table; the wall clock is WALL plus the monotonic time."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.table = BindingTable(1_000_000)
        self.records = BindingRecords(self.table)
        self.replica = Replica(number, self.records, Limits())

    def register(self, user: int, now: float, cseq: int = 1) -> int:
        change = BindingChange(b"sip:%d@h" % user, (binding(user, now, self.number, cseq),))
        self.table.apply(change)
        return self.replica.changed(encode_change(change))


def binding(user: int, now: float, worker: int = 1, cseq: int = 1) -> Binding:
    uri = b"sip:%d@192.0.2.1" % user
    version = int((WALL + now) * 1_000_000) << 8 | worker
    return new_binding(
        b"sip:%d@h" % user,
        uri,
        uri,
        b"",
        1000,
        WALL + now + 3600,
        WALL + now + 3600,
        b"call-%d" % user,
        cseq,
        (),
        b"",
        0,
        None,
        None,
        b"",
        version,
        version,
    )


class Node:
    """Some workers and the bus between them, driven in turns of 10 ms of virtual time."""

    wall = WALL

    def __init__(self, workers: int, rng: random.Random | None = None, loss: float = 0.0) -> None:
        self.now = 0.0
        self.rng = rng
        self.loss = loss
        self.workers = {number: Worker(number) for number in range(workers)}
        self.wires: list[tuple[float, int, int, bytes]] = []
        self.deaf: set[int] = set()
        self.sent_octets = 0
        self.kinds: list[type[BusMessage]] = []
        self.say_who_lives()

    def say_who_lives(self) -> None:
        for worker in self.workers.values():
            worker.replica.set_siblings(sorted(self.workers), self.now)

    def turn(self) -> None:
        self.now = round(self.now + 0.01, 3)
        self._carry()
        for number, worker in self.workers.items():
            if number in self.deaf:
                continue
            worker.table.expire(self.wall + self.now, 1000)
            due = worker.replica.next_timer()
            if due is not None and due <= self.now:
                worker.replica.handle_timers(self.now)
            for to, message in worker.replica.messages_to_send(self.now):
                self.kinds.append(type(message))
                self._post(number, to, encode(message))

    def _post(self, sender: int, to: int, octets: bytes) -> None:
        self.sent_octets += len(octets)
        if self.rng is None:
            self.wires.append((self.now, sender, to, octets))
            return
        for _ in range(self.rng.choice((1, 1, 1, 2))):
            if self.rng.random() >= self.loss:
                self.wires.append((self.now + self.rng.choice((0.0, 0.0, 0.02, 0.05)), sender, to, octets))

    def _carry(self) -> None:
        due = [wire for wire in self.wires if wire[0] < self.now and wire[2] not in self.deaf]
        self.wires = [wire for wire in self.wires if not (wire[0] < self.now and wire[2] not in self.deaf)]
        due.sort(key=lambda wire: wire[0])
        for _, sender, to, octets in due:
            if to in self.workers:
                self.workers[to].replica.receive(sender, decode(octets), self.now)

    def run(self, seconds: float) -> None:
        for _ in range(int(seconds * 100)):
            self.turn()

    def run_until(self, condition: Callable[[], bool], seconds: float) -> float:
        """Turns until the condition holds; how long that took. Fails after `seconds`."""
        start = self.now
        while not condition():
            assert self.now - start < seconds, "it did not happen in time"
            self.turn()
        return self.now - start

    def are_equal(self) -> bool:
        first, *others = self.workers.values()
        return all(other.table.digests == first.table.digests for other in others)

    def restart(self, number: int, records: Iterator[bytes] | None = None) -> Worker:
        """The process dies and a new one takes its place; its bus says so before its first message."""
        self.workers[number] = worker = Worker(number)
        worker.replica.load(records or iter(()))
        worker.replica.set_siblings(sorted(self.workers), self.now)
        for other, sibling in self.workers.items():
            if other != number:
                sibling.replica.receive(number, PeerStarted(), self.now)
        return worker


def joined(workers: int) -> Node:
    node = Node(workers)
    node.run_until(lambda: all(worker.replica.is_in_sync for worker in node.workers.values()), 3)
    node.run(0.1)
    return node


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


def test_workers_that_start_together_are_in_sync_at_once() -> None:
    node = Node(4)
    assert node.run_until(lambda: all(worker.replica.is_in_sync for worker in node.workers.values()), 3) < 0.2


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


def test_nothing_is_said_when_nothing_happens_but_a_digest_now_and_then() -> None:
    node = joined(2)
    node.kinds.clear()
    node.run(10)
    assert node.kinds.count(RangeDigests) == 4
    assert set(node.kinds) == {RangeDigests, InSync}


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


def test_a_pull_that_makes_no_progress_is_given_up_when_its_time_is_over() -> None:
    """At the very moment that next_timer names: whoever waits for that moment would come again and again."""
    node = joined(2)
    node.workers[1].table.apply(BindingChange(b"sip:9@h", (binding(9, node.now),)))
    node.run_until(lambda: node.workers[0].replica._pull is not None, 10)
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
