"""Calls at a virtual address that ring when their node dies are answered through another node, as root (design 4)."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.cluster_namespaces import FIRST, LINK_PORT, ApplianceNode, ClusterOfAppliances
from tests.live.lease_namespaces import V4, need_namespaces
from tests.live.machine import rate, within
from tests.live.processes import find_program, wait_until
from tests.live.sipp import SCENARIOS, outcome

pytestmark = [pytest.mark.long, pytest.mark.cluster]

CLIENT = "10.77.0.100"
CALLER_PORT, CALLEE_PORT = 7000, 7100
FEW = 40
RING_MS = 3000
SUSTAINED_RATE, SUSTAINED_S, DEATH_EVERY_S = rate(100), 90, 25.0
TIMEOUT_S = 170


@pytest.fixture
def net(tmp_path: Path) -> Iterator[ClusterOfAppliances]:
    """Three nodes; the first address is node 1's."""
    need_namespaces()
    with ClusterOfAppliances(tmp_path, listener_lines=("relay any",)) as namespaces:
        namespaces.start()
        wait_until(lambda: all(map(is_linked, namespaces.nodes.values())), "links are up", within(60.0))
        yield namespaces


class SippAtClient:
    """A SIPp in the namespace of the client."""

    def __init__(self, net: ClusterOfAppliances, scenario: str, port: int, calls: int, *options: str) -> None:
        self.figures = net.folder / f"{scenario}-{port}.csv"
        argv = [find_program("sipp", "sip-tester"), "-sf", str(SCENARIOS / f"{scenario}.xml"), "-s", "bob", "-nostdin"]
        argv += ["-i", CLIENT, "-p", str(port), "-mp", str(port + 10), "-cp", str(port + 20), "-m", str(calls)]
        argv += ["-timeout", f"{TIMEOUT_S}s", "-timeout_error"]
        argv += ["-trace_stat", "-stf", str(self.figures), "-fd", "1", "-recv_timeout", "30000"]
        argv += ["-trace_err", "-error_file", str(net.folder / f"{scenario}-{port}-errors.log"), *options]
        with (net.folder / f"{scenario}-{port}.log").open("ab") as log:
            self.process = subprocess.Popen(
                ["ip", "netns", "exec", net.client, *argv],
                env={"TERM": "dumb", "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        net.started.append(self.process)

    def outcome(self) -> tuple[int, int]:
        """Calls that went as the scenario says, and that did not; waits for its end."""
        self.process.wait(TIMEOUT_S + 10)
        return outcome(self.figures)


def start_calls(net: ClusterOfAppliances, calls: int, per_s: int, *options: str) -> tuple[SippAtClient, SippAtClient]:
    """Caller and callee: calls at the virtual address that ring for 3 s and last a tenth of a second."""
    callee = SippAtClient(net, "callee-rings-long", CALLEE_PORT, calls, "-d", str(RING_MS))
    bound = f"{CLIENT}:{CALLEE_PORT}"
    listing = ("ip", "netns", "exec", net.client, "ss", "-uln")
    wait_until(lambda: bound in net.run(*listing), "the callee has its port open")
    caller_options = ("-r", str(per_s), "-d", "100", "-key", "domain", bound, *options, f"{V4}:5060")
    return SippAtClient(net, "caller", CALLER_PORT, calls, *caller_options), callee


def is_linked(node: ApplianceNode) -> bool:
    """Have both other nodes connected to it?"""
    return len(node.run("ss", "-tnH", "state", "established", f"( sport = :{LINK_PORT} )").splitlines()) >= 2


def await_other_owner(net: ClusterOfAppliances, former: int) -> None:
    wait_until(lambda: net.owner(FIRST) not in (0, former), "another node owns the address", within(5.0))


def counters_of(net: ClusterOfAppliances, number: int) -> dict[str, Any]:
    counters: dict[str, Any] = net.nodes[number].report().get("counters", {})
    return counters


def test_calls_ring_on_when_their_node_dies(net: ClusterOfAppliances, record_property: Any) -> None:
    """All processes of the owner are killed once all calls ring: each is answered, acknowledged and ended."""
    caller, callee = start_calls(net, FEW, FEW)
    wait_until(lambda: counters_of(net, 1).get("calls-started") == FEW, "all calls have begun", RING_MS / 1000)
    net.nodes[1].signal_all(signal.SIGKILL)
    succeeded, failed = caller.outcome()
    record_property("failed", failed)
    assert (succeeded, failed) == (FEW, 0)
    assert callee.outcome() == (FEW, 0)
    owner = net.owner(FIRST)
    assert owner != 1
    wait_until(lambda: counters_of(net, owner).get("calls-answered") == FEW, "the figures are told", within(5.0))
    assert counters_of(net, owner)["calls-adopted"] == FEW


def test_calls_ring_on_while_their_nodes_die(net: ClusterOfAppliances, record_property: Any) -> None:
    """Calls that ring for 3 s, and the owner killed again and again: at most one call in 1,000 fails."""
    calls = SUSTAINED_RATE * SUSTAINED_S
    caller, _ = start_calls(net, calls, SUSTAINED_RATE, "-l", str(20 * SUSTAINED_RATE))
    deaths = 0
    ends_at = time.monotonic() + SUSTAINED_S
    while time.monotonic() + DEATH_EVERY_S < ends_at:
        time.sleep(DEATH_EVERY_S)
        owner = net.owner(FIRST)
        net.nodes[owner].signal_all(signal.SIGKILL)
        deaths += 1
        await_other_owner(net, owner)
        net.nodes[owner].start()
    succeeded, failed = caller.outcome()
    adopted = sum(counters_of(net, number).get("calls-adopted", 0) for number in net.nodes)
    for name, figure in (("calls", calls), ("failed", failed), ("deaths", deaths), ("adopted", adopted)):
        record_property(name, figure)
    assert succeeded + failed == calls
    assert failed <= calls / 1000
    # Those of nodes that died since are not counted.
    assert adopted > 0
