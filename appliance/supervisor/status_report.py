"""What `signalbox status` shows, as plain names and values: made from the supervisor's records.

{"hostname": text, "supervisor": {"pid", "uptime_s", "sentence"},
 "workers": [{"number", "pid", "state", "uptime_s", "restarts", "slots", "cpu_s", "cpu_percent", "rss",
              "transactions", "registrations", "turn", "silent_ms", "last_ending", "gauges"}, ...],
 "commit": number of the configuration in force, "reload": a sentence on the scheduled one or "",
 "listeners": [{"place", "name", "address", "port", "transports",
              "role", "authenticate", "standing", "steered"}, ...],
 "processes": [{"name", "pid", "uptime_s", "restarts", "cpu_s", "cpu_percent", "rss"}, ...],
 "slots": [[first, last, owner], ...], "epoch": int,
 "registrations": int, "transactions": int, "counters": {name: sum}, "drops": {name: sum},
 "alarms": [sentence, ...]}
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

from appliance.catalogue.counters import COUNTERS
from appliance.catalogue.settings import ListenerSettings
from appliance.catalogue.transports import TRANSPORTS
from appliance.messages.slots import SlotTable
from appliance.supervisor.decisions import WorkerState
from appliance.supervisor.listening_sockets import Group
from appliance.supervisor.processes import Figures, NodeProcess, own_figures
from appliance.supervisor.supporting_process import SupportingProcess
from appliance.supervisor.worker_record import WorkerRecord

STANDINGS = ("open", "draining", "closed")


def workers_report(
    records: Sequence[WorkerRecord], table: SlotTable, processes: Mapping[int, NodeProcess], now: float
) -> list[dict[str, Any]]:
    """Each worker, whether it has a process or not; `table`: the owners of the slots."""
    return [_worker_row(record, table, processes.get(record.number), now) for record in records]


def _worker_row(record: WorkerRecord, table: SlotTable, process: NodeProcess | None, now: float) -> dict[str, Any]:
    is_running = process is not None
    figures = process.figures() if process else Figures(0.0, 0.0, 0)
    return {
        "number": record.number,
        "pid": process.pid if process else 0,
        "state": _state(record, table),
        "uptime_s": round(now - record.started_at, 1) if is_running else 0.0,
        "restarts": record.restarts,
        "slots": table.count_of(record.process),
        "cpu_s": round(figures.cpu_s, 2),
        "cpu_percent": round(figures.cpu_percent, 1),
        "rss": figures.rss,
        "transactions": record.gauges.get("transactions", 0),
        "registrations": record.gauges.get("registrations", 0),
        "turn": record.turn,
        "silent_ms": int((now - record.last_heard) * 1000) if is_running else 0,
        "last_ending": record.last_ending,
        "gauges": record.gauges,
    }


def _state(record: WorkerRecord, table: SlotTable) -> str:
    """Its state in a word; `drained` when an operator has drained it, and it gets no calls."""
    is_drained = record.life == WorkerState.LIVE and record.is_parked and not table.count_of(record.process)
    return "drained" if is_drained else record.life.name.lower()


def totals_report(records: Sequence[WorkerRecord], retired: Sequence[int] = ()) -> dict[str, Any]:
    """The sums over all workers, with former incarnations in the counters; `retired`: of workers that are no more."""
    counters: dict[str, int] = {}
    drops: dict[str, int] = {}
    counted = [list(retired), *(record.counters() for record in records)]
    for counter in COUNTERS:
        total = sum(counts[counter.id] for counts in counted if counter.id < len(counts))
        counters[counter.name] = total
        if counter.is_drop:
            drops[counter.name] = total
    return {
        # Every worker holds all registrations, so they are not added up.
        "registrations": max((record.gauges.get("registrations", 0) for record in records), default=0),
        "transactions": sum(record.gauges.get("transactions", 0) for record in records),
        "counters": counters,
        "drops": drops,
    }


def listeners_report(listeners: Sequence[ListenerSettings], groups: Sequence[Group]) -> list[dict[str, Any]]:
    """Each listener that has sockets, at its place."""
    return [
        {
            "place": number,
            "name": listener.name,
            "address": listener.address,
            "port": listener.port,
            "transports": [TRANSPORTS[group.endpoint.transport].name for group in own],
            "role": listener.role,
            "authenticate": listener.authenticate,
            "standing": STANDINGS[listener.standing],
            "steered": any(group.is_steered for group in own),
        }
        for number, listener in enumerate(listeners)
        if (own := [group for group in groups if group.endpoint.listener == number])
    ]


def in_minutes(seconds: float) -> str:
    """`1 minute`, `7 minutes`: begun minutes count."""
    minutes = max(ceil(seconds / 60), 1)
    return f"{minutes} minute{'s'[: minutes > 1]}"


def process_row(name: str, figures: Figures, pid: int, uptime_s: float, restarts: int) -> dict[str, Any]:
    """One process."""
    return {
        "name": name,
        "pid": pid,
        "uptime_s": round(uptime_s, 1),
        "restarts": restarts,
        "cpu_s": round(figures.cpu_s, 2),
        "cpu_percent": round(figures.cpu_percent, 1),
        "rss": figures.rss,
    }


def processes_report(
    started_at: float,
    supporting: Mapping[str, SupportingProcess[Any]],
    workers: Mapping[int, NodeProcess],
    records: Sequence[WorkerRecord],
    now: float,
) -> list[dict[str, Any]]:
    """What every process of the node costs: the supervisor (since `started_at`), those without SIP by name, workers."""
    rows = [process_row("supervisor", own_figures(), os.getpid(), now - started_at, 0)]
    for name, supporter in supporting.items():
        if supporter.process is not None:
            process, up_s = supporter.process, now - supporter.started_at
            rows.append(process_row(name, process.figures(), process.pid, up_s, supporter.restarts))
    for number, worker in sorted(workers.items()):
        record = records[number]
        up_s = now - record.started_at
        rows.append(process_row(f"worker {number}", worker.figures(), worker.pid, up_s, record.restarts))
    return rows
