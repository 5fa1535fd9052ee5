"""Disks that are slow or full, beside a cluster with calls, as root: no address moves because of them, no call fails.

A disk of etcd is made slow by strace, which delays each write to it; the state folder of a node is a small file system.
"""

from __future__ import annotations

import contextlib
import errno
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.appliance import DOMAIN
from tests.live.cluster_namespaces import FIRST, ApplianceNode, ClusterOfAppliances
from tests.live.control import Control
from tests.live.lease_namespaces import V4, inside, need_namespaces
from tests.live.machine import within
from tests.live.namespace_etcd import NamespaceEtcd
from tests.live.namespace_sipp import CLIENT, start_calls
from tests.live.processes import wait_until
from tests.live.registering import Registering

pytestmark = [pytest.mark.long, pytest.mark.cluster]

CALLS, CALLS_PER_S, RING_MS = 60, 10, 1000
# Longer than the members of etcd wait for each other before they choose another leader.
WRITE_DELAY_MS = 1500
STATE_MIB = 96
PHONES = 20
PATIENCE_S = within(60.0)


class Cluster(ClusterOfAppliances):
    """Three nodes with etcd; node 1 has its state on a file system of its own."""

    members_of_etcd: NamespaceEtcd

    def epochs(self) -> list[int]:
        """Of the addresses, as a node knows them that takes part."""
        return [int(row["epoch"]) for row in self.nodes[2].status()["addresses"]]

    def fails_no_call(self) -> bool:
        """Do calls at the first address go as they should?"""
        caller, callee = start_calls(self, CALLS, CALLS_PER_S, RING_MS)
        succeeded = caller.outcome()
        callee.end()
        return succeeded == (CALLS, 0)


    def keeps_registrations(self) -> bool:
        """Are phones registered by it found again?"""
        with inside(self.client):
            phones = Registering(5060, DOMAIN, PHONES, PHONES, V4, CLIENT)
        phones.start()
        wait_until(lambda: phones.statuses[200] >= PHONES, "all phones are registered", PATIENCE_S)
        phones.end()
        return phones.broken_promises() == []


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Which all tests share."""
    need_namespaces()
    folder = tmp_path_factory.mktemp("disks")
    with small_file_system(folder / "state1"), Cluster(folder, listener_lines=("relay any",)) as cluster:
        cluster.members_of_etcd = NamespaceEtcd(cluster)
        cluster.start()
        wait_until(lambda: all(node.is_linked() for node in cluster.nodes.values()), "links are up", PATIENCE_S)
        yield cluster


@contextlib.contextmanager
def small_file_system(folder: Path) -> Iterator[None]:
    """A folder that holds STATE_MIB."""
    folder.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={STATE_MIB}m,mode=700", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextlib.contextmanager
def full(folder: Path) -> Iterator[None]:
    """Its file system has no room."""
    ballast = folder / "ballast"
    try:
        with ballast.open("wb", buffering=0) as file:
            try:
                while file.write(bytes(1 << 16)):
                    pass
            except OSError as fault:
                assert fault.errno == errno.ENOSPC
        yield
    finally:
        ballast.unlink()


def history(node: ApplianceNode) -> list[dict[str, Any]]:
    """What `show cluster history` says."""
    with Control(node.state_dir, is_enabled=False) as control:
        return list(control.ask("show cluster history", limit=50)["rows"])


def test_calls_go_on_while_the_disks_of_etcd_are_slow(net: Cluster) -> None:
    """Each write takes 1.5 s. The owner is killed meanwhile: another takes over, and etcd has it when it is well."""
    before = net.epochs()
    etcd = net.members_of_etcd
    with etcd.slow_disks(WRITE_DELAY_MS):
        assert etcd.seconds_to_write() >= WRITE_DELAY_MS / 1000
        assert net.fails_no_call()
        assert net.epochs() == before
        net.nodes[1].signal_all(9)
        wait_until(lambda: net.owner(FIRST) not in (0, 1), "another node owns the address", PATIENCE_S)
        owner = net.owner(FIRST)
        assert net.fails_no_call()
    wait_until(
        lambda: any(row["epoch"] > before[0] and row["is_recorded"] for row in history(net.nodes[owner])),
        "etcd has the take-over",
        PATIENCE_S,
    )
    net.start_again(1)
    net.settle()


def test_a_node_with_a_full_disk_goes_on(net: Cluster) -> None:
    """Its addresses stay, calls and registrations go on, and an alarm says what is wrong until there is room."""
    before = net.epochs()
    owner = net.nodes[1]
    with full(owner.state_dir):
        assert net.fails_no_call()
        assert net.keeps_registrations()
        wait_until(lambda: "state-store-failing" in owner.alarms(), "the alarm is raised", PATIENCE_S)
        assert net.owner(FIRST) == 1
        assert net.epochs() == before
    wait_until(lambda: "state-store-failing" not in owner.alarms(), "the alarm is over", PATIENCE_S)
