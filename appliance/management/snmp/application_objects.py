"""NETWORK-SERVICES-MIB (RFC 2788): applTable, a row for each process of the node, and one for the SIP server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from appliance.catalogue.mib_objects import Oid
from appliance.catalogue.node_status import NodeStatus, ProcessStatus
from appliance.management.snmp.object_tree import Value, Variable
from appliance.management.snmp.rows import row, text
from appliance.management.snmp.signalbox_objects import SERVER_INDEX, process_index
from appliance.management.snmp.sip_service import CONGESTED, DOWN, QUIESCING, RESTARTING, UNKNOWN, UP, ServiceState
from appliance.management.snmp.sip_statistics_objects import COUNTER32_MAX
from appliance.management.snmp.system_objects import ticks

APPLICATION_ENTRY: Final[Oid] = (1, 3, 6, 1, 2, 1, 27, 1, 1)
OPER_STATUS, LAST_CHANGE = 6, 7
# applOperStatus, which has no word for unknown.
_RUNS: Final = 1
_STATUSES: Final = {UP: _RUNS, DOWN: 2, CONGESTED: 4, RESTARTING: 5, QUIESCING: 6, UNKNOWN: 2}
# TCP and TLS: connections that were accepted, opened, refused and not opened. How many there are now in each direction
# is not counted, nor when the last one was.
_ASSOCIATIONS: Final = {
    10: "connections-accepted",
    11: "connections-opened",
    14: "connections-refused",
    15: "connections-failed",
}


def application_variables(
    status: NodeStatus, version: str, service: ServiceState, agent_uptime_s: float
) -> Iterator[Variable]:
    """The index of a process is that of sbProcessTable; the workers together are the SIP server."""
    server = ProcessStatus(name="SIP server", uptime_s=status.supervisor.uptime_s)
    values = {
        **_columns(server, version, agent_uptime_s, status.counters),
        OPER_STATUS: Value("Integer32", _STATUSES[service.status]),
        LAST_CHANGE: Value("TimeTicks", service.changed),
    }
    yield from row(APPLICATION_ENTRY, (SERVER_INDEX,), values)
    for process in status.processes:
        index = (process_index(process.name),)
        yield from row(APPLICATION_ENTRY, index, _columns(process, version, agent_uptime_s, {}))


def _columns(
    process: ProcessStatus, version: str, agent_uptime_s: float, counters: Mapping[str, int]
) -> dict[int, Value]:
    # The value of sysUpTime when it was started: 0 where that was before the agent.
    started = Value("TimeTicks", ticks(max(agent_uptime_s - process.uptime_s, 0.0)))
    counted = {
        column: Value("Counter32", counters.get(name, 0) & COUNTER32_MAX) for column, name in _ASSOCIATIONS.items()
    }
    return {
        2: text(f"signalbox {process.name}"),
        3: text(""),
        4: text(version),
        5: started,
        OPER_STATUS: Value("Integer32", _RUNS),
        LAST_CHANGE: started,
        **counted,
        16: text(f"SIP server, process {process.name}"),
        17: text(""),
    }
