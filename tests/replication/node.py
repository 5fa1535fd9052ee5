"""A node under test: workers with a replica and a binding table each, and a bus that may lose, double and reorder."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from appliance.location.binding import Binding, BindingChange, new_binding
from appliance.location.binding_records import BindingRecords, encode_change
from appliance.location.binding_table import BindingTable
from appliance.location.record_version import next_version
from appliance.messages.bus_messages import BusMessage, PeerStarted
from appliance.messages.codec import decode, encode
from appliance.replication.replica import Replica

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
    version = next_version(WALL + now, worker, 0)
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

    def __init__(self, workers: int, rng: random.Random | None = None, loss: float = 0.0) -> None:
        self.now = 0.0
        self.wall = WALL
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
