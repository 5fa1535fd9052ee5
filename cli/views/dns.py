"""`resolve`: the queries in order, the targets, the outcome."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from appliance.catalogue.dns_commands import RESOLVED
from cli.views.tables import draw_rows

STEPS, TARGETS = RESOLVED[0], RESOLVED[1]


def draw_resolved(result: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """Each table below its name; a numeric host has no queries."""
    steps = result.get(STEPS.name, ())
    if steps:
        yield "QUERIES"
        yield from draw_rows(STEPS.fields, steps)
        yield ""
    yield "TARGETS"
    yield from draw_rows(TARGETS.fields, result.get(TARGETS.name, ()))
    yield ""
    yield str(result.get("outcome", ""))
