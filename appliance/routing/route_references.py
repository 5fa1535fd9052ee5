"""What route tables and the configuration say of each other: whatever is named is there, and nothing leads in a circle.

Rows of tables name other tables, lookups, translations, conditions and regions; policies and domains of the
configuration name tables; a region goes on by the tables of its policy.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from appliance.catalogue.routing_settings import DEFAULT_TABLE
from appliance.catalogue.settings import Settings

# By table: what its rows name (RouteEntry.references).
References = Mapping[str, Collection[str]]


class ReferenceFault(NamedTuple):
    """`table` and `reference`: where it is in the tables, "" for the configuration. `remedy`: what to type."""

    table: str
    reference: str
    problem: str
    remedy: str


class Configured:
    """What of a configuration belongs to route tables. Never changed.

    `names`: what rows may name, such as `lookup customers`. `wanted`: sections and the tables that they name.
    `read_tables`: tables that a database has.
    """

    def __init__(self, settings: Settings) -> None:
        sections = (
            ("lookup", settings.lookups),
            ("translation", settings.translations),
            ("condition", settings.conditions),
            ("region", settings.regions),
        )
        self.names = frozenset(f"{kind} {each.name}" for kind, items in sections for each in items)
        self.read_tables = frozenset(each.name for each in settings.route_tables if each.is_read)
        policies = {each.name: each.tables or (DEFAULT_TABLE,) for each in settings.route_policies}
        self._regions = {each.name: policies.get(each.policy, ()) for each in settings.regions}
        self.wanted = [
            *((f"route-policy {each.name}", table) for each in settings.route_policies for table in each.tables),
            *((f"domain-route {each.name}", each.table) for each in settings.domain_routes if each.table),
        ]

    def has_same(self, other: Configured) -> bool:
        """Do rows that fit one of them fit the other?"""
        mine, others = (
            (each.names, each.read_tables, each._regions, each.wanted) for each in (self, other)
        )
        return mine == others

    def tables_of(self, region: str) -> tuple[str, ...]:
        """The tables by which a region goes on."""
        return self._regions.get(region, ())


def reference_faults(
    references: References, tables: Collection[str], configured: Configured | None
) -> Iterator[ReferenceFault]:
    """Each name that nothing has, and each circle. `configured`: None where the configuration is not known.

    A table that is read from a database counts as there: before it is read first, it is empty.
    """
    if configured is not None:
        tables = {*tables, *configured.read_tables}
    for table, named in references.items():
        for reference in named:
            kind, _, name = reference.partition(" ")
            if kind == "table":
                if name not in tables:
                    yield ReferenceFault(
                        table, reference, f"there is no table {name}", "add rows for it, or name another"
                    )
            elif configured is not None and reference not in configured.names:
                problem = f"rows of table {table} name {reference}, which is not configured"
                remedy = f"add a section `{reference}`, or import rows that name another"
                yield ReferenceFault(table, reference, problem, remedy)
    for owner, name in configured.wanted if configured is not None else ():
        if name not in tables:
            problem = f"{owner} names table {name}, which is not there"
            yield ReferenceFault("", "", problem, f"add rows for table {name}")
    yield from _circles(references, configured)


def _circles(references: References, configured: Configured | None) -> Iterator[ReferenceFault]:
    """Each table is followed once, in depth; what leads to a table on the way there closes a circle."""
    done: set[str] = set()
    for start in references:
        if start in done:
            continue
        way: dict[str, Iterator[tuple[str, str]]] = {start: _steps(references.get(start, ()), configured)}
        # The reference by which each table on the way is left.
        by: dict[str, str] = {}
        while way:
            table = next(reversed(way))
            step = next(way[table], None)
            if step is None:
                del way[table]
                done.add(table)
                continue
            by[table], other = step
            if other in way:
                name = by[other].removeprefix("table ")
                problem = f"table {other} leads back to itself by {name}"
                yield ReferenceFault(other, by[other], problem, "remove one step")
            elif other not in done:
                way[other] = _steps(references.get(other, ()), configured)


def _steps(named: Collection[str], configured: Configured | None) -> Iterator[tuple[str, str]]:
    """Each (reference, table) that a table leads to."""
    for reference in named:
        kind, _, name = reference.partition(" ")
        if kind == "table":
            yield reference, name
        elif kind == "region" and configured is not None:
            for table in configured.tables_of(name):
                yield reference, table
