"""The alarms in the terms of ITU-T X.733 and X.736: event type and probable cause, with the numbers that IANA keeps
(IANA-ITU-ALARM-TC-MIB, RFC 3877).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from appliance.catalogue import alarms

# IANAItuEventType
COMMUNICATIONS, QUALITY, PROCESSING, OPERATIONAL, SECURITY = 2, 3, 4, 8, 10
# IANAItuProbableCause
_CLOCK_FAILED, _SUBSYSTEM_FAILED, _CONFIGURATION, _DATABASE, _FILE = 70, 158, 159, 160, 161
_SOFTWARE, _RESOURCE_UNAVAILABLE, _OVERLOAD, _COMMUNICATIONS = 163, 165, 207, 505
_NEAR_CAPACITY, _ENDED, _THRESHOLD, _AUTHENTICATION, _OTHER = 541, 545, 549, 600, 1024


@dataclass(frozen=True, slots=True)
class ItuAlarm:
    """`event_type`, `probable_cause`: numbers of IANAItuEventType and IANAItuProbableCause."""

    event_type: int
    probable_cause: int


OTHER: Final = ItuAlarm(PROCESSING, _OTHER)
ITU_ALARMS: Final = {
    alarms.WORKER_DOWN: ItuAlarm(PROCESSING, _ENDED),
    alarms.WORKER_RESTARTING: ItuAlarm(PROCESSING, _ENDED),
    alarms.MANAGEMENT_DOWN: ItuAlarm(PROCESSING, _ENDED),
    alarms.PERSISTER_DOWN: ItuAlarm(PROCESSING, _ENDED),
    alarms.SNMP_AGENT_DOWN: ItuAlarm(PROCESSING, _ENDED),
    alarms.TABLE_WRITER_KILLED: ItuAlarm(PROCESSING, _SUBSYSTEM_FAILED),
    alarms.TABLE_REBUILT: ItuAlarm(PROCESSING, _DATABASE),
    alarms.TABLE_NEAR_LIMIT: ItuAlarm(QUALITY, _NEAR_CAPACITY),
    alarms.OVERLOAD: ItuAlarm(QUALITY, _OVERLOAD),
    alarms.RATE_LIMIT_ACTING: ItuAlarm(QUALITY, _THRESHOLD),
    alarms.CONFIGURATION_UNCONFIRMED: ItuAlarm(OPERATIONAL, _CONFIGURATION),
    alarms.STATE_STORE_FAILING: ItuAlarm(PROCESSING, _FILE),
    alarms.REGISTRATION_TABLE_FULL: ItuAlarm(QUALITY, _NEAR_CAPACITY),
    alarms.REGISTRATION_TABLE_UNSOUND: ItuAlarm(PROCESSING, _DATABASE),
    alarms.LISTENER_FAILED: ItuAlarm(COMMUNICATIONS, _COMMUNICATIONS),
    alarms.STEERING_REFUSED: ItuAlarm(COMMUNICATIONS, _RESOURCE_UNAVAILABLE),
    alarms.START_REMARK: ItuAlarm(PROCESSING, _CONFIGURATION),
    alarms.CLOCK_STEPPED: ItuAlarm(PROCESSING, _CLOCK_FAILED),
    alarms.LISTENER_UNAUTHENTICATED: ItuAlarm(SECURITY, _CONFIGURATION),
    alarms.ROUTES_UNUSABLE: ItuAlarm(PROCESSING, _FILE),
    alarms.SOFTWARE_FAULT: ItuAlarm(PROCESSING, _SOFTWARE),
    alarms.PASSWORD_GUESSING: ItuAlarm(SECURITY, _AUTHENTICATION),
    alarms.SUBSCRIBER_DATABASE_FAILING: ItuAlarm(PROCESSING, _DATABASE),
    alarms.CERTIFICATE_EXPIRED: ItuAlarm(SECURITY, _CONFIGURATION),
    alarms.CERTIFICATE_EXPIRES_SOON: ItuAlarm(SECURITY, _CONFIGURATION),
    alarms.CERTIFICATE_EXPIRES: ItuAlarm(SECURITY, _CONFIGURATION),
    alarms.CERTIFICATE_NAME_WRONG: ItuAlarm(SECURITY, _CONFIGURATION),
    alarms.CERTIFICATE_UNUSABLE: ItuAlarm(SECURITY, _CONFIGURATION),
    alarms.REVOCATION_LIST_DUE: ItuAlarm(SECURITY, _CONFIGURATION),
}


def itu_alarm(name: str) -> ItuAlarm:
    """That of an alarm; OTHER for one that has no better."""
    return ITU_ALARMS.get(name, OTHER)
