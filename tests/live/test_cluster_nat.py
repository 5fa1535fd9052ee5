"""A phone behind NAT that registered by UDP at the address of one node is called at that of another one.

RFC 3261 18.1.1: the NAT lets in only what comes from the address that the phone has sent to.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.cluster_namespaces import FIRST, SECOND, ClusterOfAppliances
from tests.live.lease_namespaces import SECOND_V4, V4, need_namespaces
from tests.live.machine import within
from tests.live.namespace_sipp import CLIENT, SippAtClient
from tests.live.processes import wait_until

pytestmark = [pytest.mark.long, pytest.mark.cluster]

DOMAIN = "signalbox.test"
CALLER_PORT, PHONE_PORT = 7300, 7400


@pytest.fixture
def net(tmp_path: Path) -> Iterator[ClusterOfAppliances]:
    """Three nodes; the first address is node 1's, the second one is node 2's."""
    need_namespaces()
    with ClusterOfAppliances(tmp_path, listener_lines=("relay any",)) as namespaces:
        namespaces.start()
        wait_until(lambda: all(node.is_linked() for node in namespaces.nodes.values()), "links are up", within(60.0))
        yield namespaces


class NatPhone:
    """bob, in the namespace of the client; the kernel there drops what comes from any address but the first one."""

    def __init__(self, net: ClusterOfAppliances) -> None:
        inside = ("ip", "netns", "exec", net.client)
        net.run(*inside, "nft", "add", "table", "inet", "nat-of-phone")
        chain = "{ type filter hook input priority 0 ; }"
        net.run(*inside, "nft", "add", "chain", "inet", "nat-of-phone", "input", chain)
        rule = f"udp dport {PHONE_PORT} ip saddr != {V4} counter drop"
        net.run(*inside, "nft", "add", "rule", "inet", "nat-of-phone", "input", *rule.split())
        self._log = net.folder / "nat-phone.log"
        program = str(Path(__file__).with_name("nat_phone.py"))
        argv = [sys.executable, program, V4, "5060", CLIENT, str(PHONE_PORT), DOMAIN]
        with self._log.open("wb") as log:
            net.started.append(subprocess.Popen([*inside, *argv], stdout=log, stderr=log))
        wait_until(lambda: self.lines() == [f"{V4} SIP/2.0 200 OK"], "the phone is registered", within(20.0))

    def lines(self) -> list[str]:
        return self._log.read_text().splitlines()

    def requests(self) -> list[tuple[str, str]]:
        """(address that it came from, method) of each that it got."""
        return [(line.split()[0], line.split()[1]) for line in self.lines() if line.endswith(" SIP/2.0")]


def call_at_second(net: ClusterOfAppliances) -> SippAtClient:
    return SippAtClient(net, "caller", CALLER_PORT, 1, "-d", "100", "-key", "domain", DOMAIN, f"{SECOND_V4}:5060")


def test_a_phone_behind_nat_is_called_at_the_address_of_another_node(net: ClusterOfAppliances) -> None:
    """The INVITE leaves by node 1, which owns the address; the answer goes up by node 2, which has the call."""
    phone = NatPhone(net)
    assert (net.owner(FIRST), net.owner(SECOND)) == (1, 2)
    assert call_at_second(net).outcome() == (1, 0)
    assert {address for address, _ in phone.requests()} == {V4}
    assert [method for _, method in phone.requests()] == ["INVITE", "ACK", "BYE"]
    for number, counter, count in ((1, "returned-to-node", 2), (2, "sent-by-node", 3), (2, "calls-answered", 1)):
        told = f"node {number} tells {counter} {count}"
        wait_until(lambda: net.nodes[number].counters().get(counter) == count, told, within(10.0))  # noqa: B023


def test_when_the_address_has_moved_the_new_owner_sends(net: ClusterOfAppliances) -> None:
    """To a third node, which has neither the registration's flow nor the call."""
    phone = NatPhone(net)
    net.give(FIRST, 3)
    assert call_at_second(net).outcome() == (1, 0)
    assert [method for _, method in phone.requests()] == ["INVITE", "ACK", "BYE"]
    wait_until(lambda: net.nodes[3].counters().get("returned-to-node") == 2, "node 3 has sent", within(10.0))
