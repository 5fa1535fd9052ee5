"""Calls and registrations at a virtual address while nodes are killed, and while etcd is gone, as root.

Rates are those that the machine carries (machine.py); each test says what it was.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from tests.live.appliance import DOMAIN
from tests.live.cluster_namespaces import FIRST, ClusterOfAppliances
from tests.live.cluster_targets import TARGETS
from tests.live.lease_namespaces import V4, inside, need_namespaces
from tests.live.machine import rate, within
from tests.live.namespace_etcd import NamespaceEtcd
from tests.live.namespace_sipp import CLIENT, TIMEOUT_S, start_calls
from tests.live.processes import wait_until
from tests.live.registering import Registering

RECORD = Callable[[str, object], None]
CALLS_PER_S = rate(int(os.environ.get("SIGNALBOX_CALLS_PER_S", "300")))
CALLS_S, DEATH_EVERY_S = int(os.environ.get("SIGNALBOX_CALLS_S", "60")), 20.0
RING_MS, TALK_MS = 3000, 2000
REGISTERS_PER_S = rate(int(os.environ.get("SIGNALBOX_REGISTERS_PER_S", "1000")))
PHONES = 5 * REGISTERS_PER_S
REGISTERS_S = 12.0
ETCD_GONE_S, FROZEN_S = float(os.environ.get("SIGNALBOX_ETCD_GONE_S", "60")), 20.0
ETCD_CALLS_PER_S = rate(int(os.environ.get("SIGNALBOX_ETCD_CALLS_PER_S", "50")))

pytestmark = [pytest.mark.cluster, pytest.mark.figures]


class Cluster(ClusterOfAppliances):
    """The nodes and etcd."""

    members_of_etcd: NamespaceEtcd

    def kill_owner(self) -> int:
        """All processes of the owner of the first address; returns its number when another node owns that."""
        former = self.owner(FIRST)
        self.nodes[former].signal_all(signal.SIGKILL)
        wait_until(lambda: self.owner(FIRST) not in (0, former), "another node owns the address", within(5.0))
        return former

    def epoch(self) -> int:
        """Of the first address, as any node knows it."""
        rows = [row for node in self.nodes.values() for row in node.status()["addresses"] if row["address"] == FIRST]
        return max(int(row["epoch"]) for row in rows)


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Three nodes, which all tests share."""
    need_namespaces()
    with Cluster(tmp_path_factory.mktemp("load"), listener_lines=("relay any",)) as cluster:
        cluster.members_of_etcd = NamespaceEtcd(cluster)
        cluster.start()
        yield cluster


def test_registrations_that_were_answered_outlive_their_node(net: Cluster, record_property: RECORD) -> None:
    """RFC 3261 10.3: the owner is killed under REGISTERs; the next one has all that was answered."""
    net.settle()
    with inside(net.client):
        phones = Registering(5060, DOMAIN, PHONES, REGISTERS_PER_S, V4, CLIENT)
    phones.start()
    time.sleep(REGISTERS_S / 2)
    former = net.kill_owner()
    time.sleep(REGISTERS_S / 2)
    phones.end()
    broken = phones.broken_promises()
    # Of those without an answer it is not known.
    lost = [sentence for sentence in broken if not sentence.endswith("no answer")]
    record_property("registers_per_s", REGISTERS_PER_S)
    record_property("answers", dict(phones.statuses))
    record_property("unanswered", phones.unanswered)
    record_property("not_asked", len(broken) - len(lost))
    record_property("registrations_lost", len(lost))
    net.start_again(former)
    assert broken == []
    assert phones.unanswered == 0
    assert phones.statuses[200] > REGISTERS_S * REGISTERS_PER_S / 2


def test_calls_go_on_while_their_nodes_die(net: Cluster, record_property: RECORD) -> None:
    """Calls that ring for 3 s and last for 2 s, and the owner killed every 20 s."""
    net.settle()
    calls = CALLS_PER_S * CALLS_S
    caller, callee = start_calls(
        net, calls, CALLS_PER_S, RING_MS, "-l", str(20 * CALLS_PER_S), talk_ms=TALK_MS
    )
    begun, deaths = time.monotonic(), 0
    while (deaths + 1) * DEATH_EVERY_S < CALLS_S and time.monotonic() < begun + CALLS_S - DEATH_EVERY_S:
        time.sleep(max(0.0, begun + (deaths + 1) * DEATH_EVERY_S - time.monotonic()))
        # Without the one that was killed last there would be no majority.
        net.await_members()
        net.start_again(net.kill_owner())
        deaths += 1
    succeeded, failed = caller.outcome()
    # It waits for the calls that failed, at the port of the next test.
    callee.end()
    course = caller.course()
    for name, figure in (
        ("calls_per_s", CALLS_PER_S),
        ("calls", calls),
        ("deaths", deaths),
        ("failed_ringing", course.failed_ringing),
        ("failed_established", course.failed_established),
        ("failed_ringing_share", course.failed_ringing / calls),
        ("adopted", sum(node.counters().get("calls-adopted", 0) for node in net.nodes.values())),
    ):
        record_property(name, figure)
    assert succeeded + failed == calls
    assert course.failed_established <= TARGETS["failed_established"].must
    assert course.failed_ringing <= calls * TARGETS["failed_ringing_share"].must


def test_nothing_changes_while_etcd_is_gone(net: Cluster, record_property: RECORD) -> None:
    """First all members of etcd are frozen, then they are killed: no call fails, no address moves."""
    net.settle()
    etcd, before = net.members_of_etcd, net.epoch()
    calls = int(ETCD_CALLS_PER_S * ETCD_GONE_S)
    etcd.freeze()
    timeout_s = TIMEOUT_S + round(ETCD_GONE_S)
    caller, _ = start_calls(net, calls, ETCD_CALLS_PER_S, RING_MS, talk_ms=TALK_MS, timeout_s=timeout_s)
    time.sleep(FROZEN_S)
    etcd.go_on()
    for number in net.nodes:
        etcd.kill(number)
    succeeded, failed = caller.outcome()
    moved = net.epoch() - before
    for number in net.nodes:
        etcd.start(number)
    record_property("calls", calls)
    record_property("etcd_gone_failed_calls", failed)
    record_property("etcd_gone_take_overs", moved)
    assert (succeeded, failed, moved) == (calls, 0, 0)
    assert net.owner(FIRST) == 1
