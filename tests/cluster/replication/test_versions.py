"""A node of this version and one of an earlier version replicate to each other (design 4, an upgrade node by node)."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.catalogue.counters import LINK_BATCHES_DROPPED
from appliance.ipc.bus import Bus
from appliance.messages.flow_messages import WorkerConnections
from appliance.transport.process_id import REPLICATOR, process_id
from tests.cluster.replication.test_replicator_process import Node, in_sync, until
from tests.cluster.replication.test_replicator_process import nodes as nodes_of_this_version

ROOT = Path(__file__).parents[3]
# The last version whose nodes knew nothing of connections and counts of other nodes.
EARLIER = "c903590eee0ca2eebea4dcb6fa7787b8858f1bcc"
nodes = nodes_of_this_version  # the fixture


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """The source of the earlier version."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("the earlier version is in the history of the repository, which is not here")
    tree = tmp_path / "earlier"
    tree.mkdir()
    archive = subprocess.run(["git", "-C", str(ROOT), "archive", EARLIER, "appliance"], capture_output=True)
    if archive.returncode:
        pytest.skip(f"this clone has no commit {EARLIER[:8]}")
    subprocess.run(["tar", "-x", "-C", str(tree)], input=archive.stdout, check=True)
    return tree


@pytest.fixture
def pair(nodes: list[Node], earlier: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Node]]:
    """Node 1 of the earlier version, node 2 of this one, in sync."""
    first, second = nodes
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(earlier), os.environ.get("PYTHONPATH", "")]))
    first.start()
    monkeypatch.undo()
    second.start()
    assert first.process is not None
    environment = Path(f"/proc/{first.process.pid}/environ")
    until(lambda: str(earlier).encode() in environment.read_bytes())
    until(lambda: in_sync(first) and in_sync(second), *nodes)
    yield nodes


def test_registrations_go_both_ways_between_two_versions(pair: list[Node]) -> None:
    first, second = pair
    number = first.register(1)
    until(lambda: first.table.acknowledged() >= number)
    number = second.register(2)
    until(lambda: second.table.acknowledged() >= number)
    assert second.has(1) and first.has(2)


def test_what_the_earlier_version_does_not_know_is_skipped_and_changes_nothing(pair: list[Node]) -> None:
    """Node 2 tells of a connection; node 1 counts that as a message of another version, and the link stays."""
    first, second = pair
    worker = process_id(second.number, 0)
    bus = Bus(second.state_dir / "run", worker)
    try:
        replicator = process_id(second.number, REPLICATOR)
        until(lambda: bus.send(replicator, [WorkerConnections(worker, is_anew=True)]), second)
        number = second.register(3)
        until(lambda: second.table.acknowledged() >= number and first.has(3), *pair)
    finally:
        bus.close()
    assert all(peer.is_connected for node in pair for peer in node.report.peers)
    # Counted there among the batches that were dropped.
    until(lambda: first.counters[LINK_BATCHES_DROPPED] > 0, *pair)
