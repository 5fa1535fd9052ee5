"""What a second node costs: processor time of a REGISTER and of a call, and a node that joins, as root.

Processor time is that of all processes of all nodes, less what they take when nothing arrives; both sides in one run.
"""

from __future__ import annotations

import csv
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median

import pytest

from appliance.location.binding import BindingChange, new_binding
from appliance.location.record_version import next_version
from appliance.storage.registrations import SharedTable
from appliance.storage.table_folder import TableFolder, folder_path
from benchmarks.figures import percentile
from benchmarks.processes import CpuMeter
from tests.live.appliance import DOMAIN, PATIENT, Appliance
from tests.live.cluster_namespaces import START_TIMEOUT_S, ApplianceNode, ClusterOfAppliances
from tests.live.cluster_nodes import ClusterNodes
from tests.live.cluster_targets import TARGETS
from tests.live.lease_namespaces import V4, need_namespaces
from tests.live.machine import rate, within
from tests.live.namespace_sipp import SippAtClient, start_calls
from tests.live.processes import Processes, wait_until
from tests.live.registering import Registering

RECORD = Callable[[str, object], None]
ROUNDS = 3
TURN_S, REST_S = 5.0, 3.0
REGISTERS_PER_S = rate(int(os.environ.get("SIGNALBOX_REGISTERS_PER_S", "1000")))
CALLS_PER_S = rate(int(os.environ.get("SIGNALBOX_CALLS_PER_S", "100")))
JOINED = int(os.environ.get("SIGNALBOX_JOINED", "200000"))
JOIN_CALLS_PER_S = rate(int(os.environ.get("SIGNALBOX_CALLS_PER_S", "100")))
AT_ONCE = 256
# Whose calls another node could go on with, and whose calls none can.
ADDRESSES = (("two", V4), ("one", "10.77.0.1"))
WAIT = "cluster\n  calls wait\n!\n"

pytestmark = [pytest.mark.cluster, pytest.mark.figures]


def test_processor_time_of_a_register(processes: Processes, record_property: RECORD) -> None:
    """A phone at one of two nodes, and at a node alone."""
    cluster, alone = ClusterNodes(processes, 2, PATIENT), Appliance(processes, PATIENT, workers=1)
    cluster.start()
    alone.start()
    sides = {"two": cluster.nodes, "one": [alone]}
    idle = {name: busy_s(pids_of(nodes), REST_S, lambda: None) / REST_S for name, nodes in sides.items()}
    costs: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(ROUNDS):
        for name, nodes in sides.items():
            costs[name].append(cost_of_registers(nodes, idle[name]))
    note_costs(record_property, costs, idle, "register_cpu_ratio", REGISTERS_PER_S)


def cost_of_registers(nodes: Sequence[Appliance], idle: float) -> float:
    """Microseconds for each, over all nodes."""
    phones = Registering(nodes[0].port, nodes[0].domain, 2000, REGISTERS_PER_S)
    begun = time.monotonic()
    taken_s = busy_s(pids_of(nodes), TURN_S, phones.start, phones.end)
    lasted_s = time.monotonic() - begun
    assert set(phones.statuses) == {200}
    return (taken_s - idle * lasted_s) / phones.statuses[200] * 1e6


def pids_of(nodes: Sequence[Appliance]) -> list[int]:
    return [node.process.pid for node in nodes]


def busy_s(pids: Sequence[int], seconds: float, begin: Callable[[], object], end: Callable[[], object] = int) -> float:
    """Processor time of these and what is below them, from `begin` until `end` returns, some seconds later."""
    meters = [CpuMeter(pid) for pid in pids]
    begin()
    time.sleep(seconds)
    end()
    return sum(meter.seconds() for meter in meters)


def note_costs(
    record_property: RECORD, costs: dict[str, list[float]], idle: dict[str, float], name: str, per_s: int
) -> None:
    ratio = median(costs["two"]) / median(costs["one"])
    record_property("per_s", per_s)
    record_property("us", {side: [round(cost, 1) for cost in found] for side, found in costs.items()})
    record_property("idle_percent", {side: round(100 * share, 1) for side, share in idle.items()})
    record_property(name, round(ratio, 2))
    assert ratio <= TARGETS[name].must


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterOfAppliances]:
    """Three nodes, which both tests share."""
    need_namespaces()
    with ClusterOfAppliances(tmp_path_factory.mktemp("cost"), listener_lines=("relay any",)) as namespaces:
        namespaces.start()
        wait_until(lambda: all(node.is_linked() for node in namespaces.nodes.values()), "links are up", within(60.0))
        yield namespaces


def test_processor_time_of_a_call(net: ClusterOfAppliances, record_property: RECORD) -> None:
    """At a virtual address, whose calls another node could go on with; and at the node's own address, on its own."""
    costs, share = costs_at_both_addresses(net)
    note_costs(record_property, costs, {"all": share}, "call_cpu_ratio", CALLS_PER_S)


