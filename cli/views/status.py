"""`show status`, `show memory` and sentences: the small results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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
    yield f"total {result.get('total_rss', 0) // MIB} MiB"
    tables = [dict(table) for table in result.get("tables", ())]
    if tables:
        yield ""
        names = list(tables[0])
        yield from columns([names, *([str(table.get(name, 0)) for name in names] for table in tables)])


def draw_calls(result: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """The calls being set up, and what is known of all others."""
    yield from draw_result(CALLS, result)
    counts = ", ".join(f"{name} {result.get(name, 0)}" for name in ("started", "answered", "failed"))
    yield Footer(f"In setup: {result.get('total', 0)}. Totals: {counts}.")


def cleared(noun: str) -> Callable[[Mapping[str, Any], Mapping[str, Any]], Iterator[str]]:
    """A view that says how many of something were cleared."""

    def draw_cleared(result: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
        count = result.get("cleared", 0)
        yield f"{count} {noun}{'' if count == 1 else 's'} cleared."

    return draw_cleared


def draw_worker_state(result: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """How the worker is now."""
    yield f"Worker {result.get('number', arguments.get('number', '?'))} is {result.get('state', '?')}."


def draw_sentence(result: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """What was done, in the words of the appliance."""
    yield str(result.get("text", "Done."))


def draw_rollback(result: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """Which commit is active."""
    yield f"Commit {result.get('number', '?')} is now active."


def draw_confirmed(result: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """Which commit was confirmed."""
    yield f"Commit {result.get('number', '?')} confirmed."


def draw_archive(result: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """Where the archive is."""
    yield f"{result.get('path', '?')} ({result.get('size', 0)} bytes)"
