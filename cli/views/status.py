"""`show status`, `show memory` and sentences: the small results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from appliance.catalogue.results import CALLS, MEMORY, WORKERS
from cli.output import Footer
from cli.views.table import MIB, columns, draw_result, draw_rows, duration


def draw_status(result: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """The appliance on one page."""
    supervisor = result.get("supervisor", {})
    yield f"{result.get('hostname', 'Signalbox')}, up {duration(supervisor.get('uptime_s', 0))}"
    if supervisor.get("sentence"):
        yield str(supervisor["sentence"])
    for alarm in result.get("alarms", ()):
        yield f"ALARM: {alarm.get('text', '') if isinstance(alarm, Mapping) else alarm}"
    yield ""
    yield from draw_rows(WORKERS[0].fields, result.get("workers", ()))
    yield ""
    yield f"registrations  {result.get('registrations', 0)}"
    yield f"transactions   {result.get('transactions', 0)}"


def draw_memory(result: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """The memory of each process, and what fills the tables of each worker."""
    yield from draw_rows(MEMORY[0].fields, result.get("memory", ()))
    yield f"together {result.get('total_rss', 0) // MIB} MiB"
    tables = [dict(table) for table in result.get("tables", ())]
    if tables:
        yield ""
        names = list(tables[0])
        yield from columns([names, *([str(table.get(name, 0)) for name in names] for table in tables)])


def draw_calls(result: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """The calls being set up, and what is known of all others."""
    yield from draw_result(CALLS, result)
    counts = ", ".join(f"{name} {result.get(name, 0)}" for name in ("started", "answered", "failed"))
    yield Footer(f"Being set up: {result.get('total', 0)}. Since the counters began: {counts}.")


def draw_cleared(result: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """How many were forgotten."""
    yield f"{result.get('cleared', 0)} cleared."


def draw_worker_state(result: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """How the worker is now."""
    yield f"Worker {result.get('number', arguments.get('number', '?'))} is {result.get('state', 'told')}."


def draw_sentence(result: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """What was done, in the words of the appliance."""
    yield str(result.get("text", "Done."))


def draw_numbered(result: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """Which commit is in force."""
    yield f"Commit {result.get('number', '?')} is in force."


def draw_archive(result: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """Where the archive is."""
    yield f"{result.get('path', '?')} ({result.get('size', 0)} bytes)"
