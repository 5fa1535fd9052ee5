"""Registrations of a cluster: what one node has answered, the others have, whatever happens to it."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import pytest

from tests.live.appliance import Appliance
from tests.live.cluster_nodes import ClusterNodes, count_of, has, kill_node, missing_at
from tests.live.machine import rate, within
from tests.live.phones import register_many
from tests.live.processes import LOOPBACK, Processes, freeze, wait_until
from tests.live.sipp import call, register, start_callee

pytestmark = pytest.mark.cluster

CONTACT = f"sip:phone@{LOOPBACK}:5070"
ANSWERED_PER_S = rate(300)


def test_a_phone_that_registered_at_one_node_is_called_at_the_others(processes: Processes) -> None:
    """RFC 3261 10.3: one location service, on three nodes."""
    cluster = ClusterNodes(processes, 3)
    cluster.start()
    first, second, third = cluster.nodes
    callee = start_callee(processes)
    before = first.counter("registrations-unreplicated")
    register(processes, first, "bob", callee.contact)
    # Nothing is waited for: one of the others had it before the answer.
    assert has(second, "bob") or has(third, "bob")
    cluster.await_sync()
    call(processes, second)
    callee.succeed()
    # None since they wait.
    assert first.counter("registrations-unreplicated") == before


def test_what_was_answered_is_on_the_other_node_when_one_is_killed(processes: Processes) -> None:
    """All processes of a node at once, by SIGKILL, while phones register."""
    cluster = ClusterNodes(processes, 2)
    cluster.start()
    first, second = cluster.nodes
    phones = Phones(first)
    phones.register_for(within(5.0), ANSWERED_PER_S, lambda: len(phones.answered) > 3 * ANSWERED_PER_S)
    kill_node(first)
    phones.collect()
    assert len(phones.answered) > ANSWERED_PER_S
    assert missing_at(second, phones.answered) == []
    counters = second.counters()
    assert counters["replication-records-received"] >= len(phones.answered)


def test_a_node_that_was_away_gets_what_it_missed(processes: Processes) -> None:
    """Both go on: one is killed and comes back with what is on its disk."""
    cluster = ClusterNodes(processes, 2)
    cluster.start()
    first, second = cluster.nodes
    users = [f"user{number}" for number in range(500)]
    assert register_many(first, users, CONTACT, within(30.0)) == {200: 500}
    kill_node(second)
    others = [f"other{number}" for number in range(500)]
    assert register_many(first, others, CONTACT, within(30.0)) == {200: 500}
    second.start()
    took_s = wait_until(lambda: missing_at(second, users + others) == [], "all are back")
    print(f"1,000 registrations were back {took_s:.1f} s after the start")


def test_a_frozen_node_delays_no_answer_for_long(processes: Processes) -> None:
    """Its links are lost after 0.3 s, and no answer waits for it then."""
    cluster = ClusterNodes(processes, 2)
    cluster.start()
    first, second = cluster.nodes
    replicator = second.status()["processes"]
    pids = [process["pid"] for process in replicator if process["name"] == "replicator"]
    assert len(pids) == 1
    freeze(pids[0])
    begun = time.monotonic()
    users = [f"user{number}" for number in range(300)]
    assert register_many(first, users, CONTACT, within(30.0)) == {200: 300}
    assert time.monotonic() - begun < within(5.0)
    # The supervisor ends what does not answer, and starts it again.
    wait_until(lambda: missing_at(second, users) == [], "the other node has all")


@pytest.mark.figures
@pytest.mark.parametrize("count", [20_000])
def test_a_node_that_joins_gets_all(processes: Processes, count: int, record_property: Callable[..., None]) -> None:
    cluster = ClusterNodes(processes, 2)
    first, second = cluster.nodes
    first.start()
    users = [f"user{number}" for number in range(count)]
    statuses = register_many(first, users, CONTACT, within(300.0))
    assert statuses == {200: count}
    second.start()
    begun = time.monotonic()
    wait_until(lambda: count_of(second) == count, "the new node has all", pause_s=0.1)
    took_s = time.monotonic() - begun
    record_property("registrations to a node that joins, s", round(took_s, 1))
    print(f"{count} registrations were on the new node after {took_s:.1f} s")


class Phones:
    """Register one after the other at a bounded rate. answered: who has a 200."""

    def __init__(self, node: Appliance) -> None:
        self.answered: list[str] = []
        self._node = node
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((LOOPBACK, 0))
        self._socket.connect((node.address, node.port))
        self._socket.setblocking(False)

    def register_for(self, seconds: float, per_s: int, is_enough: Callable[[], bool]) -> None:
        """So many a second, until it is enough, or for so long."""
        begun, sent = time.monotonic(), 0
        while time.monotonic() - begun < seconds and not is_enough():
            while sent < (time.monotonic() - begun) * per_s:
                sent += 1
                self._send(f"phone{sent}")
            self.collect()
            time.sleep(0.002)

    def _send(self, user: str) -> None:
        domain = self._node.domain
        self._socket.send(
            f"REGISTER sip:{domain} SIP/2.0\r\nVia: SIP/2.0/UDP {LOOPBACK};rport;branch=z9hG4bK{user}\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:{user}@{domain}>;tag=1\r\nTo: <sip:{user}@{domain}>\r\n"
            f"Call-ID: {user}\r\nCSeq: 1 REGISTER\r\nContact: <{CONTACT}>\r\nExpires: 3600\r\n"
            "Content-Length: 0\r\n\r\n".encode()
        )

    def collect(self) -> None:
        """Take in what was answered."""
        while True:
            try:
                data = self._socket.recv(65536)
            except (BlockingIOError, ConnectionRefusedError):
                return
            if data.startswith(b"SIP/2.0 200"):
                self.answered.append(data.partition(b"\r\nCall-ID: ")[2].partition(b"\r\n")[0].decode())
