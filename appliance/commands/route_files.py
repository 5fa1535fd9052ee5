"""Route tables as CSV in and out of the versions that a node keeps (docs/routing.md)."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from appliance.catalogue.settings import Settings
from appliance.management.errors import CommandFailed
from appliance.routing.route_csv import read_csv, rows_of, sort_key
from appliance.routing.route_file import RouteFileWriter
from appliance.routing.route_references import Configured, References
from appliance.routing.route_rows import COLUMNS, RoutesRefused
from appliance.routing.route_tables import RouteTables
from appliance.storage.route_changes import replace_others, return_to
from appliance.storage.route_store import RouteStore, RouteStoreFault

Row = tuple[str, ...]


def import_routes(store: RouteStore, path: Path, settings: Settings | None = None) -> str:
    """Replace all tables by those of a file, but for those that are read from a database. `settings`: those in force,
    if any are. Raises CommandFailed.
    """
    configured = None if settings is None else Configured(settings)
    kept = frozenset() if configured is None else configured.read_tables
    try:
        version = replace_others(store, lambda others: _read_file(path, configured, others), kept.__contains__)
        count = len(store.open(version))
    except RouteStoreFault as fault:
        raise CommandFailed(str(fault)) from None
    return f"Routes version {version} is in force: {_counted(count, 'prefix', 'prefixes')}."


def export_routes(store: RouteStore, output: TextIO) -> None:
    """Write the tables in force. Raises CommandFailed."""
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows_of(_tables(store, store.current())))


def rollback_routes(store: RouteStore, version: int | None, settings: Settings | None = None) -> str:
    """Put an earlier version in force: the one before, or that one. Tables that are read from a database stay as they
    are. `settings`: those in force, if any are. Raises CommandFailed.
    """
    read_tables = frozenset() if settings is None else Configured(settings).read_tables
    current = store.current()
    wanted = max([each for each in store.versions() if each < current], default=0) if version is None else version
    if wanted not in store.versions():
        kept = ", ".join(map(str, store.versions())) or "none"
        missing = "There is no earlier version of the routes" if version is None else f"There are no routes {version}"
        raise CommandFailed(f"{missing}; kept are: {kept}.")
    try:
        return_to(store, wanted, read_tables.__contains__)
    except (RouteStoreFault, RoutesRefused) as fault:
        raise CommandFailed(str(fault)) from None
    return f"Routes version {wanted} is in force."


def list_versions(store: RouteStore) -> Iterator[str]:
    """A line for each version that is kept."""
    current = store.current()
    for version in store.versions():
        yield f"{version}{' in force' if version == current else ''}"


def difference(store: RouteStore, path: Path) -> Iterator[str]:
    """What an import of that file would remove (-) and add (+). Raises CommandFailed."""
    old = _tables(store, store.current()) if store.current() else None
    new = RouteTables(memoryview(_read_file(path).octets()))
    for sign, row in _merged(rows_of(old) if old is not None else iter(()), rows_of(new)):
        yield f"{sign} {','.join(row)}"


def _merged(old: Iterator[Row], new: Iterator[Row]) -> Iterator[tuple[str, Row]]:
    """The rows of one prefix are compared as a whole, as their order counts."""
    before, after = _by_prefix(old), _by_prefix(new)
    left, right = next(before, None), next(after, None)
    while left or right:
        if right is None or (left is not None and sort_key(left[0]) < sort_key(right[0])):
            yield from (("-", row) for row in left or ())
            left = next(before, None)
        elif left is None or sort_key(right[0]) < sort_key(left[0]):
            yield from (("+", row) for row in right)
            right = next(after, None)
        else:
            if left != right:
                yield from (("-", row) for row in left)
                yield from (("+", row) for row in right)
            left, right = next(before, None), next(after, None)


def _by_prefix(rows: Iterator[Row]) -> Iterator[list[Row]]:
    group: list[Row] = []
    for row in rows:
        if group and group[0][:2] != row[:2]:
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def _tables(store: RouteStore, version: int) -> RouteTables:
    if not version:
        raise CommandFailed("There are no routes: use `signalbox routes import FILE.csv`.")
    try:
        return store.open(version)
    except RouteStoreFault as fault:
        raise CommandFailed(str(fault)) from None


def _read_file(
    path: Path, configured: Configured | None = None, others: References | None = None
) -> RouteFileWriter:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            return read_csv(lines, configured, others)
    except OSError as fault:
        raise CommandFailed(f"The file {path} cannot be read: {fault.strerror}.") from None
    except UnicodeDecodeError:
        raise CommandFailed(f"The file {path} is not UTF-8 text.") from None
    except RoutesRefused as refused:
        heading = f"{path} is not used, and the routes are unchanged:"
        raise CommandFailed("\n".join([heading, *(f"  {fault}" for fault in refused.faults)])) from None


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
