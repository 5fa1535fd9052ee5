"""The variables of SIGNALBOX-MIB, from the status of the node."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from appliance.catalogue import mib_objects as mib
from appliance.catalogue.mib_numbers import COUNTER_NUMBERS, GAUGE_NUMBERS
from appliance.catalogue.mib_objects import MibObject, MibTable, Oid
from appliance.catalogue.node_status import NodeStatus, WorkerStatus
from appliance.catalogue.settings import Settings
from appliance.management.snmp.object_tree import Value, Variable
from appliance.messages.supervisor_requests import AlarmRow

GAUGE_MAX: Final = (1 << 32) - 1
INTEGER_MAX: Final = (1 << 31) - 1
COUNTER_MAX: Final = (1 << 64) - 1
TEXT_LEN_MAX: Final = 255
# RFC 2579 TruthValue
TRUE, FALSE = 1, 2
# A number is never given to another process.
PROCESS_INDEXES: Final = {"supervisor": 1, "management": 2, "persister": 3, "snmp": 4, "records": 5, "cluster": 6}
# The SIP server that all processes together are.
SERVER_INDEX: Final = 100
FIRST_WORKER_INDEX: Final = 101


def signalbox_variables(status: NodeStatus, settings: Settings, alarms: Sequence[AlarmRow]) -> Iterator[Variable]:
    """All of them."""
    yield from object_variables(mib.NODE, mib.NODE_OBJECTS, status)
    for name, number in COUNTER_NUMBERS.items():
        if name in status.counters:
            yield (*mib.COUNTERS_GROUP, number, 0), value_of(mib.COUNTER, status.counters[name])
    workers = [(worker.number + 1, worker) for worker in status.workers]
    yield from table_rows(mib.WORKERS, workers)
    yield from table_rows(mib.LISTENERS, [(listener.place + 1, listener) for listener in status.listeners])
    yield from table_rows(mib.PROCESSES, [(process_index(process.name), process) for process in status.processes])
    yield from table_rows(mib.RATE_LIMITS, enumerate(settings.rate_limits, 1))
    yield from table_rows(mib.ALARMS_ACTIVE, enumerate(alarms, 1))
    yield from _gauges(workers)


def _gauges(workers: Iterable[tuple[int, WorkerStatus]]) -> Iterator[Variable]:
    for index, worker in workers:
        for name, (number, _) in GAUGE_NUMBERS.items():
            if name in worker.gauges:
                yield (*mib.GAUGE_TABLE, 1, number, index), value_of(mib.GAUGE, worker.gauges[name])


def object_variables(group: Oid, objects: Iterable[MibObject], record: Any) -> Iterator[Variable]:
    """The objects of a group, from a record that has their facts."""
    for object_ in objects:
        yield (*group, object_.number, 0), value_of(object_.syntax, _fact(record, object_))


def table_rows(table: MibTable, rows: Iterable[tuple[int, Any]]) -> Iterator[Variable]:
    """Rows by their index, from records that have the facts; a fact that is None is unknown, and has no variable."""
    for index, row in rows:
        for column in table.columns:
            fact = _fact(row, column)
            if fact is not None:
                yield cell(table, column, index), value_of(column.syntax, fact)


def process_index(name: str) -> int:
    """The number of a process, the same whenever it runs: those without SIP have numbers up to 100."""
    kind, _, number = name.partition(" ")
    if kind == "worker" and number.isdigit():
        return FIRST_WORKER_INDEX + int(number)
    return PROCESS_INDEXES.get(name, SERVER_INDEX - 1)


def cell(table: MibTable, column: MibObject, index: int) -> Oid:
    """The identifier of a column in a row."""
    return (*table.oid, 1, column.number, index)


def _fact(record: Any, object_: MibObject) -> Any:
    for name in object_.fact.split("."):
        record = getattr(record, name, 0)
    if object_.units == "KiB":
        return record // 1024
    return len(record) if object_.syntax == mib.GAUGE and isinstance(record, list) else record


def value_of(syntax: str, fact: Any) -> Value:
    """A value of that syntax: texts are cut, gauges stay at their limit (RFC 2578 7.1.7), seconds become hundredths."""
    if syntax == mib.TEXT:
        text = " ".join(fact) if isinstance(fact, list | tuple) else str(fact)
        return Value(syntax, _cut(text))
    if syntax == mib.OCTETS:
        return Value(syntax, date_and_time(float(fact)))
    if syntax == mib.TICKS:
        return Value(syntax, int(fact * 100) & GAUGE_MAX)
    if syntax == mib.TRUTH:
        return Value(syntax, TRUE if fact else FALSE)
    if syntax == mib.COUNTER:
        return Value(syntax, int(fact) & COUNTER_MAX)
    if syntax == mib.INTEGER:
        return Value(syntax, min(max(int(fact), -INTEGER_MAX), INTEGER_MAX))
    return Value(syntax, min(max(int(fact), 0), GAUGE_MAX))


def _cut(text: str) -> bytes:
    octets = text.encode()[:TEXT_LEN_MAX]
    return octets.decode("utf-8", "ignore").encode()


def date_and_time(wall_time: float) -> bytes:
    """A moment as RFC 2579 DateAndTime, in UTC."""
    moment = time.gmtime(wall_time)
    tenths = int(wall_time * 10) % 10
    clock = bytes([moment.tm_mon, moment.tm_mday, moment.tm_hour, moment.tm_min, min(moment.tm_sec, 60), tenths])
    return moment.tm_year.to_bytes(2, "big") + clock + b"+\0\0"
