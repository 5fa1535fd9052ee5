"""`show route-table`: the route tables in force, read from their file; no worker is asked."""

from __future__ import annotations

from typing import Any

from appliance.management.appliance_client import Call
from appliance.management.errors import Refused
from appliance.routing.route_entry import RouteFault
from appliance.routing.route_prefixes import ANY, key_of_prefix
from appliance.routing.route_tables import RouteMatch, RouteTables
from appliance.storage.route_store import RouteStore, RouteStoreFault

Result = dict[str, Any]


async def show_route_table(call: Call) -> Result:
    """The rules of one table below a prefix, a part at a time; the tables where none is named."""
    store = RouteStore(call.client.state_dir)
    table = call.args.text("table", "")
    try:
        version = store.current()
        if not version:
            return {"version": 0, "total": 0, "shown": 0, "rows": []}
        tables = store.open(version)
    except RouteStoreFault as fault:
        raise Refused(str(fault), "use `signalbox routes rollback`") from None
    if not table:
        rows = [_row_of_table(name, tables.rules_of(name)) for name in tables.names]
        return {"version": version, "total": len(rows), "shown": len(rows), "rows": rows}
    if table not in tables.names:
        raise Refused(f"There is no route table {table}.", f"type one of {', '.join(tables.names[:10])}")
    return {"version": version, **_rules_of(tables, table, call)}


def _rules_of(tables: RouteTables, table: str, call: Call) -> Result:
    try:
        prefix = key_of_prefix(call.args.text("prefix", ANY))
    except RouteFault as fault:
        raise Refused(f"{fault.problem}.", fault.remedy) from None
    limit, after = call.args.limit(), call.args.part()
    if after and not (after.isascii() and after.isdigit() and len(after) < 10):
        raise Refused(f"`after` cannot be {after!r}.", "use `next` of the previous response")
    begin = int(after or 0)
    matches = list(tables.below(table, prefix, limit, begin))
    total = tables.count_below(table, prefix)
    rows = [row for match in matches for row in _rows_of(match)]
    end = begin + len(matches)
    place = {} if after is None else {"next": str(end) if end < total else ""}
    return {"total": total, "shown": len(matches), "rows": rows, **place}


def _rows_of(match: RouteMatch) -> list[Result]:
    return [
        {
            "table": match.table,
            "prefix": match.prefix,
            "action": entry.action,
            "priority": entry.priority,
            "weight": entry.weight,
            "strip": entry.strip,
            "prepend": entry.prepend.decode(),
            "translation": entry.translation,
            "condition": entry.condition,
        }
        for entry in match.entries
    ]


def _row_of_table(name: str, rules: int) -> Result:
    action = f"{rules} prefix{'' if rules == 1 else 'es'}"
    numbers = {"priority": 0, "weight": 0, "strip": 0}
    return {"table": name, "prefix": "", "action": action, **numbers, "prepend": "", "translation": "", "condition": ""}
