"""What a commit would break in the route tables of the node: names that rows need, tables that it names itself."""

from __future__ import annotations

from pathlib import Path

from appliance.catalogue.settings import Settings
from appliance.management.errors import Refused
from appliance.routing.route_references import Configured, ReferenceFault, reference_faults
from appliance.storage.route_store import RouteStore, RouteStoreFault


def check_routes(former: Settings, wanted: Settings, state_dir: Path) -> None:
    """Raises Refused, with all that is wrong and was not before."""
    before = set(_faults(former, state_dir))
    faults = [fault for fault in _faults(wanted, state_dir) if fault not in before]
    if faults:
        first = faults[0]
        values = [{"line": 0, "column": 0, "problem": each.problem, "remedy": each.remedy} for each in faults]
        sentence = f"{first.problem[0].upper()}{first.problem[1:]}. Nothing was changed."
        raise Refused(sentence, first.remedy, faults=values)


def route_warnings(settings: Settings, state_dir: Path) -> list[str]:
    """A sentence for each name that nothing has: what was wrong before a commit does not refuse it."""
    store = RouteStore(state_dir)
    configured = Configured(settings)
    missing = [each for each in configured.wanted if each[1] not in configured.read_tables]
    try:
        has_tables = bool(store.current())
    except RouteStoreFault as fault:
        return [str(fault)]
    if not has_tables and missing:
        owner, table = missing[0]
        return [f"{owner} names table {table}, and there are no route tables. Use `signalbox routes import`."]
    return [f"{each.problem[0].upper()}{each.problem[1:]}: {each.remedy}." for each in _faults(settings, state_dir)]


def _faults(settings: Settings, state_dir: Path) -> list[ReferenceFault]:
    """Those of the tables in force; none where there are no tables, or (an alarm says so) they cannot be read."""
    store = RouteStore(state_dir)
    try:
        version = store.current()
        tables = store.open(version) if version else None
    except RouteStoreFault:
        return []
    return [] if tables is None else list(reference_faults(tables.references, tables.names, Configured(settings)))
