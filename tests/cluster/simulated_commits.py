"""Nodes of a cluster without processes: each with its real coordinators of commits, in the supervisor and in the
cluster process, and its commits on the disk; time, etcd, the bus between the two and the workers are simulated from a
seed.

Whatever happens, the texts of commits are unique, so it is known what became of each.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from appliance.catalogue.errors import ConfigError, Fault
from appliance.catalogue.settings import Settings
from appliance.cluster.coordination.commit_records import CommitRecord
from appliance.cluster.coordination.coordinator import Coordinator
from appliance.cluster.coordination.dict_store import DictKeys, DictStore, DictWatch
from appliance.cluster.coordination.key_store import Change, StoreUnavailable, Unchanged, Write
from appliance.cluster.coordination.keys import ClusterKeys
from appliance.cluster.coordination.membership_changes import Joined
from appliance.configuration.text import parse_configuration
from appliance.messages.bus_messages import BusMessage, BusReply, Prepared, Refusal, TakeEffect, TookEffect
from appliance.messages.cluster_commits import CommitState
from appliance.messages.codec import decode, encode
from appliance.messages.supervisor_requests import CommitConfiguration, Committed, Confirmed
from appliance.storage.cluster_file import read_cluster, write_cluster
from appliance.storage.commits import CommitStore
from appliance.supervisor.commit_coordinator import CommitCoordinator
from appliance.supervisor.listening_sockets import Group, ListeningSockets
from appliance.supervisor.supporting_processes import SupportingProcesses
from tests.cluster.coordination.members import NAME, NOW, created, file_of, joined

TURN_S = 0.25
WORKER = 0
KEYS = ClusterKeys(NAME)


def text_of(hostname: str) -> str:
    """A configuration."""
    return f"hostname {hostname}\n"


class NoSockets(ListeningSockets):
    """None is opened: all nodes are on one machine."""

    def __init__(self) -> None:
        super().__init__((), 1, 0)

    def open_more(self, *args: Any) -> list[Group]:
        return []

    def grow(self, workers: int) -> None:
        """One worker has to do."""


class Chances:
    """How often things go wrong."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.lost_request = self.lost_answer = 0.0
        self.late_watch = 0.0
        self.lost_message = 0.0

    def happens(self, share: float) -> bool:
        return self.random.random() < share

    def rage(self) -> None:
        """From now on things go wrong."""
        self.lost_request, self.lost_answer = 0.05, 0.1
        self.late_watch, self.lost_message = 0.4, 0.1

    def calm(self) -> None:
        """Nothing goes wrong any more."""
        self.lost_request = self.lost_answer = self.late_watch = self.lost_message = 0.0


class FaultyWatch(DictWatch):
    """What has changed comes late."""

    def __init__(self, store: FaultyStore, prefix: str, after: int) -> None:
        super().__init__(store, prefix, after)
        self._faulty = store

    def wait(self, timeout_s: float) -> list[Change]:
        store = self._faulty
        is_late = store.keys.now < store.stalled_until or store.chances.happens(store.chances.late_watch)
        return [] if is_late else super().wait(timeout_s)


class FaultyStore(DictStore):
    """Requests get lost, and answers: then what was asked is done."""

    def __init__(self, keys: DictKeys, chances: Chances) -> None:
        super().__init__(keys)
        self.chances = chances
        self.stalled_until = 0.0
        """Until then nothing that changes is seen."""
        self.loses_writes = False

    def check(self) -> None:
        super().check()
        if self.chances.happens(self.chances.lost_request):
            raise StoreUnavailable("etcd does not answer.")

    def commit(self, conditions: Sequence[Unchanged], writes: Sequence[Write]) -> bool:
        if self.loses_writes:
            raise StoreUnavailable("etcd does not answer.")
        is_done = super().commit(conditions, writes)
        if self.chances.happens(self.chances.lost_answer):
            raise StoreUnavailable("etcd does not answer.")
        return is_done

    def watch(self, prefix: str, after: int) -> FaultyWatch:
        self.check()
        return FaultyWatch(self, prefix, after)


class Processes:
    """What the coordinator of commits asks of the processes of a cluster: the text of this node is that of all."""

    def check(self, settings: Settings) -> None:
        if settings.hostname.startswith("faulty"):
            raise ConfigError([Fault(1, 1, "hostname is faulty", "")])

    def text_of_node(self, text: str) -> str:
        return text


