"""Virtual addresses of whole appliances, in network namespaces, as root: one node at a time answers OPTIONS.

Nodes are killed, frozen, drained and switched over. Figures: test_cluster_figures.py.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.cluster_namespaces import ClusterOfAppliances
from tests.live.lease_namespaces import SECOND_V4, SECOND_V6, V4, V6, Observed, need_namespaces
from tests.live.processes import wait_until

pytestmark = pytest.mark.long


@pytest.fixture
def net(tmp_path: Path) -> Iterator[ClusterOfAppliances]:
    """Three nodes; the first address is node 1's, the second one node 2's."""
    need_namespaces()
    with ClusterOfAppliances(tmp_path) as namespaces:
        namespaces.start()
        yield namespaces


def moved(net: ClusterOfAppliances) -> int:
    """Wait until another node than the first owns the first address; its number."""
    others = {number: node for number, node in net.nodes.items() if number != 1}
    owners = lambda: [number for number, node in others.items() if node.stance() == "owning"]  # noqa: E731
    wait_until(owners, "another node owns the address")
    return owners()[0]


def test_all_processes_of_the_owner_are_killed(net: ClusterOfAppliances) -> None:
    with net.polling() as finish:
        net.nodes[1].signal_all(signal.SIGKILL)
        moved(net)
        seen = Observed(finish())
    seen.check_one_owner()
    for address in (V4, V6):
        assert len(seen.changes(address)) == 2
    for address in (SECOND_V4, SECOND_V6):
        assert len(seen.changes(address)) == 1
    # It comes back and owns nothing: the address has an owner.
    net.nodes[1].start()
    wait_until(lambda: net.nodes[1].stance() == "following", "the node is back", 60.0)


def test_the_supervisor_alone_is_killed(net: ClusterOfAppliances) -> None:
    """Its other processes end with it, and the guard gives the addresses away."""
    with net.polling() as finish:
        os.kill(net.nodes[1].pid, signal.SIGKILL)
        moved(net)
        seen = Observed(finish())
    seen.check_one_owner()
    assert seen.longest_gap_s(V4, V6) < net.settings.lease_s / 2


def test_the_lease_process_alone_is_killed(net: ClusterOfAppliances) -> None:
    """Another node has the address at once; the supervisor starts the process again."""
    former = net.nodes[1].lease_pid
    with net.polling() as finish:
        os.kill(former, signal.SIGKILL)
        moved(net)
        seen = Observed(finish())
    seen.check_one_owner()
    assert seen.longest_gap_s(V4, V6) < net.settings.lease_s / 2
    wait_until(lambda: net.nodes[1].stance() == "following", "the lease process runs again")
    assert net.nodes[1].lease_pid != former
