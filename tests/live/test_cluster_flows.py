"""A phone that registered at one node by TCP is called at another one, by its connection (RFC 3261 18.1.1)."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.cluster_namespaces import FIRST, SECOND, ClusterOfAppliances, linked_cluster
from tests.live.lease_namespaces import SECOND_V4
from tests.live.machine import within
from tests.live.namespace_phone import DOMAIN, PhoneAtClient
from tests.live.namespace_sipp import SippAtClient
from tests.live.processes import wait_until

pytestmark = [pytest.mark.long, pytest.mark.cluster]

CALLER_PORT = 7200
# What a request waits for an answer when no error tells that the route is gone (RFC 3261 17.1.1.2, timer B).
TIMER_B_S = 32.0


@pytest.fixture
def net(tmp_path: Path) -> Iterator[ClusterOfAppliances]:
    """Three nodes; the first address is node 1's, the second one is node 2's."""
    with linked_cluster(tmp_path, "transport udp tcp", "relay any") as cluster:
        yield cluster


def call_at_second(net: ClusterOfAppliances, scenario: str = "caller") -> SippAtClient:
    return SippAtClient(net, scenario, CALLER_PORT, 1, "-d", "100", "-key", "domain", DOMAIN, f"{SECOND_V4}:5060")


def test_a_phone_on_tcp_at_one_node_is_called_at_another(net: ClusterOfAppliances, record_property: Any) -> None:
    """INVITE, ACK and BYE leave by node 1, which holds the connection; answers go up by node 2, which has the call."""
    phone = PhoneAtClient(net, "tcp")
    assert (net.owner(FIRST), net.owner(SECOND)) == (1, 2)
    begun = time.monotonic()
    assert call_at_second(net).outcome() == (1, 0)
    record_property("seconds", round(time.monotonic() - begun, 2))
    assert phone.methods() == ["INVITE", "ACK", "BYE"]
    for number, counter, count in ((1, "returned-to-node", 2), (2, "sent-by-node", 3), (2, "calls-answered", 1)):
        told = f"node {number} tells {counter} {count}"
        wait_until(lambda: net.nodes[number].counters().get(counter) == count, told, within(10.0))  # noqa: B023


def test_an_idle_phone_hears_that_its_node_is_cut_off(net: ClusterOfAppliances) -> None:
    """It sends nothing, and would wait for ever: the new owner of the address has its connection reset."""
    phone = PhoneAtClient(net, "tcp")
    net.run("ip", "-n", net.switch, "link", "set", net.nodes[1].port, "down")
    wait_until(lambda: phone.lines()[-1] == "reset", "the connection of the phone is reset", within(60.0))


def test_a_connection_of_a_dead_node_is_known_to_be_gone(net: ClusterOfAppliances) -> None:
    """The call fails at once, by the refused connection to the contact, and not by timer B."""
    phone = PhoneAtClient(net, "tcp")
    net.nodes[1].signal_all(signal.SIGKILL)
    wait_until(lambda: net.owner(FIRST) not in (0, 1), "another node owns the address", within(5.0))
    begun = time.monotonic()
    assert call_at_second(net).outcome() == (0, 1)
    assert time.monotonic() - begun < TIMER_B_S / 2
    assert phone.methods() == []