class Bus:
    """Between supervisor and cluster process: messages take some turns, or get lost."""

    def __init__(self, chances: Chances) -> None:
        self._chances = chances
        self.commit_orders: deque[BusMessage] = deque()
        self.states: deque[CommitState] = deque()
        self.etcd_fault = ""

    def send(self, state: BusMessage) -> bool:
        if self._chances.happens(self._chances.lost_message):
            return False
        found = decode(encode(state))
        assert isinstance(found, CommitState)
        self.states.append(found)
        return True

    def order(self, orders: Sequence[BusMessage]) -> None:
        for order in orders:
            if not self._chances.happens(self._chances.lost_message):
                self.commit_orders.append(decode(encode(order)))


class SimulatedNode:
    """One member: a supervisor with one worker, and a cluster process."""

    def __init__(self, sim: SimulatedCluster, name: str, folder: Path) -> None:
        self.sim, self.name, self.folder = sim, name, folder
        self.settings = Settings()
        self.supporting = SupportingProcesses(cluster=cast(Any, Processes()))
        self.in_force = (0, "")
        self.replies: dict[bytes, BusReply] = {}
        self.is_up = False
        self.prepare_turns = 0
        """For how many turns its worker prepares; -1 for ever."""
        self._reports: list[tuple[int, BusMessage]] = []
        self.start()

    # -- its life ----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Both processes start, from the disk."""
        self.store = CommitStore(self.folder / "configuration")
        self.commits = CommitCoordinator(self, self.store, NoSockets())
        head = self.store.head
        self.in_force = (head.number, head.text) if head else (0, "")
        self._reports.clear()
        self.start_cluster_process()
        self.is_up = True

    def start_cluster_process(self) -> None:
        """It forgets what it knew."""
        known = read_cluster(self.folder)
        assert known is not None
        sim = self.sim
        self.etcd = FaultyStore(sim.keys, sim.chances)
        self.coordinator = Coordinator(
            self.etcd, known, self.folder, "1.2", lambda: sim.keys.now, lambda: NOW + sim.keys.now
        )
        self.bus = Bus(sim.chances)
        if self.commits.cluster is None:
            self.commits.join(self.bus)  # type: ignore[arg-type]
        else:
            self.commits.cluster._coordination = self.bus  # type: ignore[assignment]

    def die(self) -> None:
        """Both processes are killed: nothing is said any more."""
        self.is_up = False

    def turn(self, now: float) -> None:
        """A cycle of the supervisor and a turn of the cluster process."""
        if not self.is_up:
            return
        while self.bus.states:
            self.coordinator.commits.heard(self.bus.states.popleft())
        self.coordinator.work(0.0)
        self.bus.etcd_fault = self.coordinator.report.etcd_fault
        self.bus.order(self.coordinator.commits.orders())
        for due, report in list(self._reports):
            if due <= self.sim.turn:
                self._reports.remove((due, report))
                self.commits.told(WORKER, report)  # type: ignore[arg-type]
        self.commits.tend(now)

    # -- the supervisor, as far as a commit needs it -------------------------------------------------------

    def processes_to_prepare(self) -> list[int]:
        return [WORKER]

    def starting_workers(self) -> list[int]:
        return []

    def send_document(self, number: int, document: dict[str, Any], fds: Sequence[int]) -> None:
        fault = "does not like it" if f"hated-by-{self.name}" in document["config_text"] else ""
        if self.prepare_turns >= 0:
            self._reports.append((self.sim.turn + self.prepare_turns, Prepared(document["revision"], fault)))

    def send(self, number: int, messages: Sequence[BusMessage]) -> bool:
        for message in messages:
            if isinstance(message, TakeEffect):
                self._reports.append((self.sim.turn, TookEffect(message.revision)))
        return True

    def put_in_force(self, settings: Settings, text: str, number: int, now: float) -> None:
        self.settings, self.in_force = settings, (number, text)

    def end_worker(self, number: int, reason: str, now: float) -> None:
        self._reports.clear()

    def reply(self, asker: bytes, reply: BusReply) -> None:
        self.replies[asker] = reply

    def log(self, sentence: str) -> None:
        self.sim.log.append(f"{self.sim.keys.now:.2f} {self.name}: {sentence}")

    # -- its operator --------------------------------------------------------------------------------------

    @property
    def hostname(self) -> str:
        """By the configuration that is in force."""
        return parse_configuration(self.in_force[1]).hostname

    def commit(self, hostname: str, confirm_s: float = 0.0, is_back: bool = False) -> bytes:
        """Ask for a commit; the reply comes under the name that is returned."""
        text = text_of(hostname)
        asker = text.encode()
        base = self.store.head.number if self.store.head else 0
        request = CommitConfiguration(text, base, "anna", confirm_s=confirm_s, is_back=is_back)
        self.sim.asked[text] = (self, asker)
        if reply := self.commits.commit(asker, request, self.sim.keys.now):
            self.replies[asker] = reply
        return asker

    def confirm(self) -> bytes:
        asker = f"confirm {self.sim.turn}".encode()
        if reply := self.commits.confirm(asker, "anna", self.sim.keys.now):
            self.replies[asker] = reply
        return asker


