"""Two packaged nodes and a packaged witness as a cluster, on a bridge: docs/cluster.md, as it is typed there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.live.processes import find_program, running
from tests.package.bridge import bridged
from tests.package.calls import FILE, request
from tests.package.node import Node, Service, leave_network, wait_until

OWN = "10.98.0.1"
VIRTUAL = "10.98.0.50"
MEMBERS = {"sip1": "10.98.0.11", "sip2": "10.98.0.12", "wit1": "10.98.0.13"}
ETCD = f"http://{OWN}:2379"
CONFIGURATION = f"""\
hostname west
workers 2
domain signalbox.test
listener phones
  address {VIRTUAL}
  port 5060
  no authenticate
!
virtual-address phones
  address {VIRTUAL}/24
!
"""
WITNESS = """\
[Service]
ExecStart=
ExecStart=/usr/bin/signalbox witness run --state /var/lib/signalbox
ExecReload=
"""
TAKEN_OVER_S = 120.0


@dataclass
class Cluster:
    """Its machines and their services, by name."""

    nodes: dict[str, Node]
    services: dict[str, Service]

    def owner(self, asked: str) -> str:
        """Who owns the virtual address, as a node knows it; "" without an owner."""
        said = self.nodes[asked].run("signalbox", "cli", "--json", "-c", "show cluster", check=False).stdout
        rows = json.loads(said)["addresses"] if said else []
        return str(rows[0]["owner"]) if rows else ""


@pytest.fixture(scope="module")
def cluster(machines: Path, installed: Path) -> Iterator[Cluster]:
    leave_network()
    addresses = [(f"pkg-{name}", f"{address}/24") for name, address in MEMBERS.items()]
    with bridged(f"{OWN}/24", addresses), running(machines) as processes, ExitStack() as opened:
        listen = [f"--listen-client-urls={ETCD}", f"--advertise-client-urls={ETCD}", "--grpc-keepalive-min-time=1s"]
        processes.start("etcd", [find_program("etcd", "etcd-server"), f"--data-dir={machines}/etcd", *listen])
        nodes = {name: Node(machines, name, f"pkg-{name}", [installed]) for name in MEMBERS}
        for node in nodes.values():
            opened.callback(node.close)
            node.boot()
        yield Cluster(nodes, {name: Service(node) for name, node in nodes.items()})


def is_answered() -> bool:
    return request(VIRTUAL, "OPTIONS").startswith("SIP/2.0 200 ")


def test_a_cluster_is_made_of_packaged_services(cluster: Cluster) -> None:
    first, second, witness = cluster.nodes.values()
    first.write(FILE, CONFIGURATION)
    # The node brings the commit in that it has, not the file.
    first.run("systemctl", "reload", "signalbox")
    first.run("systemctl", "stop", "signalbox")
    options = ("--etcd", ETCD, "--address", MEMBERS["sip1"], "--node", "sip1")
    first.run("signalbox", "cluster", "create", "west", *options)
    first.run("systemctl", "start", "signalbox")
    second.run("systemctl", "stop", "signalbox")
    token = first.said("signalbox", "cluster", "token").strip()
    second.run("signalbox", "cluster", "join", token, "--address", MEMBERS["sip2"], "--node", "sip2")
    second.run("systemctl", "start", "signalbox")
    witness.run("systemctl", "stop", "signalbox")
    token = first.said("signalbox", "cluster", "token").strip()
    witness.run("signalbox", "witness", "join", token, "--address", MEMBERS["wit1"], "--node", "wit1")
    folder = witness.root / "etc/systemd/system/signalbox.service.d"
    folder.mkdir(parents=True)
    (folder / "witness.conf").write_text(WITNESS)
    witness.run("systemctl", "daemon-reload")
    witness.run("systemctl", "start", "signalbox")
    wait_until(is_answered, "the virtual address is answered")
    assert all(service.is_active for service in cluster.services.values())


def test_the_state_of_the_cluster_is_for_the_service_alone(cluster: Cluster) -> None:
    for node in cluster.nodes.values():
        assert node.said("find", "/var/lib/signalbox", "-not", "-user", "signalbox") == ""


def test_the_lease_process_alone_keeps_rights_and_runs_before_all_others(cluster: Cluster) -> None:
    service = cluster.services["sip1"]
    (lease, *_) = service.pids("appliance.cluster.leases")
    assert service.node.said("chrt", "--pid", str(lease)).count("SCHED_RR") == 1
    for module in ("appliance.workers", "appliance.management", "appliance.cluster.coordination"):
        for pid in service.pids(module):
            assert "CapEff:\t0000000000000000" in service.node.said("cat", f"/proc/{pid}/status"), module
    assert " is missing: " not in service.journal()


def test_both_nodes_have_one_configuration_and_agree_on_the_owner(cluster: Cluster) -> None:
    wait_until(lambda: cluster.owner("sip1") == cluster.owner("sip2") != "", "both know the owner")
    for name in ("sip1", "sip2"):
        assert f"address {VIRTUAL}/24" in cluster.nodes[name].said("signalbox", "cli", "-c", "show running-config")


def test_a_node_that_loses_power_is_replaced_with_all_registrations(cluster: Cluster) -> None:
    contact = f"<sip:alice@{OWN}:5070>"
    assert request(VIRTUAL, "REGISTER", contact).startswith("SIP/2.0 200 ")
    owner = cluster.owner("sip2")
    other = "sip1" if owner == "sip2" else "sip2"
    cluster.nodes[owner].lose_power()
    wait_until(is_answered, "the other node answers", TAKEN_OVER_S)
    assert cluster.owner(other) == other
    assert f"sip:alice@{OWN}:5070" in request(VIRTUAL, "REGISTER")
