"""The configuration of the SIP server that the node is (RFC 4780): SIP-COMMON-MIB, SIP-SERVER-MIB."""

from __future__ import annotations

from appliance.catalogue.mib_objects import Oid
from appliance.catalogue.node_status import ListenerStatus, NodeStatus, WorkerStatus
from appliance.catalogue.settings import Settings
from appliance.management.snmp.object_tree import ObjectTree, Value
from appliance.management.snmp.signalbox_objects import SERVER_INDEX
from appliance.management.snmp.sip_common_objects import CONFIGURATION_ENTRY, common_variables
from appliance.management.snmp.sip_server_objects import SERVER, server_variables
from appliance.management.snmp.sip_service import (
    CONGESTED,
    DOWN,
    QUIESCING,
    RESTARTING,
    UP,
    ServiceState,
    service_status,
)
from appliance.management.snmp.sip_statistics_objects import COMMON
from appliance.messages.supervisor_requests import AlarmRow

STATUS = NodeStatus(
    workers=[WorkerStatus(number=0, slots=256)],
    listeners=[
        ListenerStatus(place=0, address="192.0.2.1", port=5060, transports=["udp", "tcp"]),
        ListenerStatus(place=1, address="192.0.2.2", port=5060, transports=["udp"]),
    ],
    registrations=3,
    counters={"registrations-accepted": 3},
)
OVERLOADED = AlarmRow("overload", "worker 0", "major", 1.0, "", "", "", "", "", 1)


def served(*oid: int) -> int | bytes | str | Oid:
    common = common_variables(STATUS, Settings(), ServiceState(UP, 0, 70))
    found = ObjectTree([*common, *server_variables(STATUS, Settings())]).get(oid)
    assert isinstance(found, Value), found
    return found.now


def test_the_transports_of_a_port_are_bits() -> None:
    """RFC 4780 SipTCTransportProtocol: udp(1), tcp(2); the first bit is the highest (RFC 2578 7.1.4)."""
    assert served(*COMMON, 1, 2, 1, 2, SERVER_INDEX, 5060) == b"\x60"


def test_the_registrar_counts_its_contacts_and_requests() -> None:
    assert served(*SERVER, 5, 1, 1, 3, SERVER_INDEX) == 3
    assert served(*SERVER, 6, 1, 1, 1, SERVER_INDEX) == 3


def test_the_state_of_the_service_is_served_with_its_time() -> None:
    assert [served(*CONFIGURATION_ENTRY, column, SERVER_INDEX) for column in (2, 4)] == [UP, 70]


def test_the_state_of_the_service_follows_its_workers() -> None:
    """RFC 4780 sipCommonCfgServiceOperStatus."""
    assert service_status(STATUS, []) == UP and service_status(STATUS, [OVERLOADED]) == CONGESTED
    starting, drained = WorkerStatus(pid=7, state="starting"), WorkerStatus(pid=7, state="drained")
    assert service_status(NodeStatus(workers=[starting]), []) == RESTARTING
    assert service_status(NodeStatus(workers=[drained]), []) == QUIESCING
    assert service_status(NodeStatus(workers=[WorkerStatus()]), []) == DOWN


def test_the_time_of_a_state_is_that_of_its_begin() -> None:
    """0 where that was before the agent was started."""
    state = ServiceState().after(UP, 500)
    assert (state.status, state.changed) == (UP, 0)
    state = state.after(UP, 600).after(CONGESTED, 700).after(CONGESTED, 800)
    assert (state.status, state.changed) == (CONGESTED, 700)
