"""The alarm conditions that hold: a pure function of the workers and the configuration.

A table's alarm is cleared a little below where it was raised, or it would flutter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from appliance.catalogue.alarms import (
    ALARMS,
    CERTIFICATE_EXPIRED,
    CERTIFICATE_EXPIRES,
    CERTIFICATE_EXPIRES_SOON,
    CERTIFICATE_NAME_WRONG,
    CERTIFICATE_UNUSABLE,
    CONFIGURATION_UNCONFIRMED,
    LISTENER_UNAUTHENTICATED,
    REGISTRATION_TABLE_FULL,
    REGISTRATION_TABLE_UNSOUND,
    REVOCATION_LIST_DUE,
    STATE_STORE_FAILING,
    SUBSCRIBER_DATABASE_FAILING,
    TABLE_NEAR_LIMIT,
    WORKER_DOWN,
    WORKER_RESTARTING,
    Condition,
)
from appliance.catalogue.limit_settings import LimitSettings
from appliance.catalogue.setting_declaration import declared
from appliance.catalogue.settings import Settings
from appliance.catalogue.warnings import listeners_unauthenticated
from appliance.routing.lookup_questions import KINDS
from appliance.storage.commits import UNCONFIRMED, Commit
from appliance.supervisor.decisions import WorkerState
from appliance.supervisor.worker_record import WorkerRecord, registrations_of

DEATHS_TOO_MANY: Final = 3
RAISE_AT: Final = 0.9
CLEAR_AT: Final = 0.8
_LIMIT_WORDS: Final = {each.attribute: each.keyword for each in declared(LimitSettings)}
# (gauge, setting, as the operator calls it)
TABLES: Final = (
    ("transactions", "transactions_max", "transactions"),
    *((kind.waiting_gauge, kind.waiting_max, _LIMIT_WORDS[kind.waiting_max]) for kind in KINDS),
    ("connections", "connections_max", "connections"),
)
REGISTRATIONS: Final = "registration table"
# What all workers use together: one alarm.
COMMON: Final = {
    SUBSCRIBER_DATABASE_FAILING: "subscriber database",
    CERTIFICATE_EXPIRED: "certificates",
    CERTIFICATE_EXPIRES: "certificates",
    CERTIFICATE_EXPIRES_SOON: "certificates",
    CERTIFICATE_NAME_WRONG: "certificates",
    CERTIFICATE_UNUSABLE: "certificates",
    REVOCATION_LIST_DUE: "certificates",
    REGISTRATION_TABLE_FULL: REGISTRATIONS,
    REGISTRATION_TABLE_UNSOUND: REGISTRATIONS,
}
_NAMES: Final = frozenset(alarm.name for alarm in ALARMS)

IsRaised = Callable[[str, str], bool]


def worker_conditions(
    records: Sequence[WorkerRecord], limits: LimitSettings, is_raised: IsRaised
) -> Iterator[Condition]:
    """What is wrong with each worker."""
    for record in records:
        subject = f"worker {record.number}"
        yield from _absences(record, subject)
        for alarm in record.alarms:
            yield _said(alarm, subject)
        yield from _full_tables(record, subject, limits, is_raised)


def _absences(record: WorkerRecord, subject: str) -> Iterator[Condition]:
    is_away = record.life in (WorkerState.ABSENT, WorkerState.STARTING) and record.last_ending and not record.is_retired
    if is_away and not record.ended_well:
        yield Condition(WORKER_DOWN, subject, f"Worker {record.number} is down: {record.last_ending}.")
    if record.view().deaths >= DEATHS_TOO_MANY and record.life != WorkerState.LIVE:
        sentence = f"Worker {record.number} failed {record.view().deaths} times in a row: {record.last_ending}."
        yield Condition(WORKER_RESTARTING, subject, sentence)


def _said(alarm: str, subject: str) -> Condition:
    """The report of a worker on itself: the alarm's name and a sentence."""
    name, _, sentence = alarm.partition(" ")
    if name in COMMON:
        return Condition(name, COMMON[name], sentence)
    if name in _NAMES:
        return Condition(name, subject, sentence)
    return Condition(STATE_STORE_FAILING, subject, alarm)


def _full_tables(
    record: WorkerRecord, subject: str, limits: LimitSettings, is_raised: IsRaised
) -> Iterator[Condition]:
    for gauge, attribute, word in TABLES:
        held, limit = record.gauges.get(gauge, 0), getattr(limits, attribute)
        table = f"{subject} {word}"
        if _is_near(held, limit, is_raised(TABLE_NEAR_LIMIT, table)):
            sentence = f"Worker {record.number} uses {held} of {limit} `limits {word}`."
            yield Condition(TABLE_NEAR_LIMIT, table, sentence)


def _is_near(held: int, limit: int, is_raised: bool) -> bool:
    return held >= limit * (CLEAR_AT if is_raised else RAISE_AT)


def registration_conditions(
    records: Sequence[WorkerRecord], limits: LimitSettings, is_raised: IsRaised
) -> Iterator[Condition]:
    """Is the registration table, which all workers share, nearly full?"""
    held, limit = registrations_of(records), limits.bindings_max
    if _is_near(held, limit, is_raised(TABLE_NEAR_LIMIT, REGISTRATIONS)):
        yield Condition(TABLE_NEAR_LIMIT, REGISTRATIONS, f"{held} of {limit} `limits bindings` are used.")


def configuration_conditions(head: Commit | None, fault: str, time_text: Callable[[float], str]) -> Iterator[Condition]:
    """What is wrong with the configuration, or pending."""
    if fault:
        yield Condition(STATE_STORE_FAILING, "configuration", fault)
    if head is not None and head.state == UNCONFIRMED:
        end = time_text(head.confirm_by)
        sentence = f"Commit {head.number} by {head.user} reverts at {end} unless it is confirmed."
        yield Condition(CONFIGURATION_UNCONFIRMED, f"commit {head.number}", sentence)


def listener_conditions(settings: Settings) -> Iterator[Condition]:
    """Listeners without authentication."""
    for name, sentence in listeners_unauthenticated(settings):
        yield Condition(LISTENER_UNAUTHENTICATED, f"listener {name}", sentence)
