"""Nodes of one cluster on loopback, each with a state folder of its own; the tests write their cluster files."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count as count_from

import zmq

from appliance.messages.membership import Member, Membership
from appliance.storage.cluster_file import ClusterFile, EtcdAccess, write_cluster
from appliance.storage.registrations import SharedTable
from appliance.storage.table_folder import TableFolder, folder_path
from tests.live.appliance import Appliance
from tests.live.machine import within
from tests.live.phones import register_many
from tests.live.processes import LOOPBACK, Processes, free_port, wait_until

KEY = os.urandom(32).hex()
SYNC_S = within(30.0)


class ClusterNodes:
    """So many nodes, not started yet: `nodes[0]` is number 1."""

    def __init__(self, processes: Processes, count: int, settings: str = "", workers: int = 1) -> None:
        pairs = [zmq.curve_keypair() for _ in range(count)]
        members = tuple(
            Member(number, f"node-{number}", LOOPBACK, free_port(), False, free_port(), public.decode())
            for number, (public, _) in enumerate(pairs, 1)
        )
        self._probes = count_from(1)
        self.nodes = [Appliance(processes, settings, workers=workers) for _ in members]
        for number, (node, (_, secret)) in enumerate(zip(self.nodes, pairs, strict=True), 1):
            node.state.mkdir(mode=0o700)
            etcd = EtcdAccess((f"http://{LOOPBACK}:1",))
            write_cluster(node.state, ClusterFile("test", number, KEY, secret.decode(), Membership(1, members), etcd))

    def start(self, *nodes: Appliance) -> None:
        """Start these, or all, and wait until they are in sync."""
        for node in nodes or self.nodes:
            node.start()
        self.await_sync()

    def await_sync(self, timeout_s: float = SYNC_S) -> None:
        """Wait until answers of each node that runs wait for another one, and all have the same."""
        running = [node for node in self.nodes if node._process is not None and node.is_running]
        for node in running:
            others = [other for other in running if other is not node]
            wait_until(lambda node=node, others=others: self._waits(node, others), "answers wait", timeout_s, 0.1)  # type: ignore[misc]
        wait_until(lambda: all(are_equal(running)), "all nodes have the same", timeout_s, 0.1)

    def _waits(self, node: Appliance, others: Sequence[Appliance]) -> bool:
        """Is a phone known to another node when it has its answer?"""
        user = f"probe{next(self._probes)}"
        register_many(node, [user], f"sip:{user}@{LOOPBACK}:5070", within(5.0))
        return any(has(other, user) for other in others)


def are_equal(nodes: Iterable[Appliance]) -> Iterator[bool]:
    """Whether each has as many live contacts as the first one."""
    counts = [count_of(node) for node in nodes]
    return (count == counts[0] for count in counts)


@contextmanager
def table_of(node: Appliance) -> Iterator[SharedTable]:
    """The registration table of a node that runs, or was killed."""
    folder = TableFolder(folder_path(node.state, {}))
    table = SharedTable.attach(folder.directory(folder.current()), 1)
    try:
        yield table
    finally:
        table.close()


def count_of(node: Appliance) -> int:
    """How many contacts a node has."""
    with table_of(node) as table:
        return len(table)


def has(node: Appliance, user: str) -> bool:
    """Is a phone registered at a node?"""
    with table_of(node) as table:
        return bool(table.record_of(f"sip:{user}@{node.domain}".encode()))


def missing_at(node: Appliance, users: Iterable[str]) -> list[str]:
    """Who of these is not registered there."""
    with table_of(node) as table:
        return [user for user in users if not table.record_of(f"sip:{user}@{node.domain}".encode())]


def kill_node(node: Appliance) -> None:
    """SIGKILL to all processes of a node at once."""
    os.killpg(node.process.pid, signal.SIGKILL)
    node.process.popen.wait()
