"""The statistics of SIP-COMMON-MIB (RFC 4780): messages, transactions and retransmissions, by method and status code.

Its counters have 32 bits and wrap; SIGNALBOX-MIB has those of 64. None has a discontinuity while the appliance runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from appliance.catalogue.mib_objects import Oid
from appliance.catalogue.node_status import NodeStatus
from appliance.catalogue.snmp_status_codes import INTERVAL_S, StatusThreshold
from appliance.management.snmp.object_tree import Value, Variable
from appliance.management.snmp.rows import ACTIVE, index_of, row
from appliance.management.snmp.signalbox_objects import FALSE, SERVER_INDEX, value_of
from appliance.sip.traffic_counts import METHODS, OTHER

SIP_COMMON_MIB: Final[Oid] = (1, 3, 6, 1, 2, 1, 149)
COMMON: Final[Oid] = (*SIP_COMMON_MIB, 1)
COUNTER32_MAX: Final = (1 << 32) - 1
STATUS_ENTRY: Final[Oid] = (*COMMON, 5, 1, 1)
STATUS_NOTIFICATION_ENTRY: Final[Oid] = (*COMMON, 5, 2, 1)
# Of a status code without `status-threshold`: a threshold that is not reached, and the interval of the RFC.
_NO_THRESHOLD: Final = StatusThreshold("", 0, COUNTER32_MAX, INTERVAL_S)
# sipCommonStatusCodeNotifEmitMode
_ONE_SHOT: Final = 2
_INDEX: Final[Oid] = (SERVER_INDEX,)
_NAMES: Final = tuple(method.decode() for method in METHODS)
_FIRST_FINAL: Final = 200

Traffic = Mapping[str, int]


def statistics_variables(status: NodeStatus, thresholds: Sequence[StatusThreshold] = ()) -> Iterator[Variable]:
    """All of them. `thresholds`: of status codes."""
    counts, traffic = status.counters, status.traffic
    summary = {
        1: counts.get("requests-received", 0),
        2: counts.get("requests-sent", 0),
        3: counts.get("responses-received", 0),
        4: counts.get("responses-sent", 0),
        5: _transactions(counts, traffic),
    }
    yield from counted_row((*COMMON, 3, 1, 1), _INDEX, summary, 6)
    yield from _by_method(traffic)
    yield from _by_status(traffic, {(each.method, each.code): each for each in thresholds})
    pending = sum(worker.gauges.get("transactions_pending", 0) for worker in status.workers)
    yield from row((*COMMON, 6, 1, 1), _INDEX, {1: value_of("Gauge32", pending)})
    yield from _retries(traffic)
    others = {
        1: sent_with_status(traffic, 416),
        2: traffic.get(f"received {OTHER}", 0),
        3: sum(status.drops.values()),
    }
    yield from counted_row((*COMMON, 8, 1, 1), _INDEX, others, 4)


def counted_row(entry: Oid, index: Oid, counts: Mapping[int, int], time_column: int) -> Iterator[Variable]:
    """A row of counters, and the time of their last discontinuity."""
    values = {column: Value("Counter32", count & COUNTER32_MAX) for column, count in counts.items()}
    yield from row(entry, index, {**values, time_column: Value("TimeTicks", 0)})


def method_index(method: str) -> Oid:
    """The index of a row that is of a method."""
    return (SERVER_INDEX, *index_of(method.encode()))


def _by_method(traffic: Traffic) -> Iterator[Variable]:
    for method in _NAMES:
        # Retransmissions are counted elsewhere (sipCommonMethodStatsOutbounds, sipCommonMethodStatsInbounds).
        sent = traffic.get(f"sent {method}", 0) - traffic.get(f"sent-again {method}", 0)
        received = traffic.get(f"received {method}", 0) - traffic.get(f"received-again {method}", 0)
        yield from counted_row((*COMMON, 4, 1, 1), method_index(method), {2: sent, 3: received}, 4)


def _by_status(traffic: Traffic, thresholds: Mapping[tuple[str, int], StatusThreshold]) -> Iterator[Variable]:
    """A row for each method and status code that was seen, or has a threshold."""
    for (method, code), (received, sent) in {**dict.fromkeys(thresholds, (0, 0)), **statuses(traffic)}.items():
        index = (*method_index(method), code)
        yield from counted_row(STATUS_ENTRY, index, {3: received, 4: sent}, 6)
        yield (*STATUS_ENTRY, 5, *index), ACTIVE
        threshold = thresholds.get((method, code), _NO_THRESHOLD)
        notified = {
            1: Value("Integer32", FALSE),
            2: Value("Integer32", _ONE_SHOT),
            3: Value("Unsigned32", threshold.threshold),
            4: Value("Unsigned32", threshold.interval_s),
        }
        yield from row(STATUS_NOTIFICATION_ENTRY, index, notified)


def statuses(traffic: Traffic) -> dict[tuple[str, int], tuple[int, int]]:
    """Responses received and sent, by method and status code."""
    found: dict[tuple[str, int], tuple[int, int]] = {}
    for name in traffic:
        direction, method, *code = name.split(" ")
        if code and method != OTHER and direction in ("received", "sent"):
            counts = (traffic.get(f"{each} {method} {code[0]}", 0) for each in ("received", "sent"))
            found[method, int(code[0])] = (next(counts), next(counts))
    return found


def _retries(traffic: Traffic) -> Iterator[Variable]:
    """Retransmissions that were sent: requests, final responses and other responses, by method."""
    responses: dict[tuple[str, bool], int] = {}
    for name, count in traffic.items():
        direction, method, *code = name.split(" ")
        if code and direction == "sent-again":
            key = (method, int(code[0]) >= _FIRST_FINAL)
            responses[key] = responses.get(key, 0) + count
    for method in _NAMES:
        counts = {
            2: traffic.get(f"sent-again {method}", 0),
            3: responses.get((method, True), 0),
            4: responses.get((method, False), 0),
        }
        yield from counted_row((*COMMON, 7, 1, 1), method_index(method), counts, 5)


def sent_with_status(traffic: Traffic, code: int) -> int:
    """Responses sent with a status code, to any method."""
    return sum(count for name, count in traffic.items() if name.startswith("sent ") and name.endswith(f" {code}"))


def _transactions(counts: Mapping[str, int], traffic: Traffic) -> int:
    """Requests that were no ACK and no retransmission, in both directions."""
    received = counts.get("requests-received", 0) - counts.get("retransmissions-received", 0)
    sent = counts.get("requests-sent", 0) - sum(traffic.get(f"sent-again {method}", 0) for method in (*_NAMES, OTHER))
    acknowledged = sum(traffic.get(f"{direction} ACK", 0) for direction in ("received", "sent"))
    acknowledged_again = sum(traffic.get(f"{direction} ACK", 0) for direction in ("received-again", "sent-again"))
    return max(received + sent - acknowledged + acknowledged_again, 0)
