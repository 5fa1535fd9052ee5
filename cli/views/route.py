"""`test route`: which stages decide what about a request, and where it would go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from appliance.catalogue.results import ROUTE
from cli.views.table import draw_rows

STAGES, TARGETS = ROUTE[0], ROUTE[1]


def draw_route(result: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """The stages in order, the targets, the outcome."""
    yield "STAGES"
    yield from draw_rows(STAGES.fields, result.get(STAGES.name, ()))
    yield ""
    yield "TARGETS"
    yield from draw_rows(TARGETS.fields, result.get(TARGETS.name, ()))
    yield ""
    yield str(result.get("outcome", ""))
