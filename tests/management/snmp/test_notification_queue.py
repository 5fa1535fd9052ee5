"""Notifications that wait for a manager: in order, bounded, over a restart of the agent."""

from __future__ import annotations

from pathlib import Path

from appliance.catalogue.snmp_values import target_of
from appliance.management.snmp.notification_queue import PAUSE_MAX_S, RAISED_MAX, Notification, NotificationQueue

NOC = target_of("noc 192.0.2.9 community public inform")
OTHER = target_of("other 192.0.2.10 community public")
OID = (1, 3, 6, 1, 6, 3, 1, 1, 5, 1)


def queue(path: Path) -> NotificationQueue:
    made = NotificationQueue(path / "notifications.json")
    made.set_targets([NOC, OTHER])
    return made


def add(to: NotificationQueue, count: int = 1) -> None:
    for _ in range(count):
        to.add(5.0, lambda number: Notification(number, 5.0, OID, (((1, 3), "SnmpAdminString", "text"),)))


def numbers(of: NotificationQueue, name: str) -> list[int]:
    return [notification.number for notification in of.queues[name].waiting]


def test_a_target_gets_one_at_a_time_and_in_order(tmp_path: Path) -> None:
    waiting = queue(tmp_path)
    add(waiting, 2)
    noc = waiting.queues["noc"]
    assert noc in waiting.to_send(0.0)
    noc.is_sending = True
    assert noc not in waiting.to_send(0.0)
    noc.told("", 0.0)
    assert (numbers(waiting, "noc"), noc.delivered) == ([2], 1)


def test_one_that_was_not_acknowledged_stays_and_is_tried_again_later(tmp_path: Path) -> None:
    waiting = queue(tmp_path)
    add(waiting)
    noc = waiting.queues["noc"]
    pauses = []
    for _ in range(12):
        noc.told("timeout", 100.0)
        pauses.append(noc.due - 100.0)
    assert numbers(waiting, "noc") == [1] and noc.last_error == "timeout"
    assert pauses[:3] == [1.0, 2.0, 4.0] and max(pauses) == PAUSE_MAX_S
    assert noc not in waiting.to_send(100.5) and noc in waiting.to_send(100.0 + PAUSE_MAX_S)


def test_at_the_limit_the_newest_is_dropped_and_counted(tmp_path: Path) -> None:
    waiting = queue(tmp_path)
    waiting.waiting_max = 2
    add(waiting, 3)
    assert numbers(waiting, "noc") == [1, 2] and waiting.queues["noc"].dropped == 1


def test_what_waits_outlives_a_restart(tmp_path: Path) -> None:
    waiting = queue(tmp_path)
    waiting.alarm_place = ("boot", 7)
    add(waiting, 3)
    waiting.queues["noc"].told("", 0.0)
    waiting.keep()
    later = queue(tmp_path)
    assert numbers(later, "noc") == [2, 3] and numbers(later, "other") == [1, 2, 3]
    assert later.queues["noc"].waiting[0] == waiting.queues["noc"].waiting[0]
    assert later.alarm_place == ("boot", 7) and later.number == 3


def test_the_notification_of_an_alarm_is_kept_until_it_is_cleared(tmp_path: Path) -> None:
    """RFC 3877: alarmActiveVariableTable; RFC 3014: sysUpTime of what was before the start is 0."""
    waiting = queue(tmp_path)
    for alarm in (1, 2, 0, 1):
        waiting.add(5.0, lambda number, alarm=alarm: Notification(number, 5.0, OID, (), 70, alarm))  # type: ignore[misc]
    waiting.keep()
    later = queue(tmp_path)
    assert [each.number for each in later.raised.values()] == [2]
    assert later.raised[2].engine_uptime == later.log[0].engine_uptime == 0
    later.begin_boot("other")
    assert not later.raised and later.alarm_place == ("other", 0)


def test_notifications_of_active_alarms_are_bounded(tmp_path: Path) -> None:
    waiting = queue(tmp_path)
    for alarm in range(1, RAISED_MAX + 3):
        waiting.add(5.0, lambda number, alarm=alarm: Notification(number, 5.0, OID, (), 0, alarm))  # type: ignore[misc]
    assert list(waiting.raised) == list(range(3, RAISED_MAX + 3))


def test_a_damaged_file_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / "notifications.json").write_text("{")
    assert queue(tmp_path).number == 0


def test_a_manager_that_was_away_for_an_hour_gets_all_of_them_in_order(tmp_path: Path) -> None:
    """RFC 3416 4.2.7: an inform is repeated until it is acknowledged. The agent is started anew in between."""
    waiting, away_until, got = queue(tmp_path), 3600.0, []
    now, attempts = 0.0, 0
    while now < away_until + 3 * PAUSE_MAX_S:
        if now % 60 == 0 and now < away_until:
            add(waiting)
        for noc in waiting.to_send(now):
            if noc.target.name == "noc":
                attempts += 1
                # Not acknowledged: 5 s and three retries later.
                is_there = now >= away_until
                got += [noc.waiting[0].number] if is_there else []
                noc.told("" if is_there else "timeout", now if is_there else now + 20.0)
        if now == 1800.0:
            waiting.keep()
            waiting = queue(tmp_path)
        now += 1.0
    assert got == list(range(1, 61)) and waiting.queues["noc"].dropped == 0
    # It was not asked again and again meanwhile.
    assert attempts - len(got) < away_until / 60
