"""The groups `system` and `snmp` of SNMPv2-MIB (RFC 3418), the engine (RFC 3411), and the USM's counters (RFC 3414)."""

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
    """A counter of the groups `snmp` and `usmStats`, by its name."""


def system_variables(facts: SystemFacts) -> Iterator[Variable]:
    """All of them."""
    yield (*SYSTEM, 1, 0), Value("OctetString", facts.description.encode())
    yield (*SYSTEM, 2, 0), Value("ObjectIdentifier", MODULE)
    yield SYS_UP_TIME, Value("TimeTicks", lambda: ticks(facts.uptime_s()))
    yield SYS_CONTACT, Value("OctetString", facts.contact.encode())
    yield SYS_NAME, Value("OctetString", facts.name.encode())
    yield SYS_LOCATION, Value("OctetString", facts.location.encode())
    yield (*SYSTEM, 7, 0), Value("Integer32", _SERVICES)
    for name, number in SNMP_COUNTERS.items():
        yield (*SNMP, number, 0), Value("Counter32", _counting(facts, name))
    yield (*SNMP, 30, 0), Value("Integer32", _AUTHENTICATION_TRAPS_ENABLED)
    yield (*ENGINE, 1, 0), Value("OctetString", facts.engine_id)
    yield (*ENGINE, 2, 0), Value("Integer32", facts.boots)
    yield (*ENGINE, 3, 0), Value("Integer32", lambda: int(facts.uptime_s()))
    yield (*ENGINE, 4, 0), Value("Integer32", MESSAGE_LEN_MAX)
    for name, number in USM_COUNTERS.items():
        yield (*USM_STATS, number, 0), Value("Counter32", _counting(facts, name))


def _counting(facts: SystemFacts, name: str) -> Callable[[], int]:
    return lambda: facts.count(name) & 0xFFFFFFFF


def ticks(seconds: float) -> int:
    """Hundredths of a second, as TimeTicks counts them."""
    return int(seconds * 100) & 0xFFFFFFFF
