"""A time window that may recur (RFC 5545 3.3.10): `2026-01-05T08:00 18:00 FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR`.

It begins at the first moment and ends at the second, by the clock of its time zone; with a rule it comes again.
Moments are naive datetimes: what the clock on the wall shows. So a window ends at its hour also on a day when the
clocks change; an hour that comes twice is in it twice, and one that is left out does not come.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from appliance.catalogue.errors import ValueFault

# No rule has to be followed for longer than that.
BEGIN_MIN: Final = datetime(2000, 1, 1)
LENGTH_MAX: Final = timedelta(days=366)
# Of COUNT and INTERVAL.
TIMES_MAX: Final = 1000
# A rule that does not come within that time does not come at all: calendars repeat sooner.
FIRST_WITHIN: Final = timedelta(days=3660)
FREQUENCIES: Final = {"DAILY": timedelta(days=1), "WEEKLY": timedelta(days=7), "MONTHLY": None, "YEARLY": None}
_MOMENT: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)", re.ASCII)
_HOUR: Final = re.compile(r"(\d\d):(\d\d)", re.ASCII)
_RULE: Final = re.compile(r"[A-Z]+=[A-Z0-9,+-]+(?:;[A-Z]+=[A-Z0-9,+-]+)*")
_DAY: Final = timedelta(days=1)


class TimeWindow:
    """One window with its rule. Never changed."""

    __slots__ = ("_begin", "_length", "_rule", "_step")

    def __init__(self, text: str) -> None:
        """Raises ValueFault for what is no window."""
        words = text.split()
        self._begin, end = _begin_and_end(words)
        self._length = end - self._begin
        self._rule: Any = None
        self._step: timedelta | None = None
        if len(words) > 2:
            self._rule, self._step = _read_rule(words[2], self._begin)

    def on(self, day: date) -> list[tuple[datetime, datetime]]:
        """The times (begin, end) of the window that touch a day."""
        first = datetime.combine(day, time())
        begins = [self._begin] if self._rule is None else self._begins(first - self._length, first + _DAY)
        return [
            (begin, begin + self._length) for begin in begins if begin < first + _DAY and begin + self._length > first
        ]

    def _begins(self, after: datetime, before: datetime) -> Iterable[datetime]:
        rule = self._rule
        if before <= self._begin:
            return ()
        if self._step is not None and after > self._begin:
            # The same rule from a later day on, so that the years before are not counted through.
            rule = rule.replace(dtstart=self._begin + (after - self._begin) // self._step * self._step)
        found: list[datetime] = rule.between(after, before, inc=True)
        return found


@dataclass(frozen=True, slots=True)
class TimeWindowText:
    """The kind of a value that is a time window; kept as it is printed."""

    placeholder: str = "BEGIN END [RULE]"
    range_text: str = (
        "a date with time such as 2026-01-05T08:00, the time (or date with time) of the end, and perhaps a rule of "
        "RFC 5545 such as FREQ=WEEKLY;BYDAY=MO,TU"
    )

    def read(self, words: Sequence[str]) -> str:
        text = " ".join(word.upper() for word in words)
        TimeWindow(text)
        return text

    def write(self, value: str) -> list[str]:
        return value.split()


@dataclass(frozen=True, slots=True)
class Moment:
    """The kind of a value that is a date with a time of day."""

    placeholder: str = "DATE-TIME"
    range_text: str = "a date with time such as 2026-01-05T08:00"

    def read(self, words: Sequence[str]) -> str:
        word = " ".join(words).upper()
        _moment(word, 0)
        return word

    def write(self, value: str) -> list[str]:
        return [value]


def _begin_and_end(words: Sequence[str]) -> tuple[datetime, datetime]:
    if not 2 <= len(words) <= 3:
        raise ValueFault("begin and end are expected", "type BEGIN END, such as 2026-01-05T08:00 18:00, and a rule")
    begin = _moment(words[0], 0)
    if begin < BEGIN_MIN:
        raise ValueFault(f'"{words[0]}" is too early', "type a date from 2000 on")
    hour = _HOUR.fullmatch(words[1])
    end = _moment(f"{words[0][:10]}T{words[1]}" if hour else words[1], 1)
    if hour and end <= begin:
        end += _DAY
    if not begin < end <= begin + LENGTH_MAX:
        remedy = f"type an end after {words[0]}, within {LENGTH_MAX.days} days"
        raise ValueFault(f'"{words[1]}" cannot be the end', remedy, 1)
    return begin, end


def _moment(word: str, place: int) -> datetime:
    match = _MOMENT.fullmatch(word)
    try:
        if match is not None:
            return datetime(*map(int, match.groups()))  # type: ignore[arg-type]  # five whole numbers
    except ValueError:
        pass
    raise ValueFault(f'"{word}" is not a date with time', "type one such as 2026-01-05T08:00", place)


def _read_rule(text: str, begin: datetime) -> tuple[Any, timedelta | None]:
    """The rule, and after which time it repeats as it was; None where that is not always the same.

    dateutil is loaded here: who has no recurring windows does without.
    """
    from dateutil.rrule import rrulestr

    parts = dict(part.split("=") for part in text.split(";")) if _RULE.fullmatch(text) else {}
    if parts.get("FREQ") not in FREQUENCIES:
        remedy = "type FREQ=DAILY, WEEKLY, MONTHLY or YEARLY, then ;BYDAY=MO and so on"
        raise ValueFault(f'"{text[:80]}" is not a rule', remedy, 2)
    if not parts.keys().isdisjoint(("BYSECOND", "BYHOUR", "BYMINUTE")):
        raise ValueFault("the hours of a window are those of its begin", "leave BYHOUR, BYMINUTE and BYSECOND out", 2)
    if parts.get("UNTIL", "").endswith("Z"):
        raise ValueFault("UNTIL is by the clock of the time zone", "type it without Z", 2)
    for name in ("COUNT", "INTERVAL"):
        number = parts.get(name, "1")
        if not (number.isdigit() and len(number) < 5 and 1 <= int(number) <= TIMES_MAX):
            raise ValueFault(f"{name} {number[:20]} is out of range", f"type 1 to {TIMES_MAX}", 2)
    try:
        rule: Any = rrulestr(text, dtstart=begin)
        once = ";".join(part for part in text.split(";") if not part.startswith("COUNT="))
        is_there = bool(rrulestr(once, dtstart=begin).between(begin, begin + FIRST_WITHIN, inc=True))
    except (ValueError, TypeError, KeyError, OverflowError) as fault:
        raise ValueFault(f'"{text[:80]}" is not a rule ({fault})', "see RFC 5545 3.3.10", 2) from None
    if not is_there:
        raise ValueFault("the window never comes", "correct the rule", 2)
    step = FREQUENCIES[parts["FREQ"]]
    return rule, None if step is None or "COUNT" in parts else step * int(parts.get("INTERVAL", "1"))
