"""Nodes with a registration table each, on a network that breaks: what the tests of replication are run on."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence

from appliance.cluster.replication.registrations import RegistrationReplication
from appliance.location.binding import Binding, BindingChange, new_binding
from appliance.location.dict_table import DictStore, DictTable
from appliance.location.record_digests import digest_of
from appliance.location.record_version import next_version
from appliance.messages.bus_messages import BusMessage
from appliance.messages.codec import decode, encode

WALL = 1_700_000_000.0
LASTS_S = 3600.0
STEP_S = 0.005
DOWN_S = 0.3
QUEUE_MAX = 64


class NodeTable(DictTable):
    """The table of a node; `generation` as that of one in shared memory."""

    def __init__(self, store: DictStore, generation: int) -> None:
        super().__init__(store, 100_000)
        self.generation = generation
        self.changes_kept = 500


class WorkerPage:
    """What the workers of a node see."""

    def __init__(self) -> None:
        self.generation = 0
        self.acknowledged = 0
        self.is_waited = False
        self.is_wake_up_wanted = False

    def note(self, generation: int, acknowledged: int, is_waited: bool) -> None:
        self.generation, self.acknowledged, self.is_waited = generation, acknowledged, is_waited

    def want(self, is_wanted: bool) -> None:
        self.is_wake_up_wanted = is_wanted


class Pipe:
    """One direction between two nodes. What is in it when the link breaks is lost."""

    def __init__(self) -> None:
        self.batches: deque[bytes] = deque()


class NodeLinks:
    """The links of one node on the network."""

    def __init__(self, network: Network, me: int) -> None:
        self._network = network
        self._me = me

    @property
    def members(self) -> tuple[int, ...]:
        return tuple(number for number in self._network.nodes if number != self._me)

    def is_up(self, member: int) -> bool:
        return self._network.is_up(self._me, member)

    def send(self, member: int, messages: Sequence[BusMessage]) -> bool:
        pipe = self._network.pipes[self._me, member]
        if not self.is_up(member) or len(pipe.batches) >= QUEUE_MAX:
            return False
        for message in messages:
            pipe.batches.append(encode(message))
            self._network.sent += 1
        return True


class Node:
    """A node: its table outlives its replicator, unless the machine is lost."""

    def __init__(self, number: int, network: Network, clock_ahead_s: float = 0.0) -> None:
        self.number = number
        self.network = network
        self.clock_ahead_s = clock_ahead_s
        self.is_frozen = False
        self.wake_ups = 0
        """How often a worker had to wake the replicator."""
        self.generation = 1
        self.page = WorkerPage()
        self.links = NodeLinks(network, number)
        self.made: dict[bytes, tuple[Binding, int]] = {}
        """Of each address: what was registered here last, and its sequence number."""
        self._new_table()

    def _new_table(self) -> None:
        self.table = NodeTable(DictStore(), self.number * 1000 + self.generation)
        self.table.tombstones_max = 20

    def begin(self) -> None:
        """A replicator starts."""
        self.replication = RegistrationReplication(
            self.number, self.table, self.links, self.page, lambda: self.wall_time
        )
        self.replication.members_changed(self.network.now)

    @property
    def wall_time(self) -> float:
        return WALL + self.network.now + self.clock_ahead_s

    def lose_machine(self) -> None:
        """All that was in memory is gone."""
        self.generation += 1
        self.made.clear()
        self._new_table()

    def register(self, user: int, is_removal: bool = False) -> None:
        """A phone registers here, or goes."""
        aor = b"sip:user%d@example.com" % user
        known = {entry.key: entry for entry in self.table.entries(aor)}
        uri = b"sip:user%d@192.0.2.4" % user
        replaced = known.get(uri)
        version = next_version(self.wall_time, self.number, replaced.version if replaced else 0)
        binding = self._binding(aor, uri, version, replaced, is_removal)
        self.table.apply(BindingChange(aor, (binding,)))
        assert self.table.commit()
        self.made[aor] = (binding, self.table.last_seq)
        if self.page.is_wake_up_wanted:
            self.wake_ups += 1
            self.replication.changed()

    def _binding(
        self, aor: bytes, uri: bytes, version: int, replaced: Binding | None, is_removal: bool
    ) -> Binding:
        series = replaced.series if replaced else version
        cseq = replaced.cseq + 1 if replaced else 1
        ends_at = self.wall_time + LASTS_S
        return new_binding(
            aor, uri, uri, b"", 1000, 0.0 if is_removal else ends_at, ends_at, b"call", cseq, (), b"", 0, None,
            ("192.0.2.4", 5060), b"", series, version,
        )

    def has(self, binding: Binding) -> bool:
        """Does the table have it, or what came after it?"""
        return any(
            entry.key == binding.key and not binding.comes_after(entry) for entry in self.table.entries(binding.aor)
        )

    def digests(self) -> dict[bytes, int]:
        """What the table is."""
        return {aor: digest_of(record, 0.0) for aor, record in self.table.store.records.items()}

    def answered(self) -> list[Binding]:
        """What was registered here, waited for another node, and is acknowledged."""
        if not self.page.is_waited or self.page.generation != self.table.generation:
            # It was answered without another node.
            self.made.clear()
            return []
        return [binding for binding, seq in self.made.values() if seq <= self.page.acknowledged]


class Network:
    """Nodes 1 to `count`. Messages take a step or more; a link that breaks loses what is on its way."""

    def __init__(self, count: int, seed: int = 0, clocks: Sequence[float] = ()) -> None:
        self.chance = random.Random(seed)
        self.now = 0.0
        self.sent = 0
        self.nodes: dict[int, Node] = {}
        self.pipes: dict[tuple[int, int], Pipe] = {}
        self._down_until: dict[frozenset[int], float] = {}
        self._is_up: dict[frozenset[int], bool] = {}
        self.cut: set[frozenset[int]] = set()
        for number in range(1, count + 1):
            self.nodes[number] = Node(number, self, clocks[number - 1] if clocks else 0.0)
        for first in self.nodes:
            for second in self.nodes:
                if first != second:
                    self.pipes[first, second] = Pipe()
                    self._is_up[frozenset((first, second))] = False
        for node in self.nodes.values():
            node.begin()

    def is_up(self, first: int, second: int) -> bool:
        return self._is_up[frozenset((first, second))]

    def break_link(self, first: int, second: int) -> None:
        """What is on its way is lost, or a part of it."""
        pair = frozenset((first, second))
        self._down_until[pair] = self.now + DOWN_S
        for one, other in ((first, second), (second, first)):
            self.pipes[one, other].batches.clear()
        if self._is_up[pair]:
            self._is_up[pair] = False
            self.nodes[first].replication.link_lost(second, self.now)
            self.nodes[second].replication.link_lost(first, self.now)

    def break_all(self, number: int) -> None:
        for other in self.nodes:
            if other != number:
                self.break_link(number, other)

    def restart(self, number: int, is_machine_lost: bool = False) -> None:
        """The replicator of a node is killed and starts again."""
        self.break_all(number)
        node = self.nodes[number]
        if is_machine_lost:
            node.lose_machine()
        node.page.is_waited = node.page.is_wake_up_wanted = False
        node.begin()

    def step(self) -> None:
        """Time passes; some of what is on its way arrives."""
        self.now += STEP_S
        for pair in self._is_up:
            first, second = sorted(pair)
            can_be_up = pair not in self.cut and self.now >= self._down_until.get(pair, 0.0)
            is_alive = not (self.nodes[first].is_frozen or self.nodes[second].is_frozen)
            if not self._is_up[pair] and can_be_up and is_alive:
                self._is_up[pair] = True
                self.nodes[first].replication.link_up(second, self.now)
                self.nodes[second].replication.link_up(first, self.now)
        for number, node in self.nodes.items():
            if not node.is_frozen:
                self._run(number, node)

    def _run(self, number: int, node: Node) -> None:
        for other in self.nodes:
            if other == number:
                continue
            batches = self.pipes[other, number].batches
            for _ in range(self.chance.randint(0, len(batches))):
                node.replication.receive(other, decode(batches.popleft()), self.now)
        for _ in range(8):
            if node.replication.tick(self.now) > self.now:
                break

    def run(self, seconds: float) -> None:
        for _ in range(int(seconds / STEP_S)):
            self.step()

    def run_until_in_sync(self, seconds_max: float = 120.0) -> None:
        """Fails where it does not come to that."""
        end = self.now + seconds_max
        while not self.are_in_sync():
            assert self.now < end, {number: self.faults_of(node) for number, node in self.nodes.items()}
            self.step()

    def faults_of(self, node: Node) -> list[str]:
        return [
            f"{peer.number}: up {peer.is_up}, sound {peer.is_sound}/{peer.is_other_sound}, "
            f"position {peer.sender.position}, acknowledged {peer.sender.acknowledged} of {node.table.last_seq}"
            for peer in node.replication.peers.values()
        ]

    def are_in_sync(self) -> bool:
        return all(
            peer.is_in_sync and peer.sender.acknowledged >= node.table.last_seq
            for node in self.nodes.values()
            for peer in node.replication.peers.values()
        )
