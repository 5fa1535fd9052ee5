"""NOTIFICATION-LOG-MIB (RFC 3014): what a manager missed while it was away can be read."""

from __future__ import annotations

from appliance.catalogue.alarms import WORKER_DOWN
from appliance.catalogue.mib_objects import Oid
from appliance.management.snmp.alarm_notifications import ACTIVE_STATE, CLEAR_STATE, alarm_notification
from appliance.management.snmp.engine_address import UDP_IPV6, address_of
from appliance.management.snmp.notification_log_objects import (
    CONFIGURATION_ENTRY,
    LOG_ENTRY,
    STATISTICS_ENTRY,
    VARIABLE_ENTRY,
    LogEntries,
    log_variables,
)
from appliance.management.snmp.object_tree import ObjectTree, Value, Variable
from appliance.management.snmp.target_objects import FILTER_ENTRY, target_variables
from appliance.messages.supervisor_requests import AlarmEvent

RAISED = AlarmEvent(1796000000.0, WORKER_DOWN, "worker 1", "major", "raised", "It ended.", 1, 1)
CLEARED = AlarmEvent(1796000001.0, WORKER_DOWN, "worker 1", "major", "cleared", "It ended.", 2, 1)
LOG = [alarm_notification(7, RAISED, 100), alarm_notification(8, CLEARED, 200)]


def variables(address: str = "192.0.2.1") -> list[Variable]:
    entries = LogEntries(b"engine")
    entries.address = address_of(address, 161)
    return list(log_variables(LOG, 8, 6, entries))


def value(tree: ObjectTree, *oid: int) -> int | bytes | str | Oid:
    found = tree.get(oid)
    assert isinstance(found, Value), found
    return found.now


def test_a_manager_reads_what_it_missed() -> None:
    tree = ObjectTree(variables())
    assert value(tree, *LOG_ENTRY, 9, 0, 7) == ACTIVE_STATE and value(tree, *LOG_ENTRY, 9, 0, 8) == CLEAR_STATE
    assert value(tree, *LOG_ENTRY, 2, 0, 8) == 200
    texts = [found.now for oid, found in variables() if oid[: len(VARIABLE_ENTRY) + 1] == (*VARIABLE_ENTRY, 8)]
    assert b"worker-down" in texts and b"It ended." in texts


def test_an_entry_names_the_engine_that_made_it_and_its_address() -> None:
    """RFC 3014: nlmLogEngineTAddress, nlmLogEngineTDomain, nlmLogContextEngineID."""
    tree = ObjectTree(variables())
    assert value(tree, *LOG_ENTRY, 5, 0, 7) == bytes([192, 0, 2, 1, 0, 161])
    assert value(tree, *LOG_ENTRY, 7, 0, 7) == b"engine"
    assert value(ObjectTree(variables("2001:db8::1")), *LOG_ENTRY, 6, 0, 7) == UDP_IPV6


def test_the_log_counts_what_entered_and_left_it() -> None:
    tree = ObjectTree(variables())
    assert [value(tree, *STATISTICS_ENTRY, column, 0) for column in (1, 2)] == [8, 6]


def test_the_filter_of_the_log_is_a_row_that_lets_everything_through() -> None:
    tree = ObjectTree([*variables(), *target_variables([])])
    name = value(tree, *CONFIGURATION_ENTRY, 2, 0)
    assert isinstance(name, bytes)
    # included(1), of 1.3
    assert value(tree, *FILTER_ENTRY, 3, len(name), *name, 1, 3) == 1
