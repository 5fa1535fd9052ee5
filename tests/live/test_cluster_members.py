"""Members of a cluster come and go, with a real etcd of three members on loopback and real appliances.

Calls and registrations need no etcd: what is shown here is that nothing of a node waits for it.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.cluster.coordination.key_store import Put, StoreFull
from appliance.cluster.coordination.store import EtcdStore
from appliance.storage.cluster_file import cluster_path, read_cluster
from tests.live.appliance import PATIENT, SIGNALBOX, Appliance
from tests.live.control import Control
from tests.live.etcd import Etcd
from tests.live.machine import within
from tests.live.processes import LOOPBACK, Process, Processes, free_port, running, wait_until

pytestmark = pytest.mark.cluster

TOLD_S = within(120.0)
# Two appliances and three members of etcd start at once.
START_TIMEOUT_S = within(120.0)


@pytest.fixture(scope="module")
def etcd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Etcd]:
    """Three members, for all tests that leave them as they are."""
    with running(tmp_path_factory.mktemp("etcd")) as processes:
        yield Etcd(processes, 3)


def signalbox(*words: str, state: Path) -> subprocess.CompletedProcess[str]:
    """`signalbox WORDS --state DIR`."""
    argv = [str(SIGNALBOX), *words, "--state", str(state)]
    return subprocess.run(argv, capture_output=True, text=True, timeout=within(60.0), check=False)


def said(*words: str, state: Path) -> str:
    """What it prints; fails the test when it fails."""
    done = signalbox(*words, state=state)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def refused(*words: str, state: Path) -> str:
    """Why it fails, in one sentence; fails the test when it does not."""
    done = signalbox(*words, state=state)
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stderr
    return done.stderr.strip()


def machine(name: str) -> list[str]:
    """The options of a machine that becomes a member."""
    ports = ["--heartbeat-port", str(free_port()), "--link-port", str(free_port())]
    return ["--address", LOOPBACK, "--node", name, *ports]


@pytest.fixture
def name(tmp_path: Path) -> str:
    """The name of a cluster that no other test has."""
    return f"c{abs(hash(str(tmp_path))) % 10**12}"


class Nodes:
    """Two nodes of a cluster, each an appliance of its own."""

    def __init__(self, processes: Processes, etcd: Etcd, name: str) -> None:
        self.name = name
        self.etcd = etcd
        self.processes = processes
        self.all: dict[str, Appliance] = {}
        first = self._appliance("a")
        said("cluster", "create", name, "--etcd", ",".join(etcd.urls), *machine("a"), state=first.state)
        first.start(START_TIMEOUT_S)
        self.add("b")

    def _appliance(self, node: str) -> Appliance:
        self.all[node] = Appliance(self.processes, PATIENT, workers=1)
        return self.all[node]

    def add(self, node: str) -> Appliance:
        """One node more."""
        token = said("cluster", "token", state=self.all["a"].state)
        appliance = self._appliance(node)
        assert f"{node} is member" in said("cluster", "join", token, *machine(node), state=appliance.state)
        appliance.start(START_TIMEOUT_S)
        return appliance

    def show(self, node: str, what: str = "show cluster") -> dict[str, Any]:
        """What an operator of that node sees."""
        with Control(self.all[node].state) as control:
            return control.ask(what)

    def states(self, node: str) -> dict[str, str]:
        """The members as that node sees them."""
        return {member["name"]: member["state"] for member in self.show(node)["members"]}

    def alarms(self, node: str) -> set[str]:
        return {alarm["name"] for alarm in self.show(node, "show alarms")["alarms"]}

    def wait_for(self, node: str, states: dict[str, str]) -> None:
        wait_until(lambda: self.states(node) == states, f"{node} sees {states}", TOLD_S, 0.2)

    def cluster_pid(self, node: str) -> int:
        """The cluster process of a node; 0 for none."""
        return self.pid(node, "cluster")

    def pid(self, node: str, name: str) -> int:
        """A process of a node; 0 for none."""
        processes = self.show(node, "show processes")["processes"]
        return next((process["pid"] for process in processes if process["name"] == name), 0)

    def lease_members(self, node: str) -> set[int]:
        """The other members that the lease process of a node goes by; none where it does not answer."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as reports:
                reports.settimeout(within(5.0))
                reports.connect(str(self.all[node].state / "run" / "lease.sock"))
                while "members" not in (report := json.loads(reports.recv(1 << 18))):
                    pass
        except OSError:
            return set()
        return {member["member"] for member in report["members"]}


