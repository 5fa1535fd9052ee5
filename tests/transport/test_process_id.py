"""The name of a process: its node and its number there, in one integer."""

from __future__ import annotations

from appliance.transport.flow import TCP, Flow
from appliance.transport.process_id import (
    MANAGEMENT,
    NO_PROCESS,
    NODE_MAX,
    SUPERVISOR,
    WORKER_MAX,
    node_of,
    process_id,
    supervisor_of,
    worker_of,
)

REMOTE = ("192.0.2.7", 40001)


def test_a_process_is_taken_apart_as_it_was_put_together() -> None:
    for node in (0, 1, NODE_MAX):
        for worker in (0, 1, WORKER_MAX, MANAGEMENT, SUPERVISOR):
            process = process_id(node, worker)
            assert (node_of(process), worker_of(process)) == (node, worker)
            assert process != NO_PROCESS
            assert supervisor_of(process) == process_id(node, SUPERVISOR)


def test_connections_of_equal_number_on_two_nodes_are_two_flows() -> None:
    here, there = (Flow(TCP, 0, REMOTE, process_id(node, 3), 9) for node in (1, 2))
    assert here != there and here.way() == there.way()
    assert "node 2 worker 3 connection 9" in repr(there)
