"""RFC 5545 3.3.10: windows of time that recur, by the clock on the wall."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from appliance.catalogue.errors import ValueFault
from appliance.catalogue.time_window import TimeWindow, TimeWindowText


def begins(text: str, *days: str) -> list[str]:
    """When the window begins, of those days."""
    window = TimeWindow(text)
    spans = [span for day in days for span in window.on(date.fromisoformat(day))]
    return [begin.isoformat(" ", "minutes") for begin, _ in spans]


@pytest.mark.parametrize(
    ("text", "day", "expected"),
    [
        ("2026-01-05T08:00 18:00", "2026-01-05", ["2026-01-05 08:00"]),
        ("2026-01-05T08:00 18:00", "2026-01-06", []),
        ("2026-01-05T08:00 18:00 FREQ=WEEKLY;BYDAY=MO,FR", "2026-11-30", ["2026-11-30 08:00"]),
        ("2026-01-05T08:00 18:00 FREQ=WEEKLY;BYDAY=MO,FR", "2026-12-01", []),
        # Before its begin there is none.
        ("2026-01-05T08:00 18:00 FREQ=DAILY", "2026-01-04", []),
        # Every other week is counted from the begin, however long ago.
        ("2000-01-03T08:00 18:00 FREQ=WEEKLY;INTERVAL=2", "2026-11-30", ["2026-11-30 08:00"]),
        ("2000-01-03T08:00 18:00 FREQ=WEEKLY;INTERVAL=2", "2026-11-23", []),
        ("2026-01-01T00:00 12:00 FREQ=MONTHLY;BYDAY=-1FR", "2026-11-27", ["2026-11-27 00:00"]),
        ("2026-01-01T00:00 12:00 FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24,25", "2031-12-25", ["2031-12-25 00:00"]),
        ("2026-01-01T08:00 09:00 FREQ=DAILY;COUNT=3", "2026-01-03", ["2026-01-03 08:00"]),
        ("2026-01-01T08:00 09:00 FREQ=DAILY;COUNT=3", "2026-01-04", []),
        ("2026-01-01T08:00 09:00 FREQ=DAILY;UNTIL=20260105T000000", "2026-01-05", []),
        ("2026-01-31T08:00 09:00 FREQ=MONTHLY", "2026-03-31", ["2026-03-31 08:00"]),
        ("2026-01-31T08:00 09:00 FREQ=MONTHLY", "2026-02-28", []),
        # A night belongs to both days.
        ("2026-01-01T22:00 06:00 FREQ=DAILY", "2026-06-02", ["2026-06-01 22:00", "2026-06-02 22:00"]),
        ("2026-12-24T00:00 2026-12-27T00:00 FREQ=YEARLY", "2027-12-26", ["2027-12-24 00:00"]),
    ],
)
def test_a_window_is_on_these_days(text: str, day: str, expected: list[str]) -> None:
    assert begins(text, day) == expected


@pytest.mark.parametrize("rule", ["FREQ=DAILY;INTERVAL=3", "FREQ=WEEKLY;INTERVAL=3;BYDAY=TU,SA", "FREQ=WEEKLY;WKST=SU"])
def test_years_that_are_skipped_make_no_difference(rule: str) -> None:
    """The rule is followed from near the day, or from its begin by COUNT: the same days come out."""
    near = TimeWindow(f"2019-02-06T23:00 04:00 {rule}")
    counted = TimeWindow(f"2019-02-06T23:00 04:00 {rule};COUNT=1000")
    days = [date(2020, month, day) for month in range(1, 13) for day in range(1, 29)]
    assert [near.on(day) for day in days] == [counted.on(day) for day in days]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("08:00 18:00", "not a date with time"),
        ("2026-02-30T08:00 18:00", "not a date with time"),
        ("1999-01-01T08:00 18:00", "too early"),
        ("2026-01-01T08:00", "begin and end"),
        ("2026-01-01T08:00 2026-01-01T07:00", "cannot be the end"),
        ("2026-01-01T08:00 2028-01-01T07:00", "cannot be the end"),
        ("2026-01-01T08:00 18:00 weekly", "not a rule"),
        ("2026-01-01T08:00 18:00 FREQ=SECONDLY", "FREQ=DAILY"),
        ("2026-01-01T08:00 18:00 FREQ=DAILY;INTERVAL=0", "out of range"),
        ("2026-01-01T08:00 18:00 FREQ=DAILY;COUNT=100000", "out of range"),
        ("2026-01-01T08:00 18:00 FREQ=DAILY;BYHOUR=8", "BYHOUR"),
        ("2026-01-01T08:00 18:00 FREQ=DAILY;UNTIL=20261231T000000Z", "without Z"),
        ("2026-01-01T08:00 18:00 FREQ=DAILY;BYDAY=XX", "not a rule"),
        ("2026-01-01T08:00 18:00 FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "never comes"),
        ("2026-01-01T08:00 18:00 FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=3", "never comes"),
    ],
)
def test_what_is_no_window_is_refused_with_what_to_type(text: str, words: str) -> None:
    with pytest.raises(ValueFault, match=words) as refused:
        TimeWindowText().read(text.split())
    assert words in f"{refused.value.problem} {refused.value.remedy}"


def test_an_end_is_that_of_the_clock() -> None:
    ((begin, end),) = TimeWindow("2026-01-01T08:00 18:30").on(date(2026, 1, 1))
    assert (begin, end) == (datetime(2026, 1, 1, 8), datetime(2026, 1, 1, 18, 30))
