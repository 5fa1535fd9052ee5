"""Route tables that are read from databases, for operators: what became of the last read, and a read now."""

from __future__ import annotations

from typing import Any

from appliance.catalogue.route_table_settings import RouteTableSettings
from appliance.management.appliance_client import Call
from appliance.management.errors import Refused
from appliance.management.region_rights import region_of
from appliance.messages.route_table_messages import ListTableReads, RequestTableRead, TableReadRow

Result = dict[str, Any]


async def show_route_sources(call: Call) -> Result:
    """Each table of the configuration; figures are those since the lookup server was started."""
    tables = call.client.settings.route_tables
    if not tables:
        return {"tables": []}
    done = {row.table: row for row in (await call.client.ask(ListTableReads())).rows}
    return {"tables": [_row_of(table, done.get(table.name)) for table in tables]}


async def refresh_route_table(call: Call) -> Result:
    """Have it read. Raises Refused where it is read from no database, or belongs to another region."""
    name, region = call.args.text("table", ""), call.session.region
    if region and name not in region_of(call.client.settings, region).tables:
        raise Refused(f"Type a table of region {region}.", "see `show running-config`")
    read = [table.name for table in call.client.settings.route_tables if table.is_read]
    if not read or (name and name not in read):
        which = f"Route table {name} is" if name else "No route table is"
        raise Refused(f"{which} read from a database.", "see `show route-sources`")
    return {"text": (await call.client.ask(RequestTableRead(name))).text}


def _row_of(table: RouteTableSettings, row: TableReadRow | None) -> Result:
    if row is None:
        row = TableReadRow(table.name, False, 0, 0.0, 0.0, 0.0, "", 0, 0, 0)
    return {
        "table": table.name,
        "state": _state(table, row),
        "rows": row.rows,
        "read_at": row.read_at or None,
        "changed_at": row.changed_at or None,
        "took_s": row.took_s,
        "every_s": table.every_s,
        "reads": row.reads,
        "failures": row.failures,
        "changes": row.changes,
        "fault": row.fault,
    }


def _state(table: RouteTableSettings, row: TableReadRow) -> str:
    if not table.is_read:
        return "not read"
    return "reading" if row.is_reading else "failed" if row.fault else "waiting"