class SimulatedCluster:
    """Nodes `a`, `b`, `c`; the first one has a commit before it has a cluster."""

    def __init__(self, folder: Path, seed: int = 1, nodes: int = 3) -> None:
        self.chances = Chances(seed)
        self.keys = DictKeys()
        self.turn = 0
        self.log: list[str] = []
        self.asked: dict[str, tuple[SimulatedNode, bytes]] = {}
        """Texts of commits, and who shall have the reply."""
        self.decided: dict[int, str] = {}
        """By number, what etcd has held as a commit."""
        self._made: dict[int, float] = {}
        """When each was made."""
        self._seen = 0
        self.nodes: list[SimulatedNode] = []
        for number in range(nodes):
            name = "abc"[number]
            join = joined if number else created
            self._add(folder / name, name, join(self._administrator, name))

    @property
    def _administrator(self) -> DictStore:
        return DictStore(self.keys)

    def _add(self, folder: Path, name: str, member: Joined) -> None:
        folder.mkdir()
        write_cluster(folder, file_of(member))
        CommitStore(folder / "configuration").add(text_of(f"own-{name}"), "signalbox", "loaded", NOW)
        self.nodes.append(SimulatedNode(self, name, folder))

    def run(self, seconds: float) -> None:
        """All take turns for so long; what may never be is looked for after each."""
        for _ in range(round(seconds / TURN_S)):
            self.turn += 1
            for node in self.chances.random.sample(self.nodes, len(self.nodes)):
                node.turn(self.keys.now)
            self.keys.pass_time(TURN_S)
            self.check()

    def until(self, asker: bytes, node: SimulatedNode, seconds: float = 60.0) -> BusReply:
        """The reply to an operator."""
        for _ in range(round(seconds / TURN_S)):
            if asker in node.replies:
                return node.replies[asker]
            self.run(TURN_S)
        raise AssertionError(f"{asker!r} was not answered within {seconds:g} s")

    def until_votes(self, proposer: SimulatedNode) -> None:
        """All others have voted, and the proposer sees it and cannot write; from its proposal on it writes nothing."""
        for _ in range(80):
            proposer.etcd.loses_writes = KEYS.proposal in self.keys.entries
            self.run(TURN_S)
            view = proposer.coordinator._view.entries
            if sum(key.startswith(KEYS.votes) for key in view) == len(self.nodes) - 1:
                return
        raise AssertionError(self._story("the others have not voted"))

    # -- what always holds -----------------------------------------------------------------------------------

    def check(self) -> None:
        """One configuration for each number, in etcd, on all disks and in force; a reply says what is true."""
        for change in self.keys.changes[self._seen :]:
            if change.key.startswith(KEYS.commits) and change.entry is not None:
                commit = CommitRecord.from_octets(change.entry.value).commit
                assert self.decided.setdefault(commit.number, commit.text) == commit.text, self._story()
                assert self._made.setdefault(commit.number, commit.wall_time) == commit.wall_time, self._story()
        self._seen = len(self.keys.changes)
        for node in self.nodes:
            if node.is_up and self.decided and node.commits.attempt is None and self._has_taken(node):
                number, text = node.in_force
                assert self.decided.get(number) == text, self._story()
        texts = set(self.decided.values())
        for text, (node, asker) in self.asked.items():
            reply = node.replies.get(asker)
            if isinstance(reply, Committed):
                assert self.decided[reply.number] == text, self._story()
            elif isinstance(reply, Refusal) and "not known" not in reply.sentence and "It became" not in reply.sentence:
                assert text not in texts, self._story(f"{text!r} was refused: {reply.sentence}")

    def _has_taken(self, node: SimulatedNode) -> bool:
        return not node.in_force[1].startswith("hostname own-") or node is self.nodes[0]

    def check_end(self) -> None:
        """Every node has the head and all commits that etcd has, and nothing is under way."""
        etcd = self.nodes[0].coordinator.commits._reader.read(self.keys.entries)
        for node in self.nodes:
            assert node.commits.attempt is None, self._story()
            assert {each.number: each for each in node.store.all()} == {
                number: known.record.commit for number, known in etcd.commits.items()
            }, self._story(node.name)
            assert node.in_force == (etcd.head, self.decided[etcd.head]), self._story(node.name)
        assert etcd.proposal is None, self._story()

    def _story(self, what: str = "") -> str:
        return "\n".join([what, *self.log[-40:]])


def is_good(reply: BusReply) -> bool:
    """Was it done?"""
    return isinstance(reply, Committed | Confirmed)
