"""One configuration for a cluster: real etcd, whole appliances on loopback, each with its own listener port."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from appliance.cluster.coordination.cluster_records import ClusterRecord, MembershipRecord
from appliance.cluster.coordination.key_store import Put
from appliance.cluster.coordination.keys import ClusterKeys
from appliance.cluster.coordination.store import EtcdStore
from appliance.ipc.link_keys import new_link_keys
from appliance.messages.membership import Member, Membership
from appliance.storage.cluster_file import ClusterFile, write_cluster
from tests.live.appliance import Appliance
from tests.live.control import Control
from tests.live.etcd import Etcd
from tests.live.machine import within
from tests.live.processes import LOOPBACK, Processes, free_port, wait_until

pytestmark = pytest.mark.cluster

NAME = "commits"
KEY = "5a" * 32
CREATED = 1.0
# Two appliances and etcd start at once.
START_TIMEOUT_S = within(120.0)
PROMPT_S = within(60.0)


class Node(Appliance):
    """A member of the cluster."""

    def __init__(self, processes: Processes, number: int, member: Member, secret: str) -> None:
        super().__init__(processes, workers=1)
        self.number, self.member, self.secret = number, member, secret

    def join(self, membership: Membership, etcd: Etcd) -> None:
        self.state.mkdir(mode=0o700, exist_ok=True)
        write_cluster(self.state, ClusterFile(NAME, self.number, KEY, self.secret, membership, etcd.access))

    def control(self) -> Control:
        return Control(self.state)

    def commits(self) -> list[dict[str, Any]]:
        with self.control() as control:
            return list(control.ask("show commits", limit=100)["commits"])

    def head(self) -> int:
        """The number of the commit that it goes by; 0 without an answer."""
        return int(self.status().get("commit", 0))

    def hostname(self) -> str:
        return str(self.status().get("hostname", ""))

    def has_listener(self, name: str) -> bool:
        """Is it open?"""
        return any(row["name"] == name for row in self.status()["listeners"])

    def alarms(self) -> dict[str, str]:
        with self.control() as control:
            return {row["name"]: row["text"] for row in control.ask("show alarms")["alarms"]}

    def text(self) -> str:
        with self.control() as control:
            return str(control.ask("show running-config")["text"])

    def renamed(self, hostname: str) -> str:
        """The configuration in force, with another host name."""
        lines = self.text().splitlines()
        return "\n".join([f"hostname {hostname}", *(line for line in lines if not line.startswith("hostname "))]) + "\n"

    def commit(self, text: str, **args: Any) -> int:
        with self.control() as control:
            return control.commit(text, **args)

    def refusal(self, text: str, **args: Any) -> str:
        """The sentence that a commit is refused with."""
        with self.control() as control:
            base = control.ask("show running-config")["commit"]
            return str(control.error("commit", text=text, base=base, **args)["message"])


    def goes_by(self, number: int, hostname: str) -> bool:
        """Is this commit in force?"""
        return (self.head(), self.hostname()) == (number, hostname)


class Cluster:
    """Two nodes, with one configuration that is the first one's; the addresses of listeners are each node's own."""

    def __init__(self, processes: Processes) -> None:
        self.etcd = Etcd(processes)
        self.nodes = [self._node(processes, number) for number in (1, 2)]
        membership = Membership(2, tuple(node.member for node in self.nodes))
        keys, store = ClusterKeys(NAME), EtcdStore(self.etcd.access)
        store.commit(
            [],
            [
                Put(keys.cluster, ClusterRecord(KEY, CREATED).to_octets()),
                Put(keys.membership, MembershipRecord(membership, 3).to_octets()),
            ],
        )
        store.close()
        for node in self.nodes:
            node.join(membership, self.etcd)

    def _node(self, processes: Processes, number: int) -> Node:
        public, secret = new_link_keys()
        ports = free_port(), free_port()
        member = Member(number, f"node-{number}", LOOPBACK, ports[0], False, ports[1], public)
        return Node(processes, number, member, secret)

    def start(self) -> None:
        """The first node's configuration becomes the cluster's; the second one takes it, with an address of its own."""
        first, second = self.nodes
        with first.config.open("a") as file:
            file.write("node node-2\n  listener main 127.0.0.2\n!\n")
        first.start(START_TIMEOUT_S)
        second.start(START_TIMEOUT_S)
        self.wait(lambda node: node.head() == 1 and node.commits() == first.commits(), "both have the first commit")
        self.wait(lambda node: "node-2" in node.text(), "both go by the configuration of the first node")

    def wait(self, condition: Callable[[Node], bool], what: str) -> None:
        def holds() -> bool:
            with suppress(OSError, AssertionError):
                return all(condition(node) for node in self.nodes)
            return False

        wait_until(holds, what, PROMPT_S, 0.2)


@pytest.fixture
def cluster(processes: Processes) -> Cluster:
    made = Cluster(processes)
    made.start()
    return made


def test_a_commit_on_any_node_is_in_force_on_all(cluster: Cluster) -> None:
    first, second = cluster.nodes
    assert first.commit(first.renamed("one"), comment="by the first") == 2
    cluster.wait(lambda node: node.goes_by(2, "one"), "both go by commit 2")
    assert second.commit(second.renamed("two"), comment="by the second") == 3
    cluster.wait(lambda node: node.goes_by(3, "two"), "both go by commit 3")
    assert first.commits() == second.commits()
    assert [row["comment"] for row in first.commits()][:2] == ["by the second", "by the first"]


def test_one_node_that_cannot_take_it_is_named_and_nothing_changes_anywhere(cluster: Cluster) -> None:
    """The port is in use on the second node alone."""
    first, second = cluster.nodes
    before = first.commits()
    port = free_port("127.0.0.2")
    text = first.text() + f"listener more\n  address {LOOPBACK}\n  port {port}\n  no authenticate\n!\n"
    text = text.replace("  listener main 127.0.0.2\n", "  listener main 127.0.0.2\n  listener more 127.0.0.2\n")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.2", port))
        sentence = first.refusal(text)
    assert "node-2 cannot take it" in sentence and f"port {port} of 127.0.0.2 is in use" in sentence
    assert first.commits() == second.commits() == before
    assert not any(node.has_listener("more") for node in cluster.nodes)
    # What was in the way is gone.
    assert first.commit(text) == 2
    cluster.wait(lambda node: node.has_listener("more"), "both have the listener")


def test_a_node_that_was_away_takes_the_newer_commits_at_its_return(cluster: Cluster) -> None:
    first, second = cluster.nodes
    second.stop()
    wait_until(lambda: first.commit(first.renamed("without")), "the first node commits alone", PROMPT_S)
    second.start(START_TIMEOUT_S)
    cluster.wait(lambda node: node.goes_by(2, "without"), "both go by commit 2")
    assert first.commits() == second.commits()


def test_without_etcd_the_configuration_is_read_only_and_what_is_in_force_goes_on(cluster: Cluster) -> None:
    first, _ = cluster.nodes
    cluster.etcd.kill(0)
    begun = time.monotonic()
    sentence = first.refusal(first.renamed("early"))
    assert "read-only" in sentence
    assert time.monotonic() - begun < within(15.0)
    assert "read-only" in first.refusal(first.renamed("later"))
    cluster.wait(lambda node: node.head() == 1 and node.hostname() == "live", "both go on")
    cluster.etcd.restart(0)
    cluster.etcd.wait_until_answering()
    # It takes a moment until this node knows.
    wait_until(lambda: _is_committed(first, "back"), "commits are taken again", PROMPT_S, 1.0)
    cluster.wait(lambda node: node.goes_by(2, "back"), "both go by it")


def _is_committed(node: Node, hostname: str) -> bool:
    with node.control() as control:
        base = control.ask("show running-config")["commit"]
        return "result" in control.answer("commit", text=node.renamed(hostname), base=base)


def test_a_commit_that_is_not_confirmed_is_reverted_on_all(cluster: Cluster) -> None:
    """By the second node: the first one, where it was committed, is dead by then."""
    first, second = cluster.nodes
    assert first.commit(first.renamed("trial"), confirm_minutes=1) == 2
    cluster.wait(lambda node: node.goes_by(2, "trial"), "both go by the trial")
    assert "configuration-unconfirmed" in second.alarms()
    first.crash()
    wait_until(lambda: second.goes_by(3, "live"), "it is reverted", within(60.0) + PROMPT_S, 0.5)
    first.start(START_TIMEOUT_S)
    cluster.wait(lambda node: node.goes_by(3, "live"), "both are back")
    assert first.commits() == second.commits()
    assert first.commits()[0]["comment"] == "commit 2 was not confirmed: reverted to commit 1"


def test_a_commit_is_confirmed_on_another_node(cluster: Cluster) -> None:
    first, second = cluster.nodes
    assert first.commit(first.renamed("kept"), confirm_minutes=5) == 2
    cluster.wait(lambda node: node.goes_by(2, "kept"), "both go by it")
    with second.control() as control:
        assert control.ask("confirm")["number"] == 2
    cluster.wait(lambda node: node.commits()[0]["state"] == "confirmed", "both know that it stays")
    assert first.commits() == second.commits()
