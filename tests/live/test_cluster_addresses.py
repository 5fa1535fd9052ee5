"""Virtual addresses of whole appliances, in network namespaces, as root: one node at a time answers OPTIONS.

Nodes are killed, frozen, drained and switched over. What failures cost is measured in test_lease_figures.py.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from tests.live.cluster_namespaces import FIRST, SECOND, START_TIMEOUT_S, ClusterOfAppliances
from tests.live.control import Control
from tests.live.lease_namespaces import SECOND_V4, SECOND_V6, V4, V6, Observed, need_namespaces
from tests.live.namespace_etcd import NamespaceEtcd
from tests.live.processes import wait_until

pytestmark = [pytest.mark.long, pytest.mark.cluster]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterOfAppliances]:
    """Three nodes with a member of etcd beside each, which all tests share."""
    need_namespaces()
    with ClusterOfAppliances(tmp_path_factory.mktemp("addresses")) as namespaces:
        NamespaceEtcd(namespaces)
        namespaces.start()
        yield namespaces


@pytest.fixture
def net(cluster: ClusterOfAppliances) -> ClusterOfAppliances:
    """All nodes take part; the first address is node 1's, the second one node 2's."""
    cluster.settle()
    return cluster


def moved(net: ClusterOfAppliances) -> int:
    """Wait until another node than the first owns the first address; its number."""
    others = {number: node for number, node in net.nodes.items() if number != 1}
    owners = lambda: [number for number, node in others.items() if node.stance() == "owning"]  # noqa: E731
    wait_until(owners, "another node owns the address")
    return owners()[0]


def why(net: ClusterOfAppliances, number: int) -> str:
    """Why a node took the first address over last, as its log says: whether it had to wait for the lease to end."""
    lines = (net.folder / f"node{number}.log").read_text().splitlines()
    took = [line for line in lines if f"address first: owner node-{number} " in line]
    return took[-1].partition("(")[2].removesuffix(")")


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
    wait_until(lambda: net.nodes[1].stance() == "following", "the node is back", START_TIMEOUT_S)


def test_the_supervisor_alone_is_killed(net: ClusterOfAppliances) -> None:
    """Its other processes end with it, and the guard gives the addresses away."""
    with net.polling() as finish:
        os.kill(net.nodes[1].pid, signal.SIGKILL)
        owner = moved(net)
        seen = Observed(finish())
    seen.check_one_owner()
    assert why(net, owner) == "the last owner: its process ended"


def test_the_lease_process_alone_is_killed(net: ClusterOfAppliances) -> None:
    """Another node has the address at once; the supervisor starts the process again."""
    former = net.nodes[1].lease_pid
    with net.polling() as finish:
        os.kill(former, signal.SIGKILL)
        owner = moved(net)
        seen = Observed(finish())
    seen.check_one_owner()
    assert why(net, owner) == "the last owner: its process ended"
    wait_until(lambda: net.nodes[1].stance() == "following", "the lease process runs again")
    assert net.nodes[1].lease_pid != former


def test_a_node_without_a_worker_owns_nothing(net: ClusterOfAppliances) -> None:
    """Its only worker is killed, and would be back in a second: another node has the address before."""
    with net.polling() as finish:
        for pid in net.nodes[1].pids_of("appliance.workers"):
            os.kill(pid, signal.SIGKILL)
        moved(net)
        seen = Observed(finish())
    seen.check_one_owner()


def test_a_frozen_node_is_silent_before_another_one_answers(net: ClusterOfAppliances) -> None:
    with net.polling() as finish:
        net.nodes[1].freeze()
        moved(net)
        net.nodes[1].signal_all(signal.SIGCONT)
        wait_until(lambda: net.nodes[1].stance() == "following", "the first owner follows", 30.0)
        seen = Observed(finish())
    seen.check_one_owner()
    assert len(seen.changes(V4)) == 2


def test_an_operator_moves_an_address_from_any_node(net: ClusterOfAppliances) -> None:
    """`cluster switchover` at a node that does not own it."""
    with net.polling() as finish, Control(net.nodes[3].state_dir) as control:
        done = control.ask("cluster switchover", address=V4, node="node-2")
        assert done["text"] == "The virtual address first goes to node node-2."
        assert moved(net) == 2
        refused = control.error("cluster switchover", address="first", node="node-7")
        assert refused["message"] == "The cluster has no node node-7."
        seen = Observed(finish())
    seen.check_one_owner()
    assert why(net, 2) == "the last owner: gave it up"


def test_a_drained_node_owns_nothing_until_it_is_undrained(net: ClusterOfAppliances) -> None:
    """`cluster drain` at another node; it is drained still after a restart of the appliance."""
    with Control(net.nodes[3].state_dir) as control:
        control.ask("cluster drain", node="node-1")
        moved(net)
        net.nodes[1].signal_all(signal.SIGKILL)
        net.nodes[1].start()
        wait_until(lambda: net.nodes[1].stance(), "the node is back", START_TIMEOUT_S)
        drained = lambda: net.nodes[1].status()["is_draining"]  # noqa: E731
        wait_until(drained, "it has heard that it is drained")
        # It could own addresses, and does not.
        wait_until(lambda: net.nodes[1].status()["is_ready"], "it is ready", START_TIMEOUT_S)
        assert drained() and net.nodes[1].stance() == "following"
        refused = control.error("cluster switchover", address="first", node="node-1")
        assert refused["message"] == "That node cannot take it now."
        control.ask("cluster undrain", node="node-1")
        # Refused until the third node has heard that the first one may own addresses again.
        switch = lambda: "result" in control.answer("cluster switchover", address="first", node="node-1")  # noqa: E731
        wait_until(switch, "the switchover is accepted")
    net.wait_for_owner(1)


def test_a_changed_virtual_address_takes_effect_by_a_commit(net: ClusterOfAppliances) -> None:
    """The lease process gives its addresses away and starts anew; an unknown node is refused with the known ones."""
    with Control(net.nodes[1].state_dir) as control:
        text = control.ask("show running-config")["text"]
        section = "virtual-address third\n  address 10.77.0.52/24\n  node nowhere\n!\n"
        wrong = control.error("commit", text=text + section, base=control.ask("show running-config")["commit"])
        assert "the cluster has no node nowhere" in str(wrong)
        former = net.nodes[1].lease_pid
        control.commit(text.replace("  address 10.77.0.51/24\n", "  address 10.77.0.51/24\n  preempt\n"))
        wait_until(lambda: net.nodes[1].pids_of("leases.lease") not in ([], [former]), "a new lease process runs")
    wait_until(lambda: net.owner(FIRST) and net.owner(SECOND), "the addresses have owners", 30.0)
