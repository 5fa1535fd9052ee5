"""The configuration part of SIP-COMMON-MIB (RFC 4780), for the SIP server that the node is.

All workers together are one SIP entity: the row SERVER_INDEX of applTable.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from appliance.catalogue.mib_objects import Oid
from appliance.catalogue.node_status import ListenerStatus, NodeStatus
from appliance.catalogue.settings import Settings
from appliance.management.snmp.object_tree import Value, Variable
from appliance.management.snmp.rows import row, text
from appliance.management.snmp.signalbox_objects import SERVER_INDEX
from appliance.management.snmp.sip_service import ServiceState
from appliance.management.snmp.sip_statistics_objects import COMMON
from appliance.sip.traffic_counts import METHODS

CONFIGURATION_ENTRY: Final[Oid] = (*COMMON, 1, 1, 1)
# BITS have the first bit at the left of the first octet (RFC 2578 7.1.4).
_TRANSPORT_BITS: Final = {"udp": 0x40, "tcp": 0x20, "sctp": 0x10, "tls": 0x08}
_OTHER_TRANSPORT: Final = 0x80
_PROXY, _REDIRECT, _REGISTRAR = 0x20, 0x10, 0x08
_SUPPORTED_HEADERS: Final = 0x20
# sipCommonCfgServiceNotifEnable
_SERVICE_COLD_START, _SERVICE_STATUS_CHANGED = 0x80, 0x20
_OPTION_TAGS: Final = ("path", "gruu")
_INDEX: Final[Oid] = (SERVER_INDEX,)


def common_variables(status: NodeStatus, settings: Settings, service: ServiceState) -> Iterator[Variable]:
    """All of them."""
    values = {
        1: text("SIP/2.0"),
        2: Value("Integer32", service.status),
        3: Value("TimeTicks", service.started),
        4: Value("TimeTicks", service.changed),
        5: text(""),
        6: Value("Unsigned32", settings.limits.transactions_max * max(len(status.workers), 1)),
        7: Value("OctetString", bytes([_notified(settings)])),
        8: Value("OctetString", bytes([_roles(settings)])),
    }
    yield from row(CONFIGURATION_ENTRY, _INDEX, values)
    for port, bits in _ports(status.listeners).items():
        yield from row((*COMMON, 1, 2, 1), (*_INDEX, port), {2: Value("OctetString", bytes([bits]))})
    for number, tag in enumerate(_OPTION_TAGS, 1):
        cells = {2: text(tag), 3: Value("OctetString", bytes([_SUPPORTED_HEADERS]))}
        yield from row((*COMMON, 1, 3, 1), (*_INDEX, number), cells)
    for number, method in enumerate(METHODS, 1):
        yield from row((*COMMON, 1, 4, 1), (*_INDEX, number), {2: Value("OctetString", method)})
    yield from _timers(settings)


def _roles(settings: Settings) -> int:
    is_redirecting = any(listener.role == "redirect" for listener in settings.listeners)
    return _PROXY | _REGISTRAR | (_REDIRECT if is_redirecting else 0)


def _notified(settings: Settings) -> int:
    return _SERVICE_COLD_START | (_SERVICE_STATUS_CHANGED if settings.snmp.is_service_notified else 0)


def _ports(listeners: Iterable[ListenerStatus]) -> dict[int, int]:
    """The transports of each port, as bits."""
    ports: dict[int, int] = {}
    for listener in listeners:
        for transport in listener.transports:
            ports[listener.port] = ports.get(listener.port, 0) | _TRANSPORT_BITS.get(transport, _OTHER_TRANSPORT)
    return ports


def _timers(settings: Settings) -> Iterator[Variable]:
    """RFC 3261, table 4, in milliseconds."""
    timers = settings.timers
    t1, t2, t4 = timers.t1_ms, timers.t2_ms, timers.t4_ms
    timer_d = max(32000, 64 * t1)
    values = (t1, 64 * t1, 1000 * timers.c_s, timer_d, t1, 64 * t1, t1, 64 * t1, t4, 64 * t1, t4, t1, t2, t4)
    cells = {column: Value("Unsigned32", value) for column, value in enumerate(values, 1)}
    yield from row((*COMMON, 2, 1, 1), _INDEX, cells)
