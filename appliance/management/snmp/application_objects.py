"""NETWORK-SERVICES-MIB (RFC 2788): applTable, a row for each process of the node."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from appliance.catalogue.mib_objects import Oid
from appliance.catalogue.node_status import NodeStatus, ProcessStatus
from appliance.management.snmp.object_tree import Value, Variable
from appliance.management.snmp.signalbox_objects import SERVER_INDEX, process_index
from appliance.management.snmp.system_objects import ticks

APPLICATION_ENTRY: Final[Oid] = (1, 3, 6, 1, 2, 1, 27, 1, 1)
_NO_NAME: Final = b""
# RFC 2788: applOperStatus.
_UP: Final = 1


def application_variables(status: NodeStatus, version: str, agent_uptime_s: float) -> Iterator[Variable]:
    """The index of a process is that of sbProcessTable; one more row is the SIP server that they are together."""
    server = ProcessStatus(name="SIP server", uptime_s=status.supervisor.uptime_s)
    for column, value in _columns(server, version, agent_uptime_s).items():
        yield (*APPLICATION_ENTRY, column, SERVER_INDEX), value
    for process in status.processes:
        index = process_index(process.name)
        for column, value in _columns(process, version, agent_uptime_s).items():
            yield (*APPLICATION_ENTRY, column, index), value


def _columns(process: ProcessStatus, version: str, agent_uptime_s: float) -> dict[int, Value]:
    # The value of sysUpTime when it was started: 0 where that was before the agent.
    started = Value("TimeTicks", ticks(max(agent_uptime_s - process.uptime_s, 0.0)))
    none = Value("Gauge32", 0)
    return {
        2: Value("OctetString", f"signalbox {process.name}".encode()),
        3: Value("OctetString", _NO_NAME),
        4: Value("OctetString", version.encode()),
        5: started,
        6: Value("Integer32", _UP),
        7: started,
        8: none,
        9: none,
        10: Value("Counter32", 0),
        11: Value("Counter32", 0),
        12: Value("TimeTicks", 0),
        13: Value("TimeTicks", 0),
        14: Value("Counter32", 0),
        15: Value("Counter32", 0),
        16: Value("OctetString", f"SIP server, process {process.name}".encode()),
        17: Value("OctetString", b""),
    }
