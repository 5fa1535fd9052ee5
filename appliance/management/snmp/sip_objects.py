"""SIP-COMMON-MIB and SIP-SERVER-MIB (RFC 4780) at their standard places, for the SIP server that the node is.

All workers together are one SIP entity: the row SERVER_INDEX of applTable. The tables of users and contacts are not
served: the RFC advises against it where privacy matters (RFC 4780 9).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address
from typing import Final

from appliance.catalogue.mib_objects import Oid
from appliance.catalogue.node_status import ListenerStatus, NodeStatus
from appliance.catalogue.settings import Settings
from appliance.management.snmp.object_tree import Value, Variable
from appliance.management.snmp.signalbox_objects import SERVER_INDEX, value_of
from appliance.sip.traffic_counts import METHODS, OTHER

COMMON: Final[Oid] = (1, 3, 6, 1, 2, 1, 149, 1)
SERVER: Final[Oid] = (1, 3, 6, 1, 2, 1, 151, 1)
COUNTER32_MAX: Final = (1 << 32) - 1
# sipCommonCfgServiceOperStatus
_UP, _DOWN = 2, 3
# BITS have the first bit at the left of the first octet (RFC 2578 7.1.4).
_TRANSPORT_BITS: Final = {"udp": 0x40, "tcp": 0x20, "sctp": 0x10, "tls": 0x08}
_PROXY, _REDIRECT, _REGISTRAR = 0x20, 0x10, 0x08
_SUPPORTED_HEADERS: Final = 0x20
_OPTION_TAGS: Final = ("path", "gruu")
_TRUE, _FALSE = 1, 2
_NO_AUTHENTICATION, _DIGEST = 0x80, 0x20
_TRANSACTION_STATEFUL: Final = 2
_ACTIVE: Final = 1
# InetAddressType (RFC 4001)
_IPV4, _IPV6 = 1, 2


def sip_variables(status: NodeStatus, settings: Settings) -> Iterator[Variable]:
    """All of them."""
    yield from _configuration(status, settings)
    yield from _timers(settings)
    yield from _statistics(status)
    yield from _server(status, settings)


def _row(base: Oid, values: Mapping[int, Value], *index: int) -> Iterator[Variable]:
    for column, value in values.items():
        yield (*base, column, SERVER_INDEX, *index), value


def _name(method: str) -> Oid:
    """A method as a part of an index (RFC 2578 7.7): its length and its octets."""
    return (len(method), *method.encode())


# -- SIP-COMMON-MIB ----------------------------------------------------------------------------------


def _configuration(status: NodeStatus, settings: Settings) -> Iterator[Variable]:
    live = [worker for worker in status.workers if worker.slots]
    roles = _PROXY | _REGISTRAR
    if any(listener.role == "redirect" for listener in settings.listeners):
        roles |= _REDIRECT
    values = {
        1: value_of("SnmpAdminString", "SIP/2.0"),
        2: Value("Integer32", _UP if live else _DOWN),
        3: Value("TimeTicks", 0),
        4: Value("TimeTicks", 0),
        5: value_of("SnmpAdminString", ""),
        6: Value("Unsigned32", settings.limits.transactions_max * max(len(status.workers), 1)),
        7: Value("OctetString", b"\0"),
        8: Value("OctetString", bytes([roles])),
    }
    yield from _row((*COMMON, 1, 1, 1), values)
    for port, bits in _ports(status.listeners).items():
        yield from _row((*COMMON, 1, 2, 1), {2: Value("OctetString", bytes([bits]))}, port)
    for number, tag in enumerate(_OPTION_TAGS, 1):
        cells = {2: value_of("SnmpAdminString", tag), 3: Value("OctetString", bytes([_SUPPORTED_HEADERS]))}
        yield from _row((*COMMON, 1, 3, 1), cells, number)
    for number, method in enumerate(METHODS, 1):
        yield from _row((*COMMON, 1, 4, 1), {2: Value("OctetString", method)}, number)


def _ports(listeners: Iterable[ListenerStatus]) -> dict[int, int]:
    """The transports of each port, as bits."""
    ports: dict[int, int] = {}
    for listener in listeners:
        for transport in listener.transports:
            ports[listener.port] = ports.get(listener.port, 0) | _TRANSPORT_BITS.get(transport, 0x80)
    return ports


def _timers(settings: Settings) -> Iterator[Variable]:
    """RFC 3261, table 4, in milliseconds."""
    timers = settings.timers
    t1, t2, t4 = timers.t1_ms, timers.t2_ms, timers.t4_ms
    timer_d = max(32000, 64 * t1)
    values = (t1, 64 * t1, 1000 * timers.c_s, timer_d, t1, 64 * t1, t1, 64 * t1, t4, 64 * t1, t4, t1, t2, t4)
    yield from _row(
        (*COMMON, 2, 1, 1), {column: Value("Unsigned32", value) for column, value in enumerate(values, 1)}
    )


def _statistics(status: NodeStatus) -> Iterator[Variable]:
    counts, traffic = status.counters, status.traffic
    summary = (
        counts.get("requests-received", 0),
        counts.get("requests-sent", 0),
        counts.get("responses-received", 0),
        counts.get("responses-sent", 0),
        _transactions(counts, traffic),
    )
    yield from _row((*COMMON, 3, 1, 1), _with_time({n: _counter(count) for n, count in enumerate(summary, 1)}, 6))
    yield from _by_method(traffic)
    yield from _by_status(traffic)
    yield from _row((*COMMON, 6, 1, 1), {1: value_of("Gauge32", status.transactions)})
    others = {
        1: _counter(_sent(traffic, 416)),
        2: _counter(traffic.get(f"received {OTHER}", 0)),
        3: _counter(sum(status.drops.values())),
    }
    yield from _row((*COMMON, 8, 1, 1), _with_time(others, 4))


def _by_method(traffic: Mapping[str, int]) -> Iterator[Variable]:
    for method in (method.decode() for method in METHODS):
        sent, received = traffic.get(f"sent {method}", 0), traffic.get(f"received {method}", 0)
        yield from _row((*COMMON, 4, 1, 1), _with_time({2: _counter(sent), 3: _counter(received)}, 4), *_name(method))


def _by_status(traffic: Mapping[str, int]) -> Iterator[Variable]:
    """A row for each method and status code that was seen."""
    rows: dict[tuple[str, int], dict[str, int]] = {}
    for name, count in traffic.items():
        direction, method, *status = name.split(" ")
        if status and method != OTHER:
            rows.setdefault((method, int(status[0])), {})[direction] = count
    for (method, code), found in rows.items():
        values = {
            3: _counter(found.get("received", 0)),
            4: _counter(found.get("sent", 0)),
            5: Value("Integer32", _ACTIVE),
        }
        yield from _row((*COMMON, 5, 1, 1), _with_time(values, 6), *_name(method), code)


def _sent(traffic: Mapping[str, int], code: int) -> int:
    """Responses sent with a status code, to any method."""
    return sum(count for name, count in traffic.items() if name.startswith("sent ") and name.endswith(f" {code}"))


def _transactions(counts: Mapping[str, int], traffic: Mapping[str, int]) -> int:
    """Requests that were no ACK and no retransmission, in both directions."""
    received = counts.get("requests-received", 0) - counts.get("retransmissions-received", 0)
    sent = counts.get("requests-sent", 0) - counts.get("retransmissions-sent", 0)
    acknowledged = traffic.get("received ACK", 0) + traffic.get("sent ACK", 0)
    return max(received + sent - acknowledged, 0)


def _counter(count: int) -> Value:
    """RFC 4780 has counters of 32 bits; SIGNALBOX-MIB has those of 64."""
    return Value("Counter32", count & COUNTER32_MAX)


def _with_time(values: dict[int, Value], column: int) -> dict[int, Value]:
    """With the time of the last discontinuity: there is none while the appliance runs."""
    return {**values, column: Value("TimeTicks", 0)}


# -- SIP-SERVER-MIB ----------------------------------------------------------------------------------


def _server(status: NodeStatus, settings: Settings) -> Iterator[Variable]:
    counts = status.counters
    for listener in status.listeners[:1]:
        address = ip_address(listener.address)
        kind = _IPV6 if address.version == 6 else _IPV4
        yield from _row((*SERVER, 1, 1, 1), {1: Value("Integer32", kind), 2: Value("OctetString", address.packed)})
    is_authenticating = any(listener.authenticate for listener in settings.listeners)
    proxy = {
        1: Value("Integer32", _TRANSACTION_STATEFUL),
        2: Value("Integer32", _TRUE),
        3: Value("Integer32", _TRUE if settings.proxy.record_route else _FALSE),
        4: Value("OctetString", bytes([_DIGEST if is_authenticating else _NO_AUTHENTICATION])),
        5: value_of("SnmpAdminString", settings.digest.realm or next(iter(settings.domains), "")),
    }
    yield from _row((*SERVER, 3, 1, 1), proxy)
    # 420 Bad Extension, for Proxy-Require
    yield from _row((*SERVER, 4, 1, 1), _with_time({1: _counter(_sent(status.traffic, 420))}, 2))
    registrar = {
        1: Value("Unsigned32", settings.registrar.expires_max_s),
        2: Value("Unsigned32", settings.limits.bindings_max),
        3: value_of("Gauge32", status.registrations),
        4: Value("Unsigned32", settings.registrar.expires_default_s),
    }
    yield from _row((*SERVER, 5, 1, 1), registrar)
    registered = {
        1: _counter(counts.get("registrations-accepted", 0)),
        2: _counter(counts.get("registrations-refused", 0)),
    }
    yield from _row((*SERVER, 6, 1, 1), _with_time(registered, 3))