def test_what_it_costs_to_wait_for_the_copy(tmp_path: Path, record_property: RECORD) -> None:
    """`cluster calls wait`: nothing leaves before the other node has the copy of what it describes."""
    need_namespaces()
    with ClusterOfAppliances(tmp_path, listener_lines=("relay any",), more_configuration=WAIT) as net:
        net.start()
        wait_until(lambda: all(node.is_linked() for node in net.nodes.values()), "links are up", within(60.0))
        costs, _ = costs_at_both_addresses(net)
        times = {side: latencies(net, TURN_S, lambda: None, address) for side, address in ADDRESSES}
        copies = sum(node.counters()["call-copies-sent"] for node in net.nodes.values())
    record_property("us", {side: [round(cost, 1) for cost in found] for side, found in costs.items()})
    record_property("wait_call_cpu_ratio", round(median(costs["two"]) / median(costs["one"]), 2))
    record_property("median_ms", {side: round(median(found), 2) for side, found in times.items()})
    record_property("p99_ms", {side: round(percentile(found, 0.99), 2) for side, found in times.items()})
    assert copies > 0
    assert median(times["two"]) > median(times["one"])


def costs_at_both_addresses(net: ClusterOfAppliances) -> tuple[dict[str, list[float]], float]:
    """Microseconds of a call at the virtual address ("two") and at the node's own one, and what idling takes."""
    pids = [node.pid for node in net.nodes.values()]
    share = busy_s(pids, REST_S, lambda: None) / REST_S
    costs: dict[str, list[float]] = {side: [] for side, _ in ADDRESSES}
    for _ in range(ROUNDS):
        for side, address in ADDRESSES:
            costs[side].append(cost_of_calls(net, pids, share, address))
    return costs, share


def cost_of_calls(net: ClusterOfAppliances, pids: Sequence[int], idle: float, address: str) -> float:
    """Microseconds for each, over all nodes."""
    calls = int(CALLS_PER_S * TURN_S)
    begun = time.monotonic()
    started: list[SippAtClient] = []

    def place() -> None:
        started.extend(start_calls(net, calls, CALLS_PER_S, 500, at=address))

    taken_s = busy_s(pids, TURN_S, place, lambda: started[0].process.wait(60))
    lasted_s = time.monotonic() - begun
    assert started[0].outcome() == (calls, 0), "the machine carries so many calls not; set SIGNALBOX_CALLS_PER_S"
    started[1].process.wait(60)
    return (taken_s - idle * lasted_s) / calls * 1e6


def test_a_node_that_joins(net: ClusterOfAppliances, record_property: RECORD) -> None:
    """It gets all registrations, while calls go on at the virtual address."""
    joining = net.nodes[3]
    joining.signal_all(9)
    assert joining.supervisor is not None
    joining.supervisor.wait(10)
    fill(net.nodes[1], JOINED)
    wait_until(lambda: contacts_of(net.nodes[2]) >= JOINED, "the second node has all", within(120.0), 0.5)
    calm = latencies(net, 5.0, lambda: None)
    took: list[float] = []

    def join() -> None:
        joining.start()
        # How long a process takes to start is another figure.
        wait_until(joining.is_linked, "both other nodes have connected to it", START_TIMEOUT_S)
        took.append(wait_until(lambda: contacts_of(joining) >= JOINED, "it has all", within(120.0), 0.1))

    busy = latencies(net, 0.0, join)
    ratio = percentile(busy, 0.99) / percentile(calm, 0.99)
    record_property("registrations", JOINED)
    record_property("calls_per_s", JOIN_CALLS_PER_S)
    record_property("join_s", round(took[0], 1))
    record_property("join_s_per_million", round(took[0] * 1e6 / JOINED, 1))
    record_property("p99_ms", [round(percentile(one, 0.99), 1) for one in (calm, busy)])
    record_property("join_p99_ratio", round(ratio, 2))
    assert took[0] * 1e6 / JOINED <= within(TARGETS["join_s_per_million"].must)


def latencies(
    net: ClusterOfAppliances, seconds: float, meanwhile: Callable[[], object], address: str = V4
) -> list[float]:
    """Milliseconds from INVITE to the answer of a phone that answers at once."""
    caller, callee = start_calls(net, 1_000_000, JOIN_CALLS_PER_S, 0, "-trace_rtt", "-rtt_freq", "1", at=address)
    meanwhile()
    time.sleep(seconds)
    for one in (caller, callee):
        one.process.kill()
        one.process.wait()
    (file,) = net.folder.glob(f"*_{caller.process.pid}_rtt.csv")
    with file.open(encoding="ascii") as rows:
        return [float(row["response_time_ms"]) for row in csv.DictReader(rows, delimiter=";")]


def table_of(node: ApplianceNode) -> SharedTable:
    folder = TableFolder(folder_path(node.state_dir, {}))
    return SharedTable.attach(folder.directory(folder.current()), JOINED + AT_ONCE)


def contacts_of(node: ApplianceNode) -> int:
    """How many contacts it has; -1 while it has no table."""
    try:
        table = table_of(node)
    except OSError:
        return -1
    try:
        return len(table)
    finally:
        table.close()


def fill(node: ApplianceNode, count: int) -> None:
    """Register as a worker of the node does, without the messages."""
    table = table_of(node)
    for begin in range(0, count, AT_ONCE):
        for number in range(begin, min(begin + AT_ONCE, count)):
            now = time.time()
            aor, uri = b"sip:u%d@%b" % (number, DOMAIN.encode()), b"sip:u%d@192.0.2.4:5060" % number
            version = next_version(now, node.number, 0)
            ends_at = now + 7200.0
            table.apply(
                BindingChange(
                    aor,
                    (
                        new_binding(
                            aor, uri, uri, b"", 1000, ends_at, ends_at, b"%d@phones" % number, 1, (), b"", 0, None,
                            ("192.0.2.4", 5060), b"a phone", version, version,
                        ),
                    ),
                )
            )  # fmt: skip
        while not table.commit():
            time.sleep(0.001)
    table.close()
