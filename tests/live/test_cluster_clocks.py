"""The clock of a node that owns a virtual address is set while calls go on; as root (design 4).

The clock of the machine stays as it is: libfaketime changes what the processes of one node read. Leases, timers and
heartbeats go by the monotonic clock, which nothing sets. The clock is set back only: the kernel stamps datagrams by its
own clock, and to a process whose clock is ahead of it each of them would be old (`overload delay target`).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.live.cluster_namespaces import FIRST, ClusterOfAppliances
from tests.live.lease_namespaces import V4, V6, Observed, need_namespaces
from tests.live.machine import within
from tests.live.namespace_etcd import NamespaceEtcd
from tests.live.namespace_sipp import start_calls
from tests.live.processes import wait_until

pytestmark = [pytest.mark.long, pytest.mark.cluster]

FAKETIME = next(iter(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")), None)
CALLS_MAX, CALLS_PER_S, RING_MS = 100_000, 20, 1000
CALLS_S = 600
# Members compare their clocks by what they write to etcd.
TOLD_S = 90.0


def test_the_clock_of_the_owner_is_set_back_while_calls_go_on(tmp_path: Path) -> None:
    """By ten minutes, by an hour, and right again after each: an alarm, and nothing else."""
    if FAKETIME is None:
        pytest.skip("libfaketime is not installed; type: apt-get install faketime")
    need_namespaces()
    clock = tmp_path / "clock"
    clock.write_text("+0\n")
    with ClusterOfAppliances(tmp_path, listener_lines=("relay any",)) as net:
        NamespaceEtcd(net)
        owner = net.nodes[1]
        owner.environment = {
            "LD_PRELOAD": str(FAKETIME),
            "FAKETIME_TIMESTAMP_FILE": str(clock),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        net.start()
        wait_until(lambda: all(node.is_linked() for node in net.nodes.values()), "links are up", within(60.0))
        caller, callee = start_calls(net, CALLS_MAX, CALLS_PER_S, RING_MS, timeout_s=CALLS_S)
        with net.polling() as finish:
            for seconds in (600, 3600):
                clock.write_text(f"-{seconds}\n")
                wait_until(lambda: "clock-apart" in owner.alarms(), f"the alarm after {seconds} s", within(TOLD_S))
                clock.write_text("+0\n")
                wait_until(lambda: "clock-apart" not in owner.alarms(), "the alarm is cleared", within(TOLD_S))
            seen = Observed(finish())
        caller.finish()
        succeeded, failed = caller.outcome()
        callee.finish()
        assert failed == 0
        assert callee.outcome() == (succeeded, 0)
        seen.check_one_owner()
        assert [len(seen.changes(address)) for address in (V4, V6)] == [1, 1]
        assert net.owner(FIRST) == 1
