"""Each node of a cluster has an SNMP agent; at a virtual address, that of its owner answers."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.cluster_namespaces import ClusterOfAppliances
from tests.live.lease_namespaces import V4, need_namespaces
from tests.live.machine import within
from tests.live.net_snmp import needs_net_snmp
from tests.live.processes import wait_until

pytestmark = [pytest.mark.long, pytest.mark.cluster, needs_net_snmp]

SNMP = f"snmp\n  listen {V4} port 1161\n  community public from 10.77.0.0/24\n!\n"
# SNMP-FRAMEWORK-MIB: snmpEngineID names the node that answers (RFC 3411 5).
ENGINE_ID = "1.3.6.1.6.3.10.2.1.1.0"


@pytest.fixture
def net(tmp_path: Path) -> Iterator[ClusterOfAppliances]:
    """Three nodes; the first address is node 1's."""
    need_namespaces()
    with ClusterOfAppliances(tmp_path, more_configuration=SNMP) as namespaces:
        namespaces.start()
        yield namespaces


def engine(net: ClusterOfAppliances) -> str:
    """The engine that answers at the first address; "" for none."""
    options = ("-v2c", "-c", "public", "-t", "1", "-r", "0", "-Oqvn")
    argv = ["ip", "netns", "exec", net.client, "snmpget", *options, f"{V4}:1161", ENGINE_ID]
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()


def test_the_owner_of_a_virtual_address_answers_there(net: ClusterOfAppliances) -> None:
    wait_until(lambda: engine(net), "the agent of node 1 answers", within(30.0))
    first = engine(net)
    net.nodes[1].signal_all(signal.SIGKILL)
    wait_until(lambda: engine(net) not in ("", first), "the agent of another node answers", within(60.0))
