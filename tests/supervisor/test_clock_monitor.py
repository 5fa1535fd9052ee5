"""A step of the machine's clock is said once, is an alarm for an hour, and moves no registration."""

from __future__ import annotations

from pathlib import Path

from appliance import clock
from appliance.supervisor.clock_monitor import ALARM_S, ClockWatch

DAYS_S = 2 * 86400.0


def test_a_step_is_logged_once_and_is_an_alarm_for_an_hour(tmp_path: Path) -> None:
    lines: list[str] = []
    watch = ClockWatch(tmp_path, lines.append)
    boot, wall = clock.boot_time(), clock.wall_time()
    watch.look(wall + 0.2, boot)
    assert (lines, list(watch.conditions(boot))) == ([], [])
    for later in (0.0, 1.0, 2.0):
        watch.look(wall + DAYS_S + later, boot + later)
    assert lines == ["The clock was set forward by 172800.0 s. Registrations keep their lifetimes."]
    assert [condition.name for condition in watch.conditions(boot + ALARM_S - 1)] == ["clock-stepped"]
    assert list(watch.conditions(boot + ALARM_S + 1)) == []
    watch.look(wall - 60.0, boot + 3.0)
    assert lines[1].startswith("The clock was set back by 172863.0 s.")


def test_a_restart_goes_on_counting_where_the_node_stood(tmp_path: Path) -> None:
    watch = ClockWatch(tmp_path, lambda sentence: None)
    watch.look(clock.wall_time() - DAYS_S, clock.boot_time())
    again = ClockWatch(tmp_path, lambda sentence: None)
    assert abs(again.lifetime_offset_s - watch.lifetime_offset_s - DAYS_S) < 1.0


def test_what_is_damaged_counts_as_no_step(tmp_path: Path) -> None:
    (tmp_path / "clock-steps").write_text("soon")
    watch = ClockWatch(tmp_path, lambda sentence: None)
    assert abs(clock.boot_time() + watch.lifetime_offset_s - clock.wall_time()) < 1.0
