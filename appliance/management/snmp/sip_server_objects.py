"""SIP-SERVER-MIB (RFC 4780): the proxy, the redirect server and the registrar that the node is.

The tables of users and contacts are in registration_objects.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final

from appliance.catalogue.mib_objects import Oid
from appliance.catalogue.node_status import NodeStatus
from appliance.catalogue.settings import Settings
from appliance.management.snmp.engine_address import IPV4, IPV6
from appliance.management.snmp.object_tree import Value, Variable
from appliance.management.snmp.rows import row, text
from appliance.management.snmp.signalbox_objects import FALSE, SERVER_INDEX, TRUE, value_of
from appliance.management.snmp.sip_statistics_objects import counted_row, sent_with_status

SERVER: Final[Oid] = (1, 3, 6, 1, 2, 1, 151, 1)
# BITS: none(0), tls(1), digest(2); the first bit is the leftmost (RFC 2578 7.1.4).
_NO_AUTHENTICATION, _DIGEST = 0x80, 0x20
_TRANSACTION_STATEFUL: Final = 2
_INDEX: Final[Oid] = (SERVER_INDEX,)


def server_variables(status: NodeStatus, settings: Settings) -> Iterator[Variable]:
    """All of them."""
    for listener in status.listeners[:1]:
        address = ip_address(listener.address)
        kind = IPV6 if address.version == 6 else IPV4
        values = {1: Value("Integer32", kind), 2: Value("OctetString", address.packed)}
        yield from row((*SERVER, 1, 1, 1), _INDEX, values)
    yield from _proxy(status, settings)
    yield from _registrar(status, settings)


def _proxy(status: NodeStatus, settings: Settings) -> Iterator[Variable]:
    configuration = {
        1: Value("Integer32", _TRANSACTION_STATEFUL),
        2: Value("Integer32", TRUE),
        3: Value("Integer32", TRUE if settings.proxy.record_route else FALSE),
        4: Value("OctetString", bytes([_authentication(settings)])),
        5: text(settings.digest.realm or next(iter(settings.domains), "")),
    }
    yield from row((*SERVER, 3, 1, 1), _INDEX, configuration)
    # 420 Bad Extension, for Proxy-Require
    yield from counted_row((*SERVER, 4, 1, 1), _INDEX, {1: sent_with_status(status.traffic, 420)}, 2)


def _authentication(settings: Settings) -> int:
    if any(listener.authenticate for listener in settings.listeners):
        return _DIGEST
    return _NO_AUTHENTICATION


def _registrar(status: NodeStatus, settings: Settings) -> Iterator[Variable]:
    configuration = {
        1: Value("Unsigned32", settings.registrar.expires_max_s),
        2: Value("Unsigned32", settings.limits.bindings_max),
        3: value_of("Gauge32", status.registrations),
        4: Value("Unsigned32", settings.registrar.expires_default_s),
    }
    yield from row((*SERVER, 5, 1, 1), _INDEX, configuration)
    counts = status.counters
    counted = {1: counts.get("registrations-accepted", 0), 2: counts.get("registrations-refused", 0)}
    yield from counted_row((*SERVER, 6, 1, 1), _INDEX, counted, 3)