@pytest.fixture
def nodes(processes: Processes, etcd: Etcd, name: str) -> Nodes:
    return Nodes(processes, etcd, name)


@pytest.mark.skipif(os.geteuid() != 0, reason="leases in the kernel need root")
def test_the_lease_process_takes_in_who_joins_and_who_is_removed(nodes: Nodes) -> None:
    wait_until(lambda: nodes.lease_members("a") == {2}, "the lease process of a knows b", TOLD_S)
    lease = nodes.pid("a", "lease")
    nodes.add("c")
    for node, others in (("a", {2, 3}), ("b", {1, 3}), ("c", {1, 2})):
        wait_until(lambda n=node, o=others: nodes.lease_members(n) == o, f"{node} knows all", TOLD_S)
    said("cluster", "remove", "b", state=nodes.all["a"].state)
    for node, others in (("a", {3}), ("c", {1})):
        wait_until(lambda n=node, o=others: nodes.lease_members(n) == o, f"{node} knows who is left", TOLD_S)
    assert nodes.pid("a", "lease") == lease != 0


def test_nodes_join_leave_and_are_removed(nodes: Nodes) -> None:
    for node in ("a", "b"):
        nodes.wait_for(node, {"a": "present", "b": "present"})
    shown = nodes.show("b")
    assert (shown["name"], shown["node"], shown["membership"]) == (nodes.name, "b", 2)
    assert {server["state"] for server in shown["etcd_servers"]} <= {"leader", "healthy"}
    wait_until(lambda: len(nodes.show("b")["etcd_servers"]) == 3, "each etcd member has been asked", TOLD_S)
    wait_until(lambda: nodes.show("b")["members"][0]["clock_ms"] is not None, "clocks are compared", TOLD_S)
    assert abs(nodes.show("b")["members"][0]["clock_ms"]) < 2000
    # Both nodes have one key, and numbers of their own.
    files = [read_cluster(nodes.all[node].state) for node in ("a", "b")]
    assert files[0] and files[1] and files[0].key_hex == files[1].key_hex and (files[0].me, files[1].me) == (1, 2)
    assert files[0].secret_key != files[1].secret_key
    # A third one is seen by all, leaves, and its number does not come again.
    third = nodes.add("c")
    nodes.wait_for("a", {"a": "present", "b": "present", "c": "present"})
    assert "Stop it first" in refused("cluster", "leave", state=third.state)
    third.stop()
    assert f"c has left the cluster {nodes.name}" in said("cluster", "leave", state=third.state)
    assert not cluster_path(third.state).exists()
    nodes.wait_for("a", {"a": "present", "b": "present"})
    nodes.add("d")
    nodes.wait_for("d", {"a": "present", "b": "present", "d": "present"})
    assert {member["name"]: member["number"] for member in nodes.show("d")["members"]} == {"a": 1, "b": 2, "d": 4}
    # A node that is removed while it runs goes on alone, under an alarm.
    said("cluster", "remove", "d", state=nodes.all["a"].state)
    nodes.wait_for("a", {"a": "present", "b": "present"})
    wait_until(lambda: "cluster-process-down" in nodes.alarms("d"), "d knows that it was removed", TOLD_S)
    assert nodes.all["d"].status()["workers"][0]["state"] == "live"
    assert read_cluster(nodes.all["d"].state) is None
    wait_until(lambda: nodes.cluster_pid("d") == 0, "its cluster process has ended", TOLD_S)


