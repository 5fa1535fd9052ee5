"""`show lookups` and `show routing failures`: what the workers have of them, put together."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from appliance.catalogue.lookup_settings import LookupSettings
from appliance.catalogue.lookup_values import protocol_of
from appliance.management.appliance_client import Call
from appliance.management.errors import Refused
from appliance.management.tasks.show_tables import parts_of
from appliance.messages.routing_messages import (
    ClearRouteCounts,
    ListLookupCaches,
    ListLookups,
    ListRouteCounts,
    ListRoutingFailures,
    LookupCacheRow,
    LookupRow,
)

Result = dict[str, Any]

# Of each worker; what few calls have followed is not among the first of all.
ROWS_MAX: Final = 10_000

_failures = parts_of(ListRoutingFailures)


async def show_routing_failures(call: Call) -> Result:
    """The latest of all workers first."""
    result: Result = await _failures(call)
    result["rows"].sort(key=lambda row: -row["wall_time"])
    return result


async def show_routing_counters(call: Call) -> Result:
    """The entries that most calls have followed, of all workers together."""
    if not call.client.settings.limits.route_counts_max:
        raise Refused("Entries of route tables are not counted.", "commit `limits routing counters 10000` first")
    table, limit = call.args.text("table", ""), call.args.limit()
    replies = await call.client.workers.ask_all(ListRouteCounts(table, ROWS_MAX))
    calls: Counter[tuple[str, str, str]] = Counter()
    for reply in replies:
        for row in reply.rows:
            calls[row.table, row.prefix, row.action] += row.calls
    rows = [
        {"table": name, "prefix": prefix, "action": action, "calls": count}
        for (name, prefix, action), count in calls.most_common(limit)
    ]
    total = max((reply.total for reply in replies), default=0)
    uncounted = sum(reply.uncounted for reply in replies)
    return {"total": max(total, len(calls)), "shown": len(rows), "uncounted": uncounted, "rows": rows}


async def clear_routing_counters(call: Call) -> Result:
    """Of all workers."""
    replies = await call.client.workers.ask_all(ClearRouteCounts())
    return {"cleared": max((reply.count for reply in replies), default=0)}


async def show_lookups(call: Call) -> Result:
    """Each lookup of the configuration; figures are those since the workers were started."""
    lookups = call.client.settings.lookups
    if not lookups:
        return {"lookups": []}
    done = [row for reply in await call.client.workers.ask_all(ListLookups()) for row in reply.rows]
    kept = [row for reply in await call.client.workers.ask_all(ListLookupCaches()) for row in reply.rows]
    return {"lookups": [_row_of(each, done, kept) for each in lookups]}


def _row_of(lookup: LookupSettings, done: list[LookupRow], kept: list[LookupCacheRow]) -> Result:
    own = [row for row in done if row.name == lookup.name]
    caches = [row for row in kept if row.name == lookup.name]
    counts = {name: sum(getattr(row, name) for row in own) for name in ("asked", "found", "empty", "failed", "refused")}
    last = max(own, key=lambda row: row.fault_at, default=None)
    has_failed = last is not None and last.fault_at > 0
    asked = counts["asked"] - counts["refused"]
    return {
        "name": lookup.name,
        "protocol": protocol_of(lookup.servers),
        **counts,
        "mean_ms": 1000 * sum(row.busy_s for row in own) / asked if asked else None,
        "cached": sum(row.cached for row in caches),
        "hits": sum(row.hits for row in caches),
        "since": last.fault_at if last is not None and has_failed else None,
        "fault": last.fault if last is not None and has_failed else "",
    }
