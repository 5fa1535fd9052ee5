"""Rate limits, and below them the sources, domains or listeners that each of them acts upon."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from appliance.catalogue.results import RATE_LIMITS
from cli.views.table import columns, draw_result


def draw_rate_limits(result: Mapping[str, Any], arguments: Mapping[str, Any]) -> Iterator[str]:
    """The table, then who is limited."""
    yield from draw_result(RATE_LIMITS, result)
    rows = [
        [str(limit.get("name", "")), str(hit.get("key", "")), str(hit.get("exceeded", 0))]
        for limit in result.get("limits", ())
        for hit in limit.get("hit", ())
    ]
    if rows:
        yield ""
        yield from columns([["rate-limit", "limited", "exceeded"], *rows])