@pytest.mark.skipif(os.geteuid() != 0, reason="leases in the kernel need root")
def test_the_members_do_not_change_while_one_has_not_taken_the_last_change(nodes: Nodes, tmp_path: Path) -> None:
    """A node that runs and lags is named; for one that is dead an operator's word may be needed."""
    a = nodes.all["a"].state
    nodes.wait_for("a", {"a": "present", "b": "present"})
    wait_until(lambda: nodes.lease_members("b") == {1}, "the lease process of b knows a", TOLD_S)
    lease = nodes.pid("b", "lease")
    os.kill(lease, signal.SIGSTOP)
    token = said("cluster", "token", state=a)
    assert "w is member 3" in said("witness", "join", token, *machine("w"), state=tmp_path / "w")
    late = "Nothing was changed: The last change of the members, version 3, is not in force on"
    sentence = refused("cluster", "remove", "w", state=a)
    assert late in sentence and "b yet" in sentence
    os.kill(lease, signal.SIGCONT)
    wait_until(lambda: nodes.lease_members("b") == {1, 3}, "the lease process of b knows w", TOLD_S)
    # A change waits for the last one, for a while.
    wait_until(lambda: signalbox("cluster", "remove", "w", state=a).returncode == 0, "w is removed", TOLD_S)
    # b dies without having heard of that; with w, which has never run, it would be a majority.
    nodes.all["b"].crash()
    nodes.wait_for("a", {"a": "present", "b": "absent"})
    if "b is removed" not in (done := signalbox("cluster", "remove", "b", state=a)).stdout:
        assert "may still go by version 3 of the members" in done.stderr and "remove NAME --off" in done.stderr
        assert "b is removed" in said("cluster", "remove", "b", "--off", state=a)
    nodes.wait_for("a", {"a": "present"})
    nodes.add("c")
    nodes.wait_for("c", {"a": "present", "c": "present"})


def test_a_token_is_for_one_machine(nodes: Nodes, tmp_path: Path) -> None:
    token = said("cluster", "token", state=nodes.all["b"].state)
    said("cluster", "join", token, *machine("c"), state=tmp_path / "c")
    assert "The token was used by c" in refused("cluster", "join", token, *machine("e"), state=tmp_path / "e")
    assert not cluster_path(tmp_path / "e").exists()
    assert "incomplete or was changed" in refused("cluster", "join", token[:-4], *machine("e"), state=tmp_path / "e")


def test_what_cannot_be_done_is_said_in_a_sentence(nodes: Nodes, etcd: Etcd, tmp_path: Path) -> None:
    state, urls = tmp_path / "x", ",".join(etcd.urls)
    create = ("cluster", "create", nodes.name, "--etcd", urls)
    assert f"holds a cluster {nodes.name} already" in refused(*create, *machine("x"), state=state)
    assert "is in the cluster" in refused(
        "cluster", "create", "other", "--etcd", urls, *machine("x"), state=stopped(nodes, "b")
    )
    assert "Stop it first" in refused(*create, *machine("x"), state=nodes.all["a"].state)
    assert "cannot be the name of a cluster" in refused(
        "cluster", "create", "Not_A_Name", "--etcd", urls, *machine("x"), state=state
    )
    token = said("cluster", "token", state=nodes.all["a"].state)
    assert "has a member a already" in refused("cluster", "join", token, *machine("a"), state=state)
    foreign = ["--address", "192.0.2.1", "--node", "x"]
    assert "cannot be used on this machine" in refused("cluster", "join", token, *foreign, state=state)
    nowhere = f"http://{LOOPBACK}:{free_port()}"
    assert "connection refused" in refused("cluster", "create", "other", "--etcd", nowhere, *machine("x"), state=state)
    assert "is in no cluster" in refused("cluster", "token", state=state)
    assert "has no member y" in refused("cluster", "remove", "y", state=nodes.all["a"].state)
    assert "a is this machine" in refused("cluster", "remove", "a", state=nodes.all["a"].state)
    assert not cluster_path(state).exists()


def stopped(nodes: Nodes, node: str) -> Path:
    """The state folder of a node that was stopped."""
    nodes.all[node].stop()
    return nodes.all[node].state


def test_the_cluster_process_is_killed_and_frozen(nodes: Nodes) -> None:
    nodes.wait_for("a", {"a": "present", "b": "present"})
    for number in (signal.SIGKILL, signal.SIGSTOP):
        former = nodes.cluster_pid("b")
        os.kill(former, number)
        wait_until(lambda former=former: nodes.cluster_pid("b") not in (0, former), "another one runs", within(40.0))
        nodes.wait_for("b", {"a": "present", "b": "present"})
        nodes.wait_for("a", {"a": "present", "b": "present"})
    assert nodes.all["b"].status()["workers"][0]["restarts"] == 0


def test_a_node_that_is_killed_is_absent_and_is_present_again_when_it_is_back(nodes: Nodes) -> None:
    nodes.wait_for("a", {"a": "present", "b": "present"})
    nodes.all["b"].crash()
    nodes.wait_for("a", {"a": "present", "b": "absent"})
    nodes.all["b"].start(START_TIMEOUT_S)
    nodes.wait_for("a", {"a": "present", "b": "present"})


