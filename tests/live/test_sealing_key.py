"""The key that seals tokens is rotated while calls are up, as root: their BYEs pass at another node (RFC 3261 12.2)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.cluster_namespaces import FIRST, ApplianceNode, ClusterOfAppliances
from tests.live.control import Control
from tests.live.lease_namespaces import V4, need_namespaces
from tests.live.machine import within
from tests.live.namespace_etcd import NamespaceEtcd
from tests.live.namespace_sipp import CALLEE_PORT, CALLER_PORT, CLIENT, SippAtClient
from tests.live.processes import wait_until

pytestmark = [pytest.mark.long, pytest.mark.cluster]

CALLS = 5
# Long enough for a rotation and a switchover on a busy machine; SIPp gives up later.
TALK_MS = 60_000
TOLD_S = within(120.0)
# Without a registration the calls would need the right to relay, and then a BYE would need no token.
REGISTER = f"""
import socket, sys
register = (
    "REGISTER sip:signalbox.test SIP/2.0\\r\\nVia: SIP/2.0/UDP {CLIENT}:{CALLEE_PORT};branch=z9hG4bKregister\\r\\n"
    "Max-Forwards: 70\\r\\nFrom: <sip:bob@signalbox.test>;tag=1\\r\\nTo: <sip:bob@signalbox.test>\\r\\n"
    "Call-ID: register\\r\\nCSeq: 1 REGISTER\\r\\nContact: <sip:bob@{CLIENT}:{CALLEE_PORT}>;expires=3600\\r\\n"
    "Content-Length: 0\\r\\n\\r\\n"
)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
    phone.bind(("{CLIENT}", {CALLEE_PORT}))
    phone.settimeout(10)
    phone.sendto(register.encode(), ("{V4}", 5060))
    print(phone.recv(65535).decode().split("\\r\\n")[0])
"""


@pytest.fixture
def net(tmp_path: Path) -> Iterator[ClusterOfAppliances]:
    """Three nodes, an etcd, and bob, who is registered; the first address is node 1's."""
    need_namespaces()
    with ClusterOfAppliances(tmp_path) as namespaces:
        NamespaceEtcd(namespaces)
        namespaces.start()
        wait_until(lambda: all(node.is_linked() for node in namespaces.nodes.values()), "links are up", within(60.0))
        answer = namespaces.run("ip", "netns", "exec", namespaces.client, sys.executable, "-c", REGISTER)
        assert answer.startswith("SIP/2.0 200"), answer
        yield namespaces


def start_calls(net: ClusterOfAppliances) -> SippAtClient:
    """Calls to bob that last; the BYE comes from the caller. Waits until they are answered."""
    before = net.nodes[net.owner(FIRST)].counters().get("calls-answered", 0)
    SippAtClient(net, "callee-rings-long", CALLEE_PORT, CALLS, "-d", "200", "-recv_timeout", str(2 * TALK_MS))
    wait_until(
        lambda: f"{CLIENT}:{CALLEE_PORT}" in net.run("ip", "netns", "exec", net.client, "ss", "-uln"), "bob is there"
    )
    options = ("-r", str(CALLS), "-d", str(TALK_MS), "-key", "domain", "signalbox.test", f"{V4}:5060")
    caller = SippAtClient(net, "caller", CALLER_PORT, CALLS, *options)
    answered = lambda: net.nodes[net.owner(FIRST)].counters().get("calls-answered", 0)  # noqa: E731
    wait_until(lambda: answered() >= before + CALLS, "all calls are answered", TALK_MS / 1000)
    return caller


def sealing_keys(node: ApplianceNode) -> tuple[int, list[str]]:
    """The number of the key that seals, and which nodes a rotation waits for, as that node says."""
    with Control(node.state_dir, is_enabled=False) as control:
        shown = control.ask("show cluster")
        return shown["sealing_key"], shown["sealing_key_waits_for"]


def rotate(net: ClusterOfAppliances, number: int) -> str:
    """Type `cluster rotate-key` at a node, and wait until all nodes have taken the last step."""
    former, _ = sealing_keys(net.nodes[number])
    with Control(net.nodes[number].state_dir) as control:
        text: str = control.ask("cluster rotate-key")["text"]
    for node in net.nodes.values():
        wait_until(lambda node=node: sealing_keys(node) == (former + 1, []), "all have the new key", TOLD_S, 0.2)  # type: ignore[misc]
    return text


def test_calls_go_on_at_another_node_when_the_key_is_rotated(net: ClusterOfAppliances) -> None:
    caller = start_calls(net)
    assert rotate(net, 3).startswith("Key 1 is being distributed")
    net.give(FIRST, 2)
    assert caller.process.poll() is None, "the calls ended before the rotation"
    assert caller.outcome() == (CALLS, 0)
