"""New tables beside those that stay: a table that was read from a database, or all others from a file.

What stays is copied from the version in force. Should another version come into force meanwhile, it is done again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from appliance.catalogue.settings import Settings
from appliance.routing.route_file import RULES_MAX, RouteFileWriter
from appliance.routing.route_references import Configured, ReferenceFault, References, reference_faults
from appliance.routing.route_rows import RouteRows, RoutesRefused
from appliance.routing.route_tables import RouteTables
from appliance.storage.route_store import RoutesChanged, RouteStore, RouteStoreFault

ATTEMPTS: Final = 10


def replace_table(store: RouteStore, table: str, rows: RouteRows, settings: Settings) -> int:
    """Put the rows of one table in force, in the version that is; its number, 0 where they were in force already.

    Raises RoutesRefused and RouteStoreFault.
    """
    rows.writer.has_order = False
    rows.writer.columns_of(table)
    configured = Configured(settings)

    def with_others(current: RouteTables | None) -> RouteFileWriter | None:
        others = _references(current, (table,))
        tolerated = _faults_of_others(current, table, configured)
        new = RouteTables(memoryview(rows.checked(others, tolerated).octets()))
        if current is not None and table in current.names and current.has_same(table, new):
            return None
        return _joined([(new, (table,)), (current, others)])

    return _add(store, with_others, store.current)


def replace_others(
    store: RouteStore, read: Callable[[References], RouteFileWriter], stays: Callable[[str], bool]
) -> int:
    """Put tables in force in place of all but those that stay. `read`: them, given what the rows of those name.

    Raises what `read` raises, and RouteStoreFault.
    """

    def with_kept(current: RouteTables | None) -> RouteFileWriter:
        others = {} if current is None else {each: current.references[each] for each in current.names if stays(each)}
        writer = read(others)
        if not others:
            return writer
        return _joined([(RouteTables(memoryview(writer.octets())), writer.tables), (current, others)])

    return _add(store, with_kept)


def return_to(store: RouteStore, version: int, stays: Callable[[str], bool]) -> None:
    """Put the tables of an earlier version in force, in place of all but those that stay.

    Where what is in force cannot be read, nothing of it stays. Raises RouteStoreFault and RoutesRefused.
    """
    try:
        in_force = store.open_file(store.file_in_force()).names
    except RouteStoreFault:
        in_force = ()
    if not any(map(stays, in_force)):
        store.put_in_force(version)
        return

    def with_kept(current: RouteTables | None) -> RouteFileWriter:
        former = store.open(version)
        kept = [] if current is None else list(filter(stays, current.names))
        return _joined([(former, [each for each in former.names if each not in kept]), (current, kept)])

    _add(store, with_kept, lambda: version)


def _add(
    store: RouteStore,
    make: Callable[[RouteTables | None], RouteFileWriter | None],
    renewed: Callable[[], int] = lambda: 0,
) -> int:
    for _ in range(ATTEMPTS):
        file, version = store.file_in_force(), renewed()
        writer = make(store.open_file(file) if file else None)
        if writer is None:
            return 0
        try:
            return store.add(writer.octets(), file, version)
        except RoutesChanged:
            continue
    raise RouteStoreFault("The route tables change all the time; try again.")


def _references(current: RouteTables | None, without: Collection[str]) -> dict[str, tuple[str, ...]]:
    if current is None:
        return {}
    return {table: named for table, named in current.references.items() if table not in without}


def _faults_of_others(current: RouteTables | None, table: str, configured: Configured) -> set[ReferenceFault]:
    """What is wrong already, and not by that table."""
    if current is None:
        return set(reference_faults({}, (), configured))
    return {fault for fault in reference_faults(current.references, current.names, configured) if fault.table != table}


def _joined(parts: list[tuple[RouteTables | None, Collection[str]]]) -> RouteFileWriter:
    """The named tables of each part. Raises RoutesRefused where they are too many."""
    writer = RouteFileWriter()
    for tables, names in parts:
        if tables is not None:
            for name in names:
                _copy(tables, name, writer)
    return writer


def _copy(tables: RouteTables, name: str, writer: RouteFileWriter) -> None:
    keys, rows = writer.columns_of(name)
    for reference in tables.references[name]:
        writer.refer(name, reference)
    for key, texts in tables.texts_of(name):
        for text in texts:
            keys.append(key)
            rows.append(writer.row_number(text))
    writer.rule_count += len(keys)
    if writer.rule_count > RULES_MAX:
        raise RoutesRefused([f"There are too many rows; a node holds {RULES_MAX}."])
