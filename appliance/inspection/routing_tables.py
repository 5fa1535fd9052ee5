"""What an operator sees of routing in one worker: the answers of lookups that it keeps, and the latest failures."""

from __future__ import annotations

from appliance.messages.routing_messages import (
    LookupCacheRow,
    LookupCacheRows,
    RouteCountRow,
    RouteCountRows,
    RoutingFailureRow,
    RoutingFailureRows,
)
from appliance.proxy.environment import ProxyEnvironment
from appliance.routing.lookup_questions import FindRoutes


def lookup_caches(node: ProxyEnvironment) -> LookupCacheRows:
    """How many answers of each lookup are kept."""
    figures = node.pending_lookups.cache_of(FindRoutes.kind).figures()
    return LookupCacheRows([LookupCacheRow(name, cached, hits) for name, (cached, hits) in figures.items()])


def route_counts(node: ProxyEnvironment, table: str, limit: int, offset: int) -> RouteCountRows:
    """The entries that most calls have followed first."""
    total, counted = node.router.counts.rows(table, limit, offset)
    rows = [RouteCountRow(*entry, calls) for entry, calls in counted]
    return RouteCountRows(total, rows, node.router.counts.uncounted)


def routing_failures(node: ProxyEnvironment, limit: int, offset: int) -> RoutingFailureRows:
    """The latest failures first."""
    rows = [
        RoutingFailureRow(
            failure.wall_time,
            failure.call_id,
            failure.source,
            failure.caller,
            failure.called,
            failure.status,
            failure.reason,
            failure.steps,
        )
        for failure in node.routing_failures.latest(limit, offset)
    ]
    return RoutingFailureRows(len(node.routing_failures), rows)
