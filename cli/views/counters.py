"""`show counters` and `show drops`: a table for each group, without what is 0."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from appliance.catalogue.results import COUNTERS
from cli.output import Footer
from cli.views.table import draw_rows

FIELDS = COUNTERS[0].fields


def draw_counters(result: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """The counters of the group that was asked for, or of all, by group."""
    group = arguments.get("group")
    counters = [row for row in result.get("counters", ()) if group in (None, row.get("group"))]
    shown = [row for row in counters if row.get("value") or row.get("rate_5min") or arguments.get("all")]
    for place, name in enumerate(dict.fromkeys(row.get("group", "") for row in shown)):
        yield from ["", name.upper()] if place else [name.upper()]
        yield from draw_rows(FIELDS, [row for row in shown if row.get("group", "") == name])
    if not shown:
        yield "All counters are zero." if counters else "No such counters."
    elif len(shown) < len(counters):
        yield Footer(f"({len(counters) - len(shown)} counters at zero are not shown; `all` shows them.)")


def draw_drops(result: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """Every reason to drop a message, those that never came up, too."""
    yield from draw_rows(FIELDS, result.get("counters", ()))
