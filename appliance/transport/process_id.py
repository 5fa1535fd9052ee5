"""The name of a process in a cluster: the number of its node, and which of the node's processes it is.

It is one integer, node << 16 | worker: an ordinary number in flows, slot tables and addresses of the bus, which costs
nothing more where messages pass. Nodes have 12 bits, as in the versions of registrations (location/record_version.py).
A supervisor, a management process, a persister, an SNMP agent, a cluster process, a replicator and a lookup server have
numbers above those of all workers.
"""

from __future__ import annotations

from typing import Final, NewType

ProcessId = NewType("ProcessId", int)

NODE_MAX: Final = 4095
WORKER_MAX: Final = 0xFFEF
LOOKUP_SERVER: Final = 0xFFF9
REPLICATOR: Final = 0xFFFA
CLUSTER: Final = 0xFFFB
SNMP_AGENT: Final = 0xFFFC
PERSISTER: Final = 0xFFFD
MANAGEMENT: Final = 0xFFFE
SUPERVISOR: Final = 0xFFFF
NO_PROCESS: Final = ProcessId(-1)
# The number of a node that is in no cluster.
SINGLE_NODE: Final = 1


def process_id(node: int, worker: int) -> ProcessId:
    """The process `worker` (or SUPERVISOR, MANAGEMENT, ...) of a node."""
    return ProcessId(node << 16 | worker)


def node_of(process: ProcessId) -> int:
    """The number of its node, 0..NODE_MAX."""
    return process >> 16


def worker_of(process: ProcessId) -> int:
    """Its number within the node: of a worker 0..WORKER_MAX, else SUPERVISOR, MANAGEMENT, PERSISTER or SNMP_AGENT."""
    return process & 0xFFFF


def supervisor_of(process: ProcessId) -> ProcessId:
    """The supervisor of its node."""
    return ProcessId(process | SUPERVISOR)
