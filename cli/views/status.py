"""The state of the appliance (memory, calls, alarms, counters, rate limits), and what an action has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from appliance.catalogue.results import CALLS, COUNTERS, MEMORY, RATE_LIMITS
from cli.output import Footer, Heading
from cli.views.tables import MIB, columns, draw_result, draw_rows, time_text

NO_ALARM = "No active alarms."
FIELDS = COUNTERS[0].fields


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


# -- alarms ----------------------------------------------------------------------------------------


def draw_alarms(result: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """Each alarm with its cause, effect and action."""
    alarms = result.get("alarms", ())
    if not alarms:
        yield NO_ALARM
    for place, alarm in enumerate(alarms):
        if place:
            yield ""
        subject = f" ({alarm['subject']})" if alarm.get("subject") else ""
        yield f"{alarm.get('severity', '').upper()} {alarm.get('name', '')}{subject} since {time_text(alarm['since'])}"
        if alarm.get("acknowledged_by"):
            yield f"  acknowledged by {alarm['acknowledged_by']}"
        for heading in ("text", "cause", "effect", "action"):
            if alarm.get(heading):
                label = "summary" if heading == "text" else heading
                yield f"  {label.ljust(9)}{alarm[heading]}"


# -- counters and rate limits ----------------------------------------------------------------------


def draw_counters(result: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """The counters of the group that was asked for, or of all, by group."""
    group = arguments.get("group")
    counters = [row for row in result.get("counters", ()) if group in (None, row.get("group"))]
    shown = [row for row in counters if row.get("value") or row.get("rate_5min") or arguments.get("all")]
    for place, name in enumerate(dict.fromkeys(row.get("group", "") for row in shown)):
        yield from map(Heading, ["", name.upper()] if place else [name.upper()])
        yield from draw_rows(FIELDS, [row for row in shown if row.get("group", "") == name])
    if not shown:
        yield "All counters are zero." if counters else "No such counters."
    elif len(shown) < len(counters):
        yield Footer(f"({len(counters) - len(shown)} counters at zero are not shown; `all` shows them.)")


def draw_drops(result: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """Every reason to drop a message, those that never came up, too."""
    yield from draw_rows(FIELDS, result.get("counters", ()))


def draw_rate_limits(result: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """The table, then the keys that are limited."""
    yield from draw_result(RATE_LIMITS, result)
    rows = [
        [str(limit.get("name", "")), str(hit.get("key", "")), str(hit.get("exceeded", 0))]
        for limit in result.get("limits", ())
        for hit in limit.get("hit", ())
    ]
    if rows:
        yield ""
        yield from columns([["rate-limit", "limited", "exceeded"], *rows])


# -- what an action has changed --------------------------------------------------------------------


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


def draw_archive(result: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """Where the archive is."""
    yield f"{result.get('path', '?')} ({result.get('size', 0)} bytes)"


def draw_acknowledged(result: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """How many alarms were acknowledged."""
    count = result.get("acknowledged", 0)
    yield f"{count} alarm{'' if count == 1 else 's'} acknowledged."
