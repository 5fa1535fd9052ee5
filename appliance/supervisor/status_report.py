"""The status of the node (catalogue/node_status.py), made from the supervisor's records."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

from appliance.catalogue.counters import COUNTERS
from appliance.catalogue.node_status import ListenerStatus, ProcessStatus, SlotRange, WorkerStatus
from appliance.catalogue.settings import ListenerSettings
from appliance.catalogue.transports import TRANSPORTS
from appliance.machine import Figures
from appliance.messages.slots import SlotTable
from appliance.supervisor.decisions import WorkerState
from appliance.supervisor.listening_sockets import Group
from appliance.supervisor.processes import NodeProcess, own_figures
from appliance.supervisor.supporting_process import SupportingProcess
from appliance.supervisor.worker_record import WorkerRecord, sums_by_name
from appliance.transport.process_id import worker_of

STANDINGS = ("open", "draining", "closed")


def worker_statuses(
    records: Sequence[WorkerRecord], table: SlotTable, processes: Mapping[int, NodeProcess], now: float
) -> list[WorkerStatus]:
    """Each worker, whether it has a process or not; `table`: who owns which slots."""
    return [_worker_status(record, table, processes.get(record.number), now) for record in records]


def _worker_status(record: WorkerRecord, table: SlotTable, process: NodeProcess | None, now: float) -> WorkerStatus:
    is_running = process is not None
    figures = process.figures() if process else Figures(0.0, 0.0, 0)
    return WorkerStatus(
        number=record.number,
        pid=process.pid if process else 0,
        state=_state(record, table),
        uptime_s=round(now - record.started_at, 1) if is_running else 0.0,
        restarts=record.restarts,
        slots=table.count_of(record.process),
        cpu_s=round(figures.cpu_s, 2),
        cpu_percent=round(figures.cpu_percent, 1),
        rss=figures.rss,
        transactions=record.gauges.get("transactions", 0),
        registrations=record.gauges.get("registrations", 0),
        turn=record.turn,
        silent_ms=int((now - record.last_heard) * 1000) if is_running else 0,
        last_ending=record.last_ending,
        gauges=record.gauges,
    )


def _state(record: WorkerRecord, table: SlotTable) -> str:
    """Its state in a word; `drained` when an operator has drained it, and it gets no calls."""
    is_drained = record.life == WorkerState.LIVE and record.is_parked and not table.count_of(record.process)
    return "drained" if is_drained else record.life.name.lower()


def slot_ranges(table: SlotTable) -> list[SlotRange]:
    """Who owns what."""
    return [SlotRange(first, last, worker_of(owner)) for first, last, owner in table.runs()]


def counter_totals(records: Sequence[WorkerRecord], *others: Sequence[int]) -> dict[str, int]:
    """The sums over all workers, dead incarnations included; `others`: counters by id of workers that are no more."""
    counted = [*others, *(record.counters() for record in records)]
    return {
        counter.name: sum(counts[counter.id] for counts in counted if counter.id < len(counts)) for counter in COUNTERS
    }


def traffic_totals(records: Sequence[WorkerRecord], retired: Mapping[str, int]) -> dict[str, int]:
    """Messages by name, over all workers; `retired`: of workers that are no more."""
    totals = dict(retired)
    for record in records:
        totals = sums_by_name(totals, record.traffic())
    return totals


def drops_in(totals: Mapping[str, int]) -> dict[str, int]:
    """Those of the counters that count dropped messages."""
    return {counter.name: totals[counter.name] for counter in COUNTERS if counter.is_drop}


def listener_statuses(listeners: Sequence[ListenerSettings], groups: Sequence[Group]) -> list[ListenerStatus]:
    """Each listener that has sockets, at its place."""
    return [
        ListenerStatus(
            place=number,
            name=listener.name,
            address=listener.address,
            port=listener.port,
            transports=[TRANSPORTS[group.endpoint.transport].name for group in own],
            role=listener.role,
            authenticate=listener.authenticate,
            standing=STANDINGS[listener.standing],
            steered=any(group.is_steered for group in own),
        )
        for number, listener in enumerate(listeners)
        if (own := [group for group in groups if group.endpoint.listener == number])
    ]


def in_minutes(seconds: float) -> str:
    """`1 minute`, `7 minutes`: begun minutes count."""
    minutes = max(ceil(seconds / 60), 1)
    return f"{minutes} minute{'s'[: minutes > 1]}"


def _process_status(name: str, figures: Figures, pid: int, uptime_s: float, restarts: int) -> ProcessStatus:
    """One process."""
    return ProcessStatus(
        name=name,
        pid=pid,
        uptime_s=round(uptime_s, 1),
        restarts=restarts,
        cpu_s=round(figures.cpu_s, 2),
        cpu_percent=round(figures.cpu_percent, 1),
        rss=figures.rss,
    )


def process_statuses(
    started_at: float,
    supporting: Mapping[str, SupportingProcess[Any]],
    workers: Mapping[int, NodeProcess],
    records: Sequence[WorkerRecord],
    now: float,
) -> list[ProcessStatus]:
    """What every process of the node costs: the supervisor (since `started_at`), those without SIP by name, workers."""
    rows = [_process_status("supervisor", own_figures(), os.getpid(), now - started_at, 0)]
    for name, supporter in supporting.items():
        if supporter.process is not None:
            process, up_s = supporter.process, now - supporter.started_at
            rows.append(_process_status(name, process.figures(), process.pid, up_s, supporter.restarts))
    for number, worker in sorted(workers.items()):
        record = records[number]
        up_s = now - record.started_at
        rows.append(_process_status(f"worker {number}", worker.figures(), worker.pid, up_s, record.restarts))
    return rows
