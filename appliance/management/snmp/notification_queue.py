"""Notifications that wait for their targets, in order; they outlive a restart of the agent.

A target gets one at a time. An inform stays until it is acknowledged, and is tried again after a pause that grows; a
trap is delivered when it is sent. At the limit the newest is dropped and counted: the number in the notifications
shows the gap, and the table of active alarms tells what is true.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from appliance.catalogue.mib_objects import Oid
from appliance.catalogue.snmp_values import Target
from appliance.management.snmp.engine_state import write_whole

PAUSE_MIN_S: Final = 1.0
PAUSE_MAX_S: Final = 60.0
WAITING_MAX: Final = 1000
# Notifications in the log (NOTIFICATION-LOG-MIB): it is served whole.
LOG_MAX: Final = 100
# Notifications of active alarms whose variables are served (ALARM-MIB).
RAISED_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Notification:
    """`objects`: (identifier, syntax, value) of each; a value is a number, a text or an identifier. `alarm`: the number
    of the alarm that was raised or cleared, the same for both; 0 for another notification.
    """

    number: int
    wall_time: float
    oid: Oid
    objects: tuple[tuple[Oid, str, int | str | Oid], ...]
    engine_uptime: int = 0
    """sysUpTime when it arose, in hundredths of a second."""
    alarm: int = 0


@dataclass(slots=True)
class TargetQueue:
    """What waits for one target, and what became of what did not."""

    target: Target
    waiting: deque[Notification] = field(default_factory=deque)
    delivered: int = 0
    dropped: int = 0
    last_error: str = ""
    is_sending: bool = False
    failures: int = 0
    due: float = 0.0

    def told(self, fault: str, now: float) -> None:
        """The first one was delivered (""), or was not."""
        self.is_sending = False
        if fault:
            self.last_error = fault
            self.failures += 1
            self.due = now + min(PAUSE_MIN_S * 2 ** min(self.failures - 1, 10), PAUSE_MAX_S)
            return
        self.failures, self.due = 0, 0.0
        self.delivered += 1
        if self.waiting:
            self.waiting.popleft()


class NotificationQueue:
    """The queues of all targets, and the log of what was sent. Times are monotonic."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._former: dict[str, list[Notification]] = {}
        """What waited before the start for targets that were not configured yet."""
        self.queues: dict[str, TargetQueue] = {}
        self.log: deque[Notification] = deque(maxlen=LOG_MAX)
        self.raised: dict[int, Notification] = {}
        """By the number of the alarm: those of alarms that are active, the last RAISED_MAX."""
        self.number = 0
        self.alarm_place = ("", 0)
        """The start of the node whose alarms were read last, and the number of the last one."""
        self.waiting_max = WAITING_MAX
        self.is_changed = False
        self._read()

    def set_targets(self, targets: Iterable[Target]) -> None:
        """Go by these targets; what waits for one that stays is kept."""
        wanted = {target.name: target for target in targets}
        for name in set(self.queues) - set(wanted):
            del self.queues[name]
        for name, target in wanted.items():
            if name in self.queues:
                self.queues[name].target, self.queues[name].due = target, 0.0
            else:
                self.queues[name] = TargetQueue(target, deque(self._former.pop(name, ())))
        self.is_changed = True

    def add(self, wall_time: float, make: Callable[[int], Notification]) -> None:
        """A notification for every target; `make` gets its number."""
        self.number += 1
        notification = make(self.number)
        self.log.append(notification)
        self._note_alarm(notification)
        for queue in self.queues.values():
            if len(queue.waiting) >= self.waiting_max:
                queue.dropped += 1
            else:
                queue.waiting.append(notification)
        self.is_changed = True

    def _note_alarm(self, notification: Notification) -> None:
        number = notification.alarm
        if number and self.raised.pop(number, None) is None:
            self.raised[number] = notification
            if len(self.raised) > RAISED_MAX:
                del self.raised[next(iter(self.raised))]

    def begin_boot(self, boot: str) -> None:
        """The node has started: its alarms are numbered from 1 again."""
        self.alarm_place = (boot, 0)
        self.raised.clear()
        self.is_changed = True

    def to_send(self, now: float) -> list[TargetQueue]:
        """The targets that are to get their first one now."""
        return [
            queue for queue in self.queues.values() if queue.waiting and not queue.is_sending and now >= queue.due
        ]

    def next_due(self) -> float | None:
        """When one has to be tried again; None for never."""
        idle = [queue for queue in self.queues.values() if queue.waiting and not queue.is_sending]
        return min((queue.due for queue in idle), default=None)

    # -- on the disk ---------------------------------------------------------------------------------

    def keep(self) -> None:
        """Write down what changed. Raises OSError."""
        if not self.is_changed:
            return
        document = {
            "number": self.number,
            "alarm_place": self.alarm_place,
            "targets": {name: [asdict(each) for each in queue.waiting] for name, queue in self.queues.items()},
            "log": [asdict(each) for each in self.log],
            "raised": [asdict(each) for each in self.raised.values()],
        }
        write_whole(self._path, json.dumps(document))
        self.is_changed = False

    def _read(self) -> None:
        try:
            document = json.loads(self._path.read_text())
            self._former = {name: list(map(_notification, rows)) for name, rows in document["targets"].items()}
            # RFC 3014: sysUpTime at an entry of before the start is 0.
            self.log.extend(replace(_notification(row), engine_uptime=0) for row in document["log"])
            raised = map(_notification, document.get("raised", ()))
            self.raised = {each.alarm: replace(each, engine_uptime=0) for each in raised}
            self.number = int(document["number"])
            boot, number = document["alarm_place"]
            self.alarm_place = (str(boot), int(number))
        except (OSError, ValueError, KeyError, TypeError):
            # None was kept, or a damaged one: alarms that are active are told anew.
            return


def _notification(fields: Mapping[str, Any]) -> Notification:
    objects = tuple(
        (tuple(oid), syntax, tuple(value) if isinstance(value, list) else value)
        for oid, syntax, value in fields["objects"]
    )
    return Notification(
        int(fields["number"]),
        float(fields["wall_time"]),
        tuple(fields["oid"]),
        objects,
        int(fields["engine_uptime"]),
        int(fields.get("alarm", 0)),
    )
