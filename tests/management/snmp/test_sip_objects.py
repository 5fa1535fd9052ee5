"""SIP-COMMON-MIB and SIP-SERVER-MIB from the status of a node (RFC 4780)."""

from __future__ import annotations

from appliance.catalogue.mib_objects import Oid
from appliance.catalogue.node_status import ListenerStatus, NodeStatus, WorkerStatus
from appliance.catalogue.settings import Settings
from appliance.management.snmp.object_tree import ObjectTree, Value
from appliance.management.snmp.signalbox_objects import SERVER_INDEX
from appliance.management.snmp.sip_objects import COMMON, SERVER, sip_variables

INVITE = (6, *b"INVITE")
STATUS = NodeStatus(
    workers=[WorkerStatus(number=0, slots=256)],
    listeners=[
        ListenerStatus(place=0, address="192.0.2.1", port=5060, transports=["udp", "tcp"]),
        ListenerStatus(place=1, address="192.0.2.2", port=5060, transports=["udp"]),
    ],
    registrations=3,
    counters={"requests-received": 10, "requests-sent": 4, "retransmissions-received": 2, "registrations-accepted": 3},
    traffic={"received INVITE": 5, "received ACK": 3, "sent INVITE": 4, "sent INVITE 486": 2, "received INVITE 486": 1},
    drops={"dropped-malformed": 1, "dropped-expired": 2},
)


def served(*oid: int) -> int | bytes | str | Oid:
    found = ObjectTree(sip_variables(STATUS, Settings())).get(oid)
    assert isinstance(found, Value), found
    return found.now


def test_each_method_has_its_counts_in_both_directions() -> None:
    assert served(*COMMON, 4, 1, 1, 2, SERVER_INDEX, *INVITE) == 4
    assert served(*COMMON, 4, 1, 1, 3, SERVER_INDEX, *INVITE) == 5
    assert served(*COMMON, 4, 1, 1, 3, SERVER_INDEX, 3, *b"BYE") == 0


def test_each_status_code_that_was_seen_has_a_row() -> None:
    assert served(*COMMON, 5, 1, 1, 3, SERVER_INDEX, *INVITE, 486) == 1
    assert served(*COMMON, 5, 1, 1, 4, SERVER_INDEX, *INVITE, 486) == 2


def test_transactions_are_requests_without_ack_and_retransmissions() -> None:
    assert served(*COMMON, 3, 1, 1, 5, SERVER_INDEX) == 10 - 2 + 4 - 3


def test_messages_that_were_dropped_are_added_up() -> None:
    assert served(*COMMON, 8, 1, 1, 3, SERVER_INDEX) == 3


def test_the_transports_of_a_port_are_bits() -> None:
    """RFC 4780 SipTCTransportProtocol: udp(1), tcp(2); the first bit is the highest (RFC 2578 7.1.4)."""
    assert served(*COMMON, 1, 2, 1, 2, SERVER_INDEX, 5060) == b"\x60"


def test_the_registrar_counts_its_contacts_and_requests() -> None:
    assert served(*SERVER, 5, 1, 1, 3, SERVER_INDEX) == 3
    assert served(*SERVER, 6, 1, 1, 1, SERVER_INDEX) == 3


def test_users_and_contacts_are_not_served() -> None:
    """RFC 4780 9: they tell who is registered where."""
    oids = [oid for oid, _ in sip_variables(STATUS, Settings())]
    assert not [oid for oid in oids if oid[: len(SERVER) + 2] in ((*SERVER, 5, 2), (*SERVER, 5, 3))]
