"""Calls at a virtual address that ring when their node dies are answered through another node, as root (design 4)."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.cluster_namespaces import FIRST, ClusterOfAppliances
from tests.live.lease_namespaces import SECOND_V4, V4, need_namespaces
from tests.live.machine import within
from tests.live.namespace_sipp import start_calls
from tests.live.processes import wait_until

pytestmark = [pytest.mark.long, pytest.mark.cluster]

FEW = 40
RING_MS = 3000
MANY, MANY_PER_S, SWITCHOVERS = 10_000, 100, 15
# Longer than an answer takes to be repeated whose ACK was lost.
TALK_MS = 2000


@pytest.fixture
def net(tmp_path: Path) -> Iterator[ClusterOfAppliances]:
    """Three nodes; the first address is node 1's."""
    need_namespaces()
    with ClusterOfAppliances(tmp_path, listener_lines=("relay any",)) as namespaces:
        namespaces.start()
        wait_until(lambda: all(node.is_linked() for node in namespaces.nodes.values()), "links are up", within(60.0))
        yield namespaces


def test_calls_ring_on_when_their_node_dies(net: ClusterOfAppliances, record_property: Any) -> None:
    """All processes of the owner are killed once all calls ring: each is answered, acknowledged and ended."""
    caller, callee = start_calls(net, FEW, FEW, RING_MS)
    wait_until(lambda: net.nodes[1].counters().get("calls-started") == FEW, "all calls have begun", RING_MS / 1000)
    net.nodes[1].signal_all(signal.SIGKILL)
    succeeded, failed = caller.outcome()
    record_property("failed", failed)
    assert (succeeded, failed) == (FEW, 0)
    assert callee.outcome() == (FEW, 0)
    owner = net.owner(FIRST)
    assert owner != 1
    wait_until(lambda: net.nodes[owner].counters().get("calls-answered") == FEW, "the figures are told", within(5.0))
    assert net.nodes[owner].counters()["calls-adopted"] == FEW


def test_no_call_fails_while_its_address_goes_to_and_fro(net: ClusterOfAppliances) -> None:
    """A worker hears of a switchover after the kernel: what it sends in between is dropped, and is sent again."""
    net.await_members()
    caller, callee = start_calls(net, MANY, MANY_PER_S, 100, talk_ms=TALK_MS)
    for number in (2, 1) * SWITCHOVERS:
        net.give(FIRST, number)
    caller.finish()
    succeeded, failed = caller.outcome()
    # To SIPp an INVITE that comes again once it was answered is a failure (RFC 6026 7.1: it is absorbed).
    callee.end()
    assert succeeded and not failed


def test_the_counters_of_all_nodes_are_what_the_phones_sent(net: ClusterOfAppliances) -> None:
    """Calls at two addresses, which two nodes own: their counters add up to what SIPp has counted."""
    before = total(net)
    expected: Counter[str] = Counter()
    for address in (V4, SECOND_V4):
        caller, callee = start_calls(net, FEW, FEW, 0, at=address)
        assert caller.outcome() == (FEW, 0)
        assert callee.outcome() == (FEW, 0)
        expected += Counter({"calls-started": FEW, "calls-answered": FEW})
        expected += Counter({"requests-received": caller.sent(), "responses-received": callee.sent()})
    told = lambda: {name: total(net)[name] - before[name] for name in expected}  # noqa: E731
    wait_until(lambda: told() == expected, "the figures agree", within(10.0))
    assert [node.counters()["calls-started"] for node in net.nodes.values()] == [FEW, FEW, 0]


def total(net: ClusterOfAppliances) -> Counter[str]:
    """The counters of all nodes together."""
    return sum((Counter(node.counters()) for node in net.nodes.values()), Counter())
