"""`signalbox status`: what the supervisor reports, as tables or as JSON.

The names in the report are those of appliance/supervisor/status_report.py; a name that is missing is left out of
the tables, and JSON shows whatever there is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from appliance.catalogue.counters import COUNTERS
from appliance.ipc.bus import BusUnavailable, ask_supervisor
from appliance.management.errors import CommandFailed
from appliance.messages.bus_messages import StatusRequest

TIMEOUT_S = 3.0
GAP = "  "
MIB = 1024 * 1024

# (heading, name in the report of a worker)
WORKER_COLUMNS = (
    ("worker", "number"),
    ("state", "state"),
    ("pid", "pid"),
    ("uptime s", "uptime_s"),
    ("restarts", "restarts"),
    ("slots", "slots"),
    ("transactions", "transactions"),
    ("registrations", "registrations"),
    ("cpu %", "cpu_percent"),
    ("memory MiB", "rss"),
    ("heartbeat ms", "silent_ms"),
    ("last exit", "last_ending"),
)


def ask_status(runtime_dir: Path) -> dict[str, Any]:
    """The supervisor's report. Raises CommandFailed when nobody answers."""
    try:
        return ask_supervisor(runtime_dir, StatusRequest(), TIMEOUT_S)
    except BusUnavailable as fault:
        raise CommandFailed(str(fault)) from None


def write_json(report: Mapping[str, Any]) -> str:
    """The report for programs."""
    return json.dumps(report, indent=2)


def draw_status(report: Mapping[str, Any], is_all: bool = False) -> str:
    """The report for eyes. Counters that are 0 are left out unless `is_all`."""
    parts = [
        _summary_lines(report),
        _workers_lines(report.get("workers", [])),
        _slots_lines(report),
        _totals_lines(report),
        *_counter_parts(report.get("counters", {}), is_all),
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def _summary_lines(report: Mapping[str, Any]) -> list[str]:
    supervisor = report.get("supervisor", {})
    lines = [supervisor["sentence"]] if "sentence" in supervisor else []
    if "pid" in supervisor:
        name = report.get("hostname", "Signalbox")
        lines.append(f"{name}: supervisor process {supervisor['pid']}, up {_duration(supervisor.get('uptime_s', 0))}.")
    lines += [report["reload"]] if report.get("reload") else []
    return lines + [f"ALARM: {alarm}" for alarm in report.get("alarms", [])]


def _workers_lines(workers: Sequence[Mapping[str, Any]]) -> list[str]:
    rows = [[_worker_cell(name, worker.get(name, "")) for _, name in WORKER_COLUMNS] for worker in workers]
    return ["WORKERS", *_indented(draw_table([heading for heading, _ in WORKER_COLUMNS], rows))]


def _worker_cell(name: str, value: Any) -> str:
    if name == "rss" and isinstance(value, int):
        return f"{value / MIB:.0f}"
    return str(value)


def _slots_lines(report: Mapping[str, Any]) -> list[str]:
    """Runs of slots and their owners: which Call-IDs are whose."""
    if "slots" not in report:
        return []
    rows = [[f"{first}-{last}", f"worker {owner}"] for first, last, owner in report["slots"]]
    return [f"SLOTS (table {report.get('epoch', '?')})", *_indented(draw_table([], rows))]


def _totals_lines(report: Mapping[str, Any]) -> list[str]:
    return [f"{name.upper()} {report[name]}" for name in ("registrations", "transactions") if name in report]


def _counter_parts(counters: Mapping[str, int], is_all: bool) -> Iterator[list[str]]:
    """One table for each group of counters in which something was counted."""
    for group in dict.fromkeys(counter.group for counter in COUNTERS):
        rows = [
            [counter.name, str(counters[counter.name]), counter.help]
            for counter in COUNTERS
            if counter.group == group and counter.name in counters and (is_all or counters[counter.name])
        ]
        yield [f"COUNTERS: {group}", *_indented(draw_table([], rows))] if rows else []


def draw_table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows in columns; numbers to the right, words to the left. An empty heading is left out."""
    if not rows:
        return ["none"]
    lines = [*([heading] if heading else []), *rows]
    columns = range(len(lines[0]))
    widths = [max(len(line[column]) for line in lines) for column in columns]
    are_numbers = [all(_is_number(row[column]) for row in rows) for column in columns]
    return [
        GAP.join(
            cell.rjust(width) if is_number else cell.ljust(width)
            for cell, width, is_number in zip(line, widths, are_numbers, strict=True)
        ).rstrip()
        for line in lines
    ]


def _is_number(cell: str) -> bool:
    return cell.replace(".", "", 1).removeprefix("-").isdigit()


def _duration(seconds: float) -> str:
    """`3 d 4 h`, `2 h 5 min`, `40 s`: the two largest units."""
    parts: list[str] = []
    left = int(seconds)
    for length, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        amount, left = divmod(left, length)
        if amount or parts:
            parts.append(f"{amount} {unit}")
    return " ".join(parts[:2]) or "0 s"


def _indented(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield GAP + line
