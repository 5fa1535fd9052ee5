"""`show ... node NAME|all` in the shell of a cluster of three nodes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.live.appliance import Appliance
from tests.live.cluster_nodes import ClusterNodes, kill_node
from tests.live.control import Control
from tests.live.processes import Processes, wait_until
from tests.live.sipp import register

pytestmark = pytest.mark.cluster

CONTACT = "sip:bob@127.0.0.1:5070"


def values(appliance: Appliance, **args: str) -> dict[str, int]:
    """Counters of registrations, as a node shows its own or those of another one."""
    with Control(appliance.state) as control:
        shown: dict[str, Any] = control.ask("show counters", **args)
    rows = shown["nodes"][args["node"]]["counters"] if args else shown["counters"]
    return {row["name"]: row["value"] for row in rows if row["group"] == "registrations"}


def test_another_node_is_shown_as_it_shows_itself(processes: Processes) -> None:
    """Also when one of three has been killed: it is named, the others are shown, and the script fails."""
    cluster = ClusterNodes(processes, 3)
    cluster.start()
    first, second, third = cluster.nodes
    register(processes, second, "bob", CONTACT)
    # The management process looks at the counters now and then.
    wait_until(lambda: any(values(second).values()), "the registration is counted")
    wait_until(lambda: values(first, node="node-2") == values(second) != values(first), "it shows the same")
    done = first.command("cli", stdin="show workers node all | json\n")
    assert done.returncode == 0, done.stderr
    assert list(json.loads(done.stdout)) == ["node-1", "node-2", "node-3"]
    kill_node(third)
    done = first.command("cli", stdin="show processes node all\n")
    assert done.returncode == 1
    headings = [line for line in done.stdout.splitlines() if line.startswith("Node ")]
    assert headings == ["Node node-1:", "Node node-2:", "Node node-3:"]
    last = done.stdout.partition("Node node-3:")[2]
    assert "unreachable" in last or "did not answer" in last
    assert done.stdout.count("supervisor") == 2
