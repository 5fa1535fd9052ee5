"""applTable of NETWORK-SERVICES-MIB (RFC 2788): the processes of the node, and the SIP server that they are."""

from __future__ import annotations

from appliance.catalogue.mib_objects import Oid
from appliance.catalogue.node_status import NodeStatus, ProcessStatus, SupervisorStatus
from appliance.management.snmp.application_objects import APPLICATION_ENTRY, application_variables
from appliance.management.snmp.object_tree import ObjectTree, Value
from appliance.management.snmp.signalbox_objects import FIRST_WORKER_INDEX, SERVER_INDEX
from appliance.management.snmp.sip_service import CONGESTED, ServiceState

STATUS = NodeStatus(
    supervisor=SupervisorStatus(uptime_s=100.0),
    processes=[ProcessStatus(name="worker 1", uptime_s=20.0)],
    counters={"connections-accepted": 7, "connections-opened": 3, "connections-refused": 2, "connections-failed": 1},
)
TREE = ObjectTree(application_variables(STATUS, "1.0", ServiceState(CONGESTED, 0, 70), 90.0))
WORKER_INDEX = FIRST_WORKER_INDEX + 1


def served(column: int, index: int) -> int | bytes | str | Oid:
    found = TREE.get((*APPLICATION_ENTRY, column, index))
    assert isinstance(found, Value), found
    return found.now


def test_a_process_has_the_time_of_its_start() -> None:
    """applUptime: sysUpTime at it; 0 where that was before the agent was started."""
    assert (served(5, WORKER_INDEX), served(5, SERVER_INDEX)) == (7000, 0)
    assert served(2, WORKER_INDEX) == b"signalbox worker 1"


def test_the_server_has_the_state_of_its_service() -> None:
    """applOperStatus congested(4), applLastChange."""
    assert (served(6, SERVER_INDEX), served(7, SERVER_INDEX)) == (4, 70)
    assert served(6, WORKER_INDEX) == 1


def test_connections_of_the_server_are_associations() -> None:
    assert [served(column, SERVER_INDEX) for column in (10, 11, 14, 15)] == [7, 3, 2, 1]


def test_what_is_not_known_is_not_there() -> None:
    """applInboundAssociations, applLastInboundActivity: no 0 in their place."""
    assert all(not isinstance(TREE.get((*APPLICATION_ENTRY, column, SERVER_INDEX)), Value) for column in (8, 9, 12, 13))
