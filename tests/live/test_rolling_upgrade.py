"""Nodes of two versions in one cluster, as root: calls and registrations go on while one node after the other is
upgraded. SIGNALBOX_PREVIOUS is the folder of an older version's modules; `make test-cluster` makes it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.live.cluster_namespaces import FIRST, ApplianceNode, ClusterOfAppliances
from tests.live.lease_namespaces import need_namespaces
from tests.live.machine import within
from tests.live.namespace_sipp import start_calls
from tests.live.processes import wait_until

PREVIOUS = os.environ.get("SIGNALBOX_PREVIOUS", "")

pytestmark = [
    pytest.mark.long,
    pytest.mark.cluster,
    pytest.mark.skipif(not PREVIOUS, reason="there are no modules of an older version (set SIGNALBOX_PREVIOUS)"),
]

FEW = 40
RING_MS = 3000
CALLS_PER_S = 20
TIMEOUT_S = 600
CALLS_MAX = CALLS_PER_S * TIMEOUT_S


@contextmanager
def cluster(folder: Path, previous: Sequence[int]) -> Iterator[ClusterOfAppliances]:
    """Three nodes, these of the older version; the first address is node 1's."""
    need_namespaces()
    with ClusterOfAppliances(folder, listener_lines=("relay any",)) as net:
        for number in previous:
            net.nodes[number].modules = PREVIOUS
        net.start()
        await_links(net)
        yield net


def await_links(net: ClusterOfAppliances) -> None:
    wait_until(lambda: all(node.is_linked() for node in net.nodes.values()), "links are up", within(60.0))


def upgrade(net: ClusterOfAppliances, node: ApplianceNode) -> None:
    """Stop a node in order and start it with the present modules."""
    assert node.supervisor is not None
    node.supervisor.send_signal(signal.SIGTERM)
    assert node.supervisor.wait(60) == 0
    node.modules = ""
    node.start()
    net.await_members()
    await_links(net)


@pytest.mark.parametrize("previous", [(1,), (2, 3)], ids=["the older one dies", "the newer one dies"])
def test_ringing_calls_are_answered_by_a_node_of_another_version(tmp_path: Path, previous: Sequence[int]) -> None:
    with cluster(tmp_path, previous) as net:
        caller, callee = start_calls(net, FEW, FEW, RING_MS)
        wait_until(lambda: ringing(net.nodes[1]) == FEW, "all calls have begun", RING_MS / 1000)
        net.nodes[1].signal_all(signal.SIGKILL)
        assert caller.outcome() == (FEW, 0)
        assert callee.outcome() == (FEW, 0)
        assert net.owner(FIRST) != 1


def ringing(node: ApplianceNode) -> int:
    return node.counters().get("calls-started", 0)


def test_calls_go_on_while_each_node_is_upgraded(tmp_path: Path) -> None:
    """The way of docs/high-availability.md: one node after the other is stopped, upgraded and started."""
    with cluster(tmp_path, (1, 2, 3)) as net:
        caller, callee = start_calls(net, CALLS_MAX, CALLS_PER_S, RING_MS, timeout_s=TIMEOUT_S)
        for node in net.nodes.values():
            upgrade(net, node)
        caller.finish()
        succeeded, failed = caller.outcome()
        callee.finish()
        assert failed == 0
        assert callee.outcome() == (succeeded, 0)
