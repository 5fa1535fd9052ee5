"""Wrong passwords of the whole node: the alarm, the log and the table."""

from __future__ import annotations

from appliance.catalogue.alarms import PASSWORD_GUESSING
from appliance.catalogue.authentication_settings import LockoutSettings
from appliance.messages.supervisor_requests import FailureRow
from appliance.supervisor.guessing_monitor import LINES_PER_MINUTE, FailureWatch

LIMITS = LockoutSettings(attempts_max=3, source_attempts_max=10, user_attempts_max=6)


def watch() -> tuple[FailureWatch, list[str]]:
    lines: list[str] = []
    return FailureWatch(LIMITS, lines.append), lines


def test_a_source_that_guesses_is_an_alarm_that_says_who() -> None:
    failures, _ = watch()
    failures.told({"192.0.2.66": {f"user{number}@example.com": 5 for number in range(2)}}, 10.0)
    (raised,) = failures.conditions(10.0)
    assert (raised.name, raised.subject) == (PASSWORD_GUESSING, "source 192.0.2.66")
    assert raised.text == "Source 192.0.2.66: 10 failed attempts. It is blocked for 300 seconds."
    assert failures.conditions(2000.0) == []


def test_a_user_who_is_guessed_from_everywhere_is_an_alarm() -> None:
    failures, _ = watch()
    failures.told({f"192.0.2.{number}": {"alice@example.com": 1} for number in range(6)}, 10.0)
    (raised,) = failures.conditions(10.0)
    assert raised.subject == "user alice@example.com"


def test_one_phone_with_an_old_password_is_no_alarm_at_once() -> None:
    failures, _ = watch()
    failures.told({"192.0.2.1": {"alice@example.com": 3}}, 10.0)
    assert failures.conditions(10.0) == []


def test_the_log_names_a_source_once_a_minute_and_is_bounded() -> None:
    failures, lines = watch()
    for _ in range(5):
        failures.told({"192.0.2.66": {"alice@example.com": 1, "bob@example.com": 1}}, 100.0)
    sentence = "Authentication failed: source 192.0.2.66, user alice@example.com and 1 more, 2 failures."
    assert lines == [sentence]
    failures.told({f"198.51.100.{number}": {"alice@example.com": 1} for number in range(50)}, 100.0)
    assert len(lines) == LINES_PER_MINUTE
    failures.told({"192.0.2.66": {"alice@example.com": 1}}, 161.0)
    assert lines[LINES_PER_MINUTE] == "Authentication failed: 31 or more other sources in the same minute."


def test_the_table_says_who_is_refused_and_for_how_long() -> None:
    failures, _ = watch()
    failures.told({"192.0.2.66": {"alice@example.com": 3}}, 10.0)
    shown = failures.rows(10, 10.0, 1000.0)
    assert shown.total == 3
    assert shown.rows[0] == FailureRow("192.0.2.66", "alice@example.com", failures=3, wall_time=1000.0, refused_s=1)
    assert failures.clear("192.0.2.66") == 1
    assert failures.rows(10, 10.0, 1000.0).rows[0].source == "(all)"
