"""Status codes that come too often: sipCommonStatusCodeThreshExceededInNotif and -OutNotif (RFC 4780)."""

from __future__ import annotations

from appliance.catalogue.snmp_status_codes import METHODS, status_threshold_of
from appliance.management.snmp.sip_notifications import (
    SERVICE_STATUS_CHANGED,
    THRESHOLD_EXCEEDED,
    SipNotifications,
)
from appliance.management.snmp.sip_service import CONGESTED, ServiceState
from appliance.management.snmp.sip_statistics_objects import STATUS_ENTRY
from appliance.management.snmp.status_code_monitor import Crossing, StatusCodeMonitor
from appliance.sip import traffic_counts

UNAVAILABLE = status_threshold_of("INVITE 503 10 interval 60")


def monitor() -> StatusCodeMonitor:
    made = StatusCodeMonitor()
    made.go_by([UNAVAILABLE])
    return made


def crossings(of: StatusCodeMonitor, now: float, sent: int = 0, received: int = 0) -> list[tuple[str, int]]:
    traffic = {"sent INVITE 503": sent, "received INVITE 503": received}
    return [(crossing.direction, crossing.count) for crossing in of.look(traffic, now)]


def test_more_than_the_threshold_in_an_interval_are_told_once() -> None:
    watched = monitor()
    assert crossings(watched, 0.0, sent=1000) == []
    assert crossings(watched, 10.0, sent=1010) == []
    assert crossings(watched, 20.0, sent=1011) == [("sent", 1011)]
    assert crossings(watched, 30.0, sent=1100) == []


def test_as_many_in_a_longer_time_are_none() -> None:
    watched = monitor()
    assert [crossings(watched, 6.0 * turn, sent=turn) for turn in range(100)] == [[]] * 100


def test_it_is_told_again_after_a_quiet_interval() -> None:
    watched = monitor()
    crossings(watched, 0.0)
    assert crossings(watched, 6.0, received=11) == [("received", 11)]
    assert all(not crossings(watched, now, received=11) for now in (30.0, 66.0, 90.0))
    assert crossings(watched, 96.0, received=22) == [("received", 22)]


def test_directions_are_counted_apart() -> None:
    watched = monitor()
    crossings(watched, 0.0)
    assert crossings(watched, 6.0, sent=8, received=8) == []


def test_what_is_kept_is_bounded_by_the_interval() -> None:
    watched = monitor()
    for turn in range(1000):
        crossings(watched, float(turn), sent=turn)
    assert all(len(each.looks) <= UNAVAILABLE.interval_s + 1 for each in watched._watched.values())


def test_without_a_threshold_there_is_no_pause_to_wait_for() -> None:
    watched = monitor()
    assert watched.pause_s == 6.0
    watched.go_by([])
    assert watched.pause_s is None


def test_the_notification_has_the_counter_of_its_direction() -> None:
    """RFC 4780: sequence number, applIndex, and sipCommonStatusCodeIns or -Outs."""
    notifications = SipNotifications()
    first = notifications.threshold_exceeded(Crossing(UNAVAILABLE, "received", 7), 3, 1.0, 100)
    second = notifications.threshold_exceeded(Crossing(UNAVAILABLE, "sent", 9), 4, 1.0, 100)
    assert (first.oid, second.oid) == (THRESHOLD_EXCEEDED["received"], THRESHOLD_EXCEEDED["sent"])
    index = (100, 6, *b"INVITE", 503)
    assert first.objects[2] == ((*STATUS_ENTRY, 3, *index), "Counter32", 7)
    assert second.objects[2] == ((*STATUS_ENTRY, 4, *index), "Counter32", 9)
    assert [each.objects[0][2] for each in (first, second)] == [1, 2] and first.objects[1][2] == 100


def test_a_change_of_the_service_is_told_with_its_state() -> None:
    found = SipNotifications().service_changed(ServiceState(CONGESTED, 0, 70), 3, 1.0, 100)
    assert found.oid == SERVICE_STATUS_CHANGED and [each[2] for each in found.objects] == [1, 100, 70, CONGESTED]


def test_the_methods_are_those_that_are_counted() -> None:
    assert tuple(name.encode() for name in METHODS) == traffic_counts.METHODS
