"""A node leaves its cluster, and joins it again, while calls go on at a virtual address; as root (design 4)."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from appliance.storage.cluster_file import cluster_path
from tests.live.appliance import SIGNALBOX
from tests.live.cluster_namespaces import FIRST, LINK_PORT, START_TIMEOUT_S, ApplianceNode, ClusterOfAppliances
from tests.live.lease_namespaces import V4, V6, Observed, need_namespaces
from tests.live.machine import within
from tests.live.namespace_etcd import NamespaceEtcd
from tests.live.namespace_sipp import start_calls
from tests.live.processes import wait_until

pytestmark = [pytest.mark.long, pytest.mark.cluster]

CALLS_MAX, CALLS_PER_S, RING_MS = 100_000, 20, 1000
# A change of the members waits for the one before.
COMMAND_S = 120
CALLS_S = 600


def said(node: ApplianceNode, *words: str) -> str:
    """What `signalbox cluster WORDS` prints on a node; fails the test when it fails."""
    argv = ["ip", "netns", "exec", node.namespace, str(SIGNALBOX), "cluster", *words, "--state", str(node.state_dir)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=COMMAND_S)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_node_leaves_and_joins_while_calls_go_on(tmp_path: Path) -> None:
    need_namespaces()
    with ClusterOfAppliances(tmp_path, listener_lines=("relay any",)) as net:
        NamespaceEtcd(net)
        net.start()
        wait_until(lambda: all(node.is_linked() for node in net.nodes.values()), "links are up", within(60.0))
        leases = [net.nodes[number].lease_pid for number in (1, 2)]
        caller, callee = start_calls(net, CALLS_MAX, CALLS_PER_S, RING_MS, timeout_s=CALLS_S)
        with net.polling() as finish:
            leave_and_join(net.nodes[3], net.nodes[1])
            seen = Observed(finish())
        caller.finish()
        succeeded, failed = caller.outcome()
        callee.finish()
        assert failed == 0
        assert callee.outcome() == (succeeded, 0)
        seen.check_one_owner()
        assert [len(seen.changes(address)) for address in (V4, V6)] == [1, 1]
        assert net.owner(FIRST) == 1
        assert [net.nodes[number].lease_pid for number in (1, 2)] == leases


def leave_and_join(node: ApplianceNode, other: ApplianceNode) -> None:
    """The way of docs/cluster.md. Its number is another one afterwards."""
    assert node.supervisor is not None
    node.supervisor.send_signal(signal.SIGTERM)
    assert node.supervisor.wait(60) == 0
    assert "has left the cluster" in said(node, "leave")
    assert not cluster_path(node.state_dir).exists()
    token = said(other, "token").split()[-1]
    machine = ("--address", f"10.77.0.{node.number}", "--node", f"node-{node.number}", "--link-port", str(LINK_PORT))
    said(node, "join", token, *machine)
    node.run_appliance()
    wait_until(lambda: node.stance() == "following", "it takes part again", START_TIMEOUT_S)
    wait_until(node.is_linked, "it is linked", within(60.0))
