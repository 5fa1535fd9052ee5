"""Alarms that are raised, since when, and a bounded history of what was raised and cleared.

Fed with the conditions that are true now; whatever is no longer among them is cleared. A condition that comes
and goes within one look is never seen, and a text that changes is no new alarm.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from appliance.catalogue.alarms import CRITICAL, MAJOR, MINOR, WARNING, Condition, alarm_named
from appliance.catalogue.redaction import loggable
from appliance.messages.supervisor_requests import AlarmEvent, AlarmRow
from appliance.storage.system_journal import fields

HISTORY_MAX: Final = 1000
LEVELS: Final = {CRITICAL: logging.CRITICAL, MAJOR: logging.ERROR, MINOR: logging.WARNING, WARNING: logging.WARNING}
RAISED: Final = "raised"
ACKNOWLEDGED: Final = "acknowledged"
CLEARED: Final = "cleared"

# A sentence, the level of the log for it, and the fields of the event (storage/system_journal.py).
ReportAlarm = Callable[[str, int, Mapping[str, Any]], None]


@dataclass(slots=True)
class _Raised:
    """`number`: of the event."""

    since: float
    text: str
    number: int
    acknowledged_by: str = ""


class AlarmTable:
    """`report` is told of each alarm that is raised, acknowledged or cleared."""

    def __init__(self, report: ReportAlarm) -> None:
        self._report = report
        self._active: dict[tuple[str, str], _Raised] = {}
        self._history: deque[AlarmEvent] = deque(maxlen=HISTORY_MAX)
        self.event_count = 0
        """How many events there were; it is the number of the last one."""

    def is_raised(self, name: str, subject: str) -> bool:
        """Is that alarm raised of that subject?"""
        return (name, subject) in self._active

    def update(self, conditions: Iterable[Condition], wall_time: float) -> None:
        """Raise and clear."""
        true_now = {(condition.name, condition.subject): loggable(condition.text) for condition in conditions}
        for key in [key for key in self._active if key not in true_now]:
            raised = self._active.pop(key)
            self._note(key, raised.text, CLEARED, wall_time, raised.number)
        for key, text in true_now.items():
            if key in self._active:
                self._active[key].text = text
            else:
                self._active[key] = _Raised(wall_time, text, self.event_count + 1)
                self._note(key, text, RAISED, wall_time, self.event_count + 1)

    def acknowledge(self, name: str, subject: str, user: str, wall_time: float) -> int:
        """Note that an operator has seen the raised alarms of that name, of one subject or of all; returns how many.

        An alarm that is cleared and raised again has to be acknowledged again.
        """
        keys = [key for key in self._active if key[0] == name and subject in ("", key[1])]
        for key in keys:
            raised = self._active[key]
            raised.acknowledged_by = user
            self._note(key, raised.text, f"{ACKNOWLEDGED} by {user}", wall_time, raised.number)
        return len(keys)

    def _note(self, key: tuple[str, str], text: str, what: str, wall_time: float, raised_number: int) -> None:
        name, subject = key
        severity = alarm_named(name).severity
        self.event_count += 1
        self._history.append(
            AlarmEvent(
                wall_time=round(wall_time, 3),
                name=name,
                subject=subject,
                severity=severity,
                what=what,
                text=text,
                number=self.event_count,
                raised_number=raised_number,
            )
        )
        level = LEVELS[severity] if what == RAISED else logging.INFO
        event = fields(f"alarm {what.partition(' ')[0]}", alarm=name, subject=subject, severity=severity)
        self._report(f"Alarm {name} of {subject} {what} ({severity}): {text}", level, event)

    def rows(self) -> list[AlarmRow]:
        """The raised ones, the oldest first."""
        return [self._row(key, raised) for key, raised in self._active.items()]

    def _row(self, key: tuple[str, str], raised: _Raised) -> AlarmRow:
        alarm = alarm_named(key[0])
        return AlarmRow(
            name=alarm.name,
            subject=key[1],
            severity=alarm.severity,
            since=round(raised.since, 3),
            cause=alarm.cause,
            effect=alarm.effect,
            action=alarm.action,
            text=raised.text,
            acknowledged_by=raised.acknowledged_by,
            number=raised.number,
        )

    def sentences(self) -> list[str]:
        """What is raised, a sentence each."""
        return [raised.text for raised in self._active.values()]

    def history(self, limit: int) -> list[AlarmEvent]:
        """The last events, oldest first."""
        return list(self._history)[-limit:]
