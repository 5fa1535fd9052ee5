"""Route tables as CSV: read with every fault by its line, and written again.

    table,prefix,action,priority,weight,strip,prepend,translation,condition
    default,+1732,sip:gw1.example.com;transport=tcp,1
    default,+1732,sip:gw2.example.com,2
    default,+1900,reject 403 Premium Numbers Barred
    default,any,table carriers

The first line names the columns; those from `priority` on may be left out. A file holds all tables of the node but
those that are read from a database.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Iterator

from appliance.catalogue.region_settings import RegionSettings
from appliance.routing.route_entry import RouteFault
from appliance.routing.route_file import RouteFileWriter
from appliance.routing.route_prefixes import key_of_prefix
from appliance.routing.route_references import Configured, References
from appliance.routing.route_rows import REQUIRED, RouteRows
from appliance.routing.route_tables import RouteTables


def read_csv(
    lines: Iterable[str],
    configured: Configured | None = None,
    others: References | None = None,
    region: RegionSettings | None = None,
) -> RouteFileWriter:
    """The rows of a file. `configured`: what rows may name, None where that is not known; `others`: tables that stay
    beside those of the file, with what their rows name; `region`: whose tables they have to be. Raises RoutesRefused.
    """
    collected = RouteRows(configured)
    rows = csv.reader(lines, strict=True)
    try:
        for row in rows:
            if row and not row[0].startswith("#"):
                collected.take(row, rows.line_num)
            if collected.has_many_faults:
                break
    except csv.Error as fault:
        collected.faults.append(f"Line {rows.line_num}: this is not CSV ({fault}).")
    if not collected.columns and not collected.faults:
        collected.refuse(1, RouteFault("the file is empty", f"begin it with {','.join(REQUIRED)}"))
    read_tables: Collection[str] = () if configured is None else configured.read_tables
    for table in collected.writer.tables:
        if region is not None and table not in region.tables:
            collected.faults.append(f"Table {table} does not belong to region {region.name}; leave its rows out.")
        elif table in read_tables:
            collected.faults.append(f"Table {table} is read from a database; leave its rows out.")
    return collected.checked(others)


def rows_of(tables: RouteTables) -> Iterator[tuple[str, ...]]:
    """The rows of all tables, in order; with the columns first they are a file that can be read."""
    for table in tables.names:
        for match in tables.below(table, 0, tables.rules_of(table)):
            prefix = match.prefix
            for entry in match.entries:
                numbers = (str(entry.priority), str(entry.weight), str(entry.strip))
                names = (entry.translation, entry.condition)
                yield (table, prefix, entry.action, *numbers, entry.prepend.decode(), *names)


def sort_key(row: tuple[str, ...]) -> tuple[str, int]:
    """By what `rows_of` orders its rows."""
    return row[0], key_of_prefix(row[1])
