"""The replicator as a process, over real links and tables in memory, without supervisor and workers."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import zmq

from appliance.ipc.bus import Bus
from appliance.ipc.launch import ReplicatorLaunch
from appliance.location.binding import BindingChange
from appliance.location.record_version import next_version
from appliance.messages.bus_messages import Heartbeat
from appliance.messages.link_messages import ReplicationReport
from appliance.messages.membership import Member, Membership
from appliance.storage.cluster_file import ClusterFile, EtcdAccess, write_cluster
from appliance.storage.registrations import SharedTable
from appliance.storage.replication_page import ReplicationMemory, ReplicationPage
from appliance.storage.table_folder import TableFolder
from appliance.transport.process_id import SUPERVISOR, process_id
from tests.effort import examples
from tests.location.bindings import binding

LOOPBACK = "127.0.0.1"
WAIT_S = 180.0
COUNT = examples(3_000)


def free_port() -> int:
    with socket.socket() as opened:
        opened.bind((LOOPBACK, 0))
        port: int = opened.getsockname()[1]
        return port


class Node:
    """What a supervisor and a worker have of a node, and its replicator."""

    def __init__(self, folder: Path, known: ClusterFile, opened: ExitStack) -> None:
        self.number = known.me
        self.state_dir = folder / f"node-{known.me}"
        (self.state_dir / "run").mkdir(parents=True)
        write_cluster(self.state_dir, known)
        self.tables = TableFolder.prepared(folder / f"tables-{known.me}")
        generation = self.tables.new_generation()
        self.table = SharedTable.create(self.tables.directory(generation), 1_000_000, generation)
        opened.callback(self.table.close)
        self.tables.put_in_force(generation)
        self.memory = ReplicationMemory()
        opened.callback(self.memory.close)
        self.page = ReplicationPage(self.memory.page_fd, self.memory.event_fd)
        self.table.replication = self.page
        self.bus = Bus(self.state_dir / "run", process_id(known.me, SUPERVISOR))
        opened.callback(self.bus.close)
        self.report = ReplicationReport([], False)
        self.counters: list[int] = []
        self.process: subprocess.Popen[bytes] | None = None
        opened.callback(self.kill)

    def start(self) -> None:
        launch = ReplicatorLaunch(
            str(self.state_dir),
            str(self.tables.path),
            "hostname x\ndomain example.com\n",
            self.number,
            self.memory.page_fd,
            self.memory.event_fd,
        )
        with launch.to_stdin() as document:
            self.process = subprocess.Popen(launch.argv(), stdin=document, pass_fds=launch.fds())

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.memory.clear()

    def hear(self) -> None:
        for _, message in self.bus.receive():
            if isinstance(message, ReplicationReport):
                self.report = message
            elif isinstance(message, Heartbeat):
                self.counters = message.counters

    def register(self, *users: int) -> int:
        """Like a worker; returns the number of the last change."""
        number = 0
        for user in users:
            aor = b"sip:user%d@example.com" % user
            one = binding(b"sip:user%d@192.0.2.4" % user, aor, at=time.time())
            one.version = one.series = next_version(time.time(), self.number, 0)
            number = self.table.apply(BindingChange(aor, (one,)))
        until(lambda: self.table.commit())
        return number

    def has(self, user: int) -> bool:
        return bool(self.table.record_of(b"sip:user%d@example.com" % user))


def until(condition: Callable[[], object], *nodes: Node) -> float:
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < WAIT_S, [node.report for node in nodes]
        time.sleep(0.01)
        for node in nodes:
            node.hear()
    return time.monotonic() - begun


def in_sync(node: Node) -> bool:
    node.hear()
    return node.report.is_ready and all(peer.is_in_sync for peer in node.report.peers) and bool(node.report.peers)


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[list[Node]]:
    pairs = [zmq.curve_keypair() for _ in range(2)]
    members = tuple(
        Member(number, f"node-{number}", LOOPBACK, free_port(), False, free_port(), public.decode())
        for number, (public, _) in enumerate(pairs, 1)
    )
    with ExitStack() as opened:
        yield [
            Node(
                tmp_path,
                ClusterFile("test", number, "00" * 32, secret.decode(), Membership(1, members), EtcdAccess(())),
                opened,
            )
            for number, (_, secret) in enumerate(pairs, 1)
        ]


def test_a_registration_is_on_the_other_node_when_it_is_acknowledged(nodes: list[Node]) -> None:
    first, second = nodes
    first.start()
    second.start()
    until(lambda: in_sync(first) and in_sync(second), *nodes)
    for user in range(20):
        number = first.register(user)
        until(lambda number=number: first.table.acknowledged() >= number)  # type: ignore[misc]
        assert second.has(user)
    first.kill()
    assert first.table.acknowledged() == first.table.committed()


def test_who_comes_back_gets_what_was_missed(nodes: list[Node]) -> None:
    first, second = nodes
    for node in nodes:
        node.start()
    until(lambda: in_sync(first) and in_sync(second), *nodes)
    second.kill()
    until(lambda: not first.report.peers[0].is_connected, *nodes)
    first.register(*range(300))
    second.register(*range(300, 600))
    second.start()
    until(lambda: first.has(599) and second.has(0), *nodes)
    until(lambda: in_sync(first) and in_sync(second), *nodes)
    assert all(first.has(user) and second.has(user) for user in range(600))


def test_a_node_that_joins_gets_all(nodes: list[Node]) -> None:
    first, second = nodes
    for at in range(0, COUNT, 500):
        first.register(*range(at, at + 500))
    first.start()
    second.start()
    took_s = until(lambda: in_sync(first) and in_sync(second), *nodes)
    assert len(second.table) == len(first.table) == COUNT
    print(f"{COUNT} registrations were compared and sent in {took_s:.1f} s")


def test_told_to_end_it_ends_when_the_others_have_all(nodes: list[Node]) -> None:
    first, second = nodes
    for node in nodes:
        node.start()
    until(lambda: in_sync(first) and in_sync(second), *nodes)
    first.register(1)
    assert first.process is not None
    first.process.send_signal(signal.SIGTERM)
    assert first.process.wait(WAIT_S) == 0
    until(lambda: second.has(1), second)