def test_members_of_etcd_end_freeze_lose_their_majority_and_come_back(processes: Processes, name: str) -> None:
    own = Etcd(processes, 3)
    nodes = Nodes(processes, own, name)
    both = {"a": "present", "b": "present"}
    nodes.wait_for("a", both)
    own.kill(0)
    wait_until(lambda: "etcd-degraded" in nodes.alarms("a"), "one member does not answer", TOLD_S, 0.2)
    nodes.wait_for("a", both)
    own.restart(0)
    wait_until(lambda: not nodes.alarms("a") & ETCD_ALARMS, "all members answer", TOLD_S, 0.2)
    own.stop(1)
    wait_until(lambda: "etcd-degraded" in nodes.alarms("a"), "one member is frozen", TOLD_S, 0.2)
    nodes.wait_for("a", both)
    # No majority: what was known stays, and the supervisor answers as before.
    own.stop(2)
    wait_until(lambda: "etcd-unavailable" in nodes.alarms("a"), "there is no majority", TOLD_S, 0.2)
    assert nodes.states("a") == {"a": "unknown", "b": "unknown"}
    slowest_s = max(took_s(nodes.all["a"].status) for _ in range(20))
    assert slowest_s < within(1.0)
    assert "does not answer" in refused("cluster", "token", state=nodes.all["a"].state)
    # A node starts without etcd, with its number and its key.
    nodes.all["b"].stop()
    nodes.all["b"].start(START_TIMEOUT_S)
    assert nodes.show("b")["node"] == "b"
    own.go_on(1)
    own.go_on(2)
    wait_until(lambda: not nodes.alarms("a") & ETCD_ALARMS, "etcd is back", TOLD_S, 0.2)
    nodes.wait_for("a", both)
    nodes.wait_for("b", both)


ETCD_ALARMS = {"etcd-unavailable", "etcd-degraded"}


def took_s(ask: Callable[[], object]) -> float:
    begun = time.monotonic()
    ask()
    return time.monotonic() - begun


def test_a_full_etcd(processes: Processes, name: str) -> None:
    own = Etcd(processes, options=["--quota-backend-bytes", str(1 << 20)])
    nodes = Nodes(processes, own, name)
    store = EtcdStore(own.access)
    with pytest.raises(StoreFull):
        for _ in range(100):
            store.commit([], [Put("/large", b"x" * 100_000)])
    store.close()
    assert "NOSPACE" in refused("cluster", "token", state=nodes.all["a"].state)
    wait_until(lambda: "etcd-degraded" in nodes.alarms("a"), "an alarm says so", TOLD_S, 0.2)
    assert read_cluster(nodes.all["a"].state) is not None


def test_a_witness_is_a_member_without_sip(nodes: Nodes, processes: Processes, tmp_path: Path) -> None:
    state = tmp_path / "witness"
    token = said("cluster", "token", state=nodes.all["a"].state)
    assert "w is member 3" in said("witness", "join", token, *machine("w"), state=state)
    witness = processes.start("witness", [str(SIGNALBOX), "witness", "run", "--state", str(state)])
    nodes.wait_for("a", {"a": "present", "b": "present", "w": "present"})
    kinds = {member["name"]: member["kind"] for member in nodes.show("a")["members"]}
    assert kinds == {"a": "node", "b": "node", "w": "witness"}
    said_w = signalbox("cluster", "status", state=state).stdout
    assert "node                   w" in said_w and "present" in said_w
    # Either command is for the one kind of member only.
    config = ("--config", str(nodes.all["a"].config))
    assert "is a witness" in refused("run", *config, state=stopped_witness(witness, state))
    assert "and no witness" in refused("witness", "run", state=stopped(nodes, "b"))
    nodes.wait_for("a", {"a": "present", "b": "absent", "w": "absent"})


def stopped_witness(witness: Process, state: Path) -> Path:
    """Its state folder, once it has stopped."""
    witness.popen.send_signal(signal.SIGTERM)
    assert witness.wait(within(20.0)) == 0
    return state


def test_the_last_member_ends_the_cluster(etcd: Etcd, name: str, tmp_path: Path) -> None:
    said("cluster", "create", name, "--etcd", ",".join(etcd.urls), *machine("a"), state=tmp_path)
    assert "is ended" in said("cluster", "leave", state=tmp_path)
    store = EtcdStore(etcd.access)
    assert not store.read(f"/signalbox/{name}/").entries
    store.close()
