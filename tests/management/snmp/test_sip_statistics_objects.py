"""The statistics of SIP-COMMON-MIB from the status of a node (RFC 4780)."""

from __future__ import annotations

from appliance.catalogue.mib_objects import Oid
from appliance.catalogue.node_status import NodeStatus, WorkerStatus
from appliance.management.snmp.object_tree import ObjectTree, Value
from appliance.management.snmp.signalbox_objects import SERVER_INDEX
from appliance.management.snmp.sip_statistics_objects import COMMON, statistics_variables

INVITE = (6, *b"INVITE")
STATUS = NodeStatus(
    workers=[WorkerStatus(gauges={"transactions_pending": 2}), WorkerStatus(gauges={"transactions_pending": 3})],
    counters={"requests-received": 10, "requests-sent": 6, "retransmissions-received": 2},
    traffic={
        "received INVITE": 5,
        "received-again INVITE": 2,
        "received ACK": 3,
        "sent INVITE": 4,
        "sent-again INVITE": 1,
        "sent ACK": 2,
        "sent-again ACK": 1,
        "sent INVITE 486": 2,
        "received INVITE 486": 1,
        "sent-again INVITE 180": 3,
        "sent-again INVITE 486": 4,
        "sent-again INVITE 603": 1,
    },
    drops={"dropped-malformed": 1, "dropped-expired": 2},
)


def served(*oid: int) -> int | bytes | str | Oid:
    found = ObjectTree(statistics_variables(STATUS)).get(oid)
    assert isinstance(found, Value), found
    return found.now


def test_each_method_has_its_counts_in_both_directions_without_retransmissions() -> None:
    assert served(*COMMON, 4, 1, 1, 2, SERVER_INDEX, *INVITE) == 3
    assert served(*COMMON, 4, 1, 1, 3, SERVER_INDEX, *INVITE) == 3
    assert served(*COMMON, 4, 1, 1, 3, SERVER_INDEX, 3, *b"BYE") == 0


def test_retransmissions_are_counted_by_method_and_kind() -> None:
    """sipCommonStatsRetries, -RetryFinalResponses, -RetryNonFinalResponses"""
    assert [served(*COMMON, 7, 1, 1, column, SERVER_INDEX, *INVITE) for column in (2, 3, 4)] == [1, 5, 3]
    assert [served(*COMMON, 7, 1, 1, column, SERVER_INDEX, 3, *b"BYE") for column in (2, 3, 4)] == [0, 0, 0]


def test_each_status_code_that_was_seen_has_a_row() -> None:
    assert served(*COMMON, 5, 1, 1, 3, SERVER_INDEX, *INVITE, 486) == 1
    assert served(*COMMON, 5, 1, 1, 4, SERVER_INDEX, *INVITE, 486) == 2


def test_transactions_are_requests_without_ack_and_retransmissions() -> None:
    assert served(*COMMON, 3, 1, 1, 5, SERVER_INDEX) == (10 - 2 - 3) + (6 - 1 - 2)


def test_transactions_that_wait_for_a_final_response_are_those_of_all_workers() -> None:
    """sipCommonTransCurrentactions"""
    assert served(*COMMON, 6, 1, 1, 1, SERVER_INDEX) == 5


def test_messages_that_were_dropped_are_added_up() -> None:
    assert served(*COMMON, 8, 1, 1, 3, SERVER_INDEX) == 3
