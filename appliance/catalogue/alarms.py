"""Every alarm, declared once: its name, how bad it is, where it comes from, what it does to callers, what to do.

An alarm is raised about a subject (a worker, a table, a listener) and cleared when its condition has passed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CRITICAL: Final = "critical"
MAJOR: Final = "major"
MINOR: Final = "minor"
WARNING: Final = "warning"
SEVERITIES: Final = (CRITICAL, MAJOR, MINOR, WARNING)


@dataclass(frozen=True, slots=True)
class Alarm:
    """`cause`, `effect` and `action` are sentences for the operator."""

    name: str
    severity: str
    cause: str
    effect: str
    action: str


@dataclass(frozen=True, slots=True)
class Condition:
    """An alarm that is true now: `subject` says of what, `text` is a sentence with the particulars."""

    name: str
    subject: str
    text: str


WORKER_DOWN: Final = "worker-down"
WORKER_RESTARTING: Final = "worker-restarting"
MANAGEMENT_DOWN: Final = "management-down"
TABLE_NEAR_LIMIT: Final = "table-near-limit"
OVERLOAD: Final = "overload"
RATE_LIMIT_ACTING: Final = "rate-limit-acting"
CONFIGURATION_UNCONFIRMED: Final = "configuration-unconfirmed"
STATE_STORE_FAILING: Final = "state-store-failing"
REPLICATION_LAGGING: Final = "replication-lagging"
LISTENER_FAILED: Final = "listener-failed"
STEERING_REFUSED: Final = "steering-refused"
START_REMARK: Final = "start-remark"
CLOCK_STEPPED: Final = "clock-stepped"
LISTENER_UNAUTHENTICATED: Final = "listener-unauthenticated"
SOFTWARE_FAULT: Final = "software-fault"
PASSWORD_GUESSING: Final = "password-guessing"
SUBSCRIBER_DATABASE_FAILING: Final = "subscriber-database-failing"

# fmt: off
ALARMS: Final[tuple[Alarm, ...]] = (
    Alarm(WORKER_DOWN, MAJOR,
          "A worker process has ended or was ended because it was silent.",
          "Its calls go on with the other workers; there is less power until it is back.",
          "Nothing: it is started again. See `show logging` for how it ended."),
    Alarm(WORKER_RESTARTING, CRITICAL,
          "A worker has died several times soon after its start.",
          "It takes no calls, and each pause before the next start is longer.",
          "See `show logging` for the reason; `rollback` if it came with a commit."),
    Alarm(MANAGEMENT_DOWN, MINOR,
          "The process that serves operators has ended.",
          "Nobody can look or act for a moment; calls go on.",
          "Nothing: it is started again. See the log of the appliance for how it ended."),
    Alarm(TABLE_NEAR_LIMIT, WARNING,
          "A table of a worker holds nine tenths of what its limit allows.",
          "At the limit new work of that kind is refused or the oldest entry is forgotten.",
          "Raise the limit named, or find out who fills the table (`show counters`, `show transactions`)."),
    Alarm(OVERLOAD, MAJOR,
          "More arrives than the workers can handle in time.",
          "New calls are refused with 503 and Retry-After; those that are up go on.",
          "Find the source (`show counters`), bound it by `rate-limit`, or add workers or processors."),
    Alarm(RATE_LIMIT_ACTING, WARNING,
          "More arrives than a rate limit lets in.",
          "What is beyond it is refused, dropped or only counted, as its `action` says.",
          "See `show rate-limits` for whom it hits; raise `rate` if they are welcome. A `default-` limit "
          "is set by `requests per-source` or `registrations per-source` in section `overload`."),
    Alarm(CONFIGURATION_UNCONFIRMED, WARNING,
          "A commit was made that ends by itself unless it is confirmed.",
          "At the time named the configuration goes back to the one before.",
          "Type `confirm` to keep it, or `rollback` to go back now."),
    Alarm(STATE_STORE_FAILING, CRITICAL,
          "The state folder cannot be written: the disk is full, or it fails.",
          "Registrations since then may be lost by a restart, and commits are refused.",
          "Make room, or see what the kernel says of the disk."),
    Alarm(REPLICATION_LAGGING, MAJOR,
          "A worker does not get or acknowledge registrations in time.",
          "Answers to REGISTER wait longer; a call that follows at once may miss a new phone.",
          "See whether the worker is busy (`show workers`); `restart worker` if it stays so."),
    Alarm(LISTENER_FAILED, CRITICAL,
          "A socket of a listener cannot be opened.",
          "The worker named cannot start.",
          "See which program has the port, or whether the address is there."),
    Alarm(STEERING_REFUSED, MINOR,
          "The kernel does not take the program that gives each datagram to its worker.",
          "More messages pass from worker to worker, which costs processor time and nothing else.",
          "Restart the appliance when the number of workers has changed; see the kernel's version."),
    Alarm(SUBSCRIBER_DATABASE_FAILING, CRITICAL,
          "The subscriber database does not answer, or answers with an error.",
          "Phones whose subscriber is not remembered are refused with 503; registrations and calls that are up go on.",
          "See what the sentence says: start the database, or mend `subscribers database`. The alarm ends by itself."),
    Alarm(PASSWORD_GUESSING, MAJOR,
          "Many wrong passwords come from a source, or for a user.",
          "The source is refused for a time; phones that are registered go on, and right passwords are accepted.",
          "See `show authentication failures`. Block the source in the firewall, or mend the phone that has a wrong "
          "password, then `clear authentication failures`."),
    Alarm(START_REMARK, WARNING,
          "Something was found damaged, or could not be kept, when the appliance started.",
          "What the sentence says.",
          "Look at what was set aside; the alarm ends with the next start."),
    Alarm(CLOCK_STEPPED, WARNING,
          "The clock of the machine was set.",
          "Registrations keep their lifetimes; times in logs and records jump, and other machines may disagree.",
          "See that the time is right and is kept so (NTP); the alarm ends after an hour."),
    Alarm(LISTENER_UNAUTHENTICATED, WARNING,
          "A listener that other machines reach does not authenticate.",
          "Any sender can register any address of its domains, and receive its calls.",
          "Set `authenticate` in the section of the listener, or have it listen on a loopback address."),
    Alarm(SOFTWARE_FAULT, MAJOR,
          "A fault in the software happened while a message, timer or answer was handled.",
          "That one was lost: a request was answered 500, a call that was being set up ended. All else goes on.",
          "Report it with the traceback in `show logging`. The alarm clears after ten minutes without a fault."),
)
# fmt: on


def alarm_named(name: str) -> Alarm:
    """The declaration. Raises KeyError."""
    return _BY_NAME[name]


_BY_NAME: Final = {alarm.name: alarm for alarm in ALARMS}
