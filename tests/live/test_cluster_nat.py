"""A phone behind NAT that registered by UDP at the address of one node is called at that of another one, and its calls
outlive the nodes.

RFC 3261 18.1.1: the NAT lets in only what comes from the address that the phone has sent to.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.cluster_namespaces import FIRST, SECOND, ClusterOfAppliances, linked_cluster
from tests.live.lease_namespaces import SECOND_V4, V4
from tests.live.machine import within
from tests.live.namespace_phone import DOMAIN, phone_behind_nat
from tests.live.namespace_sipp import CALLEE_PORT, CLIENT, SippAtClient
from tests.live.processes import wait_until

pytestmark = [pytest.mark.long, pytest.mark.cluster]

CALLER_PORT = 7300
RING_S = 4.0


@pytest.fixture
def net(tmp_path: Path) -> Iterator[ClusterOfAppliances]:
    """Three nodes; the first address is node 1's, the second one is node 2's."""
    with linked_cluster(tmp_path, "relay any") as cluster:
        yield cluster


def call_at_second(net: ClusterOfAppliances, talk_ms: int = 100) -> SippAtClient:
    options = ("-d", str(talk_ms), "-key", "domain", DOMAIN)
    return SippAtClient(net, "caller", CALLER_PORT, 1, *options, f"{SECOND_V4}:5060")


def kill(net: ClusterOfAppliances, node: int, address: int) -> None:
    """All processes of the owner of an address at once, the guard included; another node takes the address over."""
    assert net.owner(address) == node
    net.nodes[node].signal_all(signal.SIGKILL)


def test_a_phone_behind_nat_is_called_at_the_address_of_another_node(net: ClusterOfAppliances) -> None:
    """The INVITE leaves by node 1, which owns the address; the answer goes up by node 2, which has the call."""
    phone = phone_behind_nat(net)
    assert (net.owner(FIRST), net.owner(SECOND)) == (1, 2)
    assert call_at_second(net).outcome() == (1, 0)
    assert phone.sources() == {V4}
    assert phone.methods() == ["INVITE", "ACK", "BYE"]
    for number, counter, count in ((1, "returned-to-node", 2), (2, "sent-by-node", 3), (2, "calls-answered", 1)):
        told = f"node {number} tells {counter} {count}"
        wait_until(lambda: net.nodes[number].counters().get(counter) == count, told, within(10.0))  # noqa: B023


def test_when_the_address_has_moved_the_new_owner_sends(net: ClusterOfAppliances) -> None:
    """To a third node, which has neither the registration's flow nor the call."""
    phone = phone_behind_nat(net)
    net.give(FIRST, 3)
    assert call_at_second(net).outcome() == (1, 0)
    assert phone.methods() == ["INVITE", "ACK", "BYE"]
    wait_until(lambda: net.nodes[3].counters().get("returned-to-node") == 2, "node 3 has sent", within(10.0))


@pytest.mark.parametrize(("node", "address"), [(1, FIRST), (2, SECOND)], ids=["of its address", "of the call"])
def test_the_owner_dies_while_the_phone_rings(net: ClusterOfAppliances, node: int, address: int) -> None:
    """What the phone sends reaches the call, and ACK and BYE reach the phone, from the address that its NAT knows."""
    phone = phone_behind_nat(net, ring_s=RING_S)
    caller = call_at_second(net)
    wait_until(lambda: phone.has_got("INVITE"), "the phone rings", within(10.0))
    wait_until(lambda: sum(each.counters().get("calls-started", 0) for each in net.nodes.values()) == 1, "told", RING_S)
    kill(net, node, address)
    assert caller.outcome() == (1, 0)
    assert phone.sources() == {V4}
    assert phone.methods()[0] == "INVITE" and set(phone.methods()[1:]) == {"ACK", "BYE"}


@pytest.mark.parametrize(("node", "address"), [(1, FIRST), (2, SECOND)], ids=["of its address", "of the call"])
def test_the_owner_dies_while_they_talk(net: ClusterOfAppliances, node: int, address: int) -> None:
    """The BYE goes out by another node."""
    phone = phone_behind_nat(net)
    caller = call_at_second(net, talk_ms=4000)
    wait_until(lambda: phone.has_got("ACK"), "they talk", within(10.0))
    kill(net, node, address)
    assert caller.outcome() == (1, 0)
    assert phone.sources() == {V4}
    assert set(phone.methods()) == {"INVITE", "ACK", "BYE"}


def test_the_owner_dies_while_the_phone_waits_for_an_answer(net: ClusterOfAppliances) -> None:
    """The phone has called: the 200 OK comes from its address, and ACK and BYE go through the new owner."""
    callee = SippAtClient(net, "callee-rings-long", CALLEE_PORT, 1, "-d", str(round(1000 * RING_S)))
    phone = phone_behind_nat(net, f"sip:alice@{CLIENT}:{CALLEE_PORT}")
    wait_until(lambda: 180 in phone.statuses(), "it hears that it rings", within(10.0))
    kill(net, 1, FIRST)
    assert callee.outcome() == (1, 0)
    wait_until(lambda: phone.statuses()[-1] == 200, "the BYE is answered", within(20.0))
    assert phone.sources() == {V4}
    owner = net.nodes[net.owner(FIRST)]
    wait_until(lambda: owner.counters().get("calls-adopted") == 1, "the call was adopted", within(10.0))
