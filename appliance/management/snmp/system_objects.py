"""The groups `system` and `snmp` of SNMPv2-MIB (RFC 3418); the engine (RFC 3411) and its counters (RFC 3412-3414)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from appliance.catalogue.mib_objects import MODULE, Oid
from appliance.management.snmp.object_tree import Value, Variable

SYSTEM: Final[Oid] = (1, 3, 6, 1, 2, 1, 1)
SNMP: Final[Oid] = (1, 3, 6, 1, 2, 1, 11)
ENGINE: Final[Oid] = (1, 3, 6, 1, 6, 3, 10, 2, 1)
USM_STATS: Final[Oid] = (1, 3, 6, 1, 6, 3, 15, 1, 1)
DISPATCHER: Final[Oid] = (1, 3, 6, 1, 6, 3, 11, 2, 1)
TARGETS: Final[Oid] = (1, 3, 6, 1, 6, 3, 12, 1)
TRAP_OID: Final[Oid] = (1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0)
SYS_UP_TIME: Final[Oid] = (*SYSTEM, 3, 0)
SYS_CONTACT: Final[Oid] = (*SYSTEM, 4, 0)
SYS_NAME: Final[Oid] = (*SYSTEM, 5, 0)
SYS_LOCATION: Final[Oid] = (*SYSTEM, 6, 0)
# RFC 3418: the host offers applications (OSI layer 7) and, as a proxy, relays at that layer.
_SERVICES: Final = 72
_AUTHENTICATION_TRAPS_ENABLED: Final = 1
MESSAGE_LEN_MAX: Final = 65507
SNMP_COUNTERS: Final = {
    "snmpInPkts": 1,
    "snmpInBadVersions": 3,
    "snmpInBadCommunityNames": 4,
    "snmpInBadCommunityUses": 5,
    "snmpInASNParseErrs": 6,
    "snmpSilentDrops": 31,
    "snmpProxyDrops": 32,
}
USM_COUNTERS: Final = {
    "usmStatsUnsupportedSecLevels": 1,
    "usmStatsNotInTimeWindows": 2,
    "usmStatsUnknownUserNames": 3,
    "usmStatsUnknownEngineIDs": 4,
    "usmStatsWrongDigests": 5,
    "usmStatsDecryptionErrors": 6,
}
DISPATCHER_COUNTERS: Final = {"snmpUnknownSecurityModels": 1, "snmpInvalidMsgs": 2, "snmpUnknownPDUHandlers": 3}
CONTEXT_COUNTERS: Final = {"snmpUnavailableContexts": 4, "snmpUnknownContexts": 5}
_GROUPS: Final = (
    (SNMP, "SNMPv2-MIB", SNMP_COUNTERS),
    (USM_STATS, "SNMP-USER-BASED-SM-MIB", USM_COUNTERS),
    (DISPATCHER, "SNMP-MPD-MIB", DISPATCHER_COUNTERS),
    (TARGETS, "SNMP-TARGET-MIB", CONTEXT_COUNTERS),
)
COUNTER_MODULES: Final = {name: module for _, module, numbers in _GROUPS for name in numbers}
"""The module of each counter."""
# sysORTable (RFC 3418): the modules that are served, by the identifiers that their documents give them.
_SERVED_MODULES: Final[tuple[tuple[Oid, str], ...]] = (
    ((1, 3, 6, 1, 6, 3, 1), "The MIB module for SNMPv2 entities (RFC 3418)."),
    ((1, 3, 6, 1, 6, 3, 10), "The SNMP management architecture (RFC 3411)."),
    ((1, 3, 6, 1, 6, 3, 11), "Message processing and dispatching (RFC 3412)."),
    ((1, 3, 6, 1, 6, 3, 12), "Targets of notifications (RFC 3413)."),
    ((1, 3, 6, 1, 6, 3, 13), "Notifications (RFC 3413)."),
    ((1, 3, 6, 1, 6, 3, 15), "The user-based security model (RFC 3414)."),
    ((1, 3, 6, 1, 6, 3, 16), "View-based access control (RFC 3415)."),
    ((1, 3, 6, 1, 2, 1, 27), "Network services (RFC 2788)."),
    ((1, 3, 6, 1, 2, 1, 92), "The notification log (RFC 3014)."),
    ((1, 3, 6, 1, 2, 1, 118), "Alarms (RFC 3877)."),
    ((1, 3, 6, 1, 2, 1, 121), "Alarms in the words of ITU-T X.733 (RFC 3877)."),
    ((1, 3, 6, 1, 2, 1, 149), "SIP entities (RFC 4780)."),
    ((1, 3, 6, 1, 2, 1, 151), "SIP servers (RFC 4780)."),
    (MODULE, "The MIB module of Signalbox."),
)


@dataclass(frozen=True, slots=True)
class SystemFacts:
    """`uptime_s`: since the agent was started, at any moment."""

    description: str
    contact: str
    name: str
    location: str
    uptime_s: Callable[[], float]
    engine_id: bytes
    boots: int
    count: Callable[[str], int]
    """A counter of the agent, by its name."""


def system_variables(facts: SystemFacts) -> Iterator[Variable]:
    """All of them."""
    yield (*SYSTEM, 1, 0), Value("OctetString", facts.description.encode())
    yield (*SYSTEM, 2, 0), Value("ObjectIdentifier", MODULE)
    yield SYS_UP_TIME, Value("TimeTicks", lambda: ticks(facts.uptime_s()))
    yield SYS_CONTACT, Value("OctetString", facts.contact.encode())
    yield SYS_NAME, Value("OctetString", facts.name.encode())
    yield SYS_LOCATION, Value("OctetString", facts.location.encode())
    yield (*SYSTEM, 7, 0), Value("Integer32", _SERVICES)
    yield from _served_modules()
    for group, _, numbers in _GROUPS:
        for name, number in numbers.items():
            yield (*group, number, 0), Value("Counter32", _counting(facts, name))
    yield (*SNMP, 30, 0), Value("Integer32", _AUTHENTICATION_TRAPS_ENABLED)
    yield (*ENGINE, 1, 0), Value("OctetString", facts.engine_id)
    yield (*ENGINE, 2, 0), Value("Integer32", facts.boots)
    yield (*ENGINE, 3, 0), Value("Integer32", lambda: int(facts.uptime_s()))
    yield (*ENGINE, 4, 0), Value("Integer32", MESSAGE_LEN_MAX)


def _served_modules() -> Iterator[Variable]:
    since = Value("TimeTicks", 0)
    yield (*SYSTEM, 8, 0), since
    for number, (identifier, words) in enumerate(_SERVED_MODULES, 1):
        yield (*SYSTEM, 9, 1, 2, number), Value("ObjectIdentifier", identifier)
        yield (*SYSTEM, 9, 1, 3, number), Value("OctetString", words.encode())
        yield (*SYSTEM, 9, 1, 4, number), since


def _counting(facts: SystemFacts, name: str) -> Callable[[], int]:
    return lambda: facts.count(name) & 0xFFFFFFFF


def ticks(seconds: float) -> int:
    """Hundredths of a second, as TimeTicks counts them."""
    return int(seconds * 100) & 0xFFFFFFFF
