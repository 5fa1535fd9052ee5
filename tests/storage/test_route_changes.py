"""One table of a database beside those of a file: all of its rows or none, and nothing where nothing has changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.catalogue.lookup_settings import LookupSettings
from appliance.catalogue.route_table_settings import RouteTableSettings
from appliance.catalogue.routing_settings import RoutePolicySettings
from appliance.catalogue.settings import Settings
from appliance.commands.route_files import import_routes, rollback_routes
from appliance.management.errors import CommandFailed
from appliance.routing.route_csv import read_csv, rows_of
from appliance.routing.route_references import Configured
from appliance.routing.route_rows import RouteRows, RoutesRefused
from appliance.storage import route_changes
from appliance.storage.route_changes import replace_table
from appliance.storage.route_store import VERSIONS_KEPT, RouteFollower, RouteStore

SOURCE = RouteTableSettings("carriers", servers=("sqlite:////tmp/r.db",), statement="select prefix, action from r")
SETTINGS = Settings(route_tables=(SOURCE,), lookups=(LookupSettings("who"),))
FILE = "table,prefix,action\ndefault,any,table carriers\ndefault,+1,sip:gw1\n"
FORMER = [("default", "any", "table carriers"), ("default", "+1", "sip:gw1")]


def read(*rows: tuple[str, str], settings: Settings = SETTINGS) -> RouteRows:
    taken = RouteRows(Configured(settings), "Row")
    taken.take(("table", "prefix", "action"), 0)
    for number, row in enumerate(rows, 1):
        taken.take(("carriers", *row), number)
    return taken


def short(store: RouteStore) -> list[tuple[str, str, str]]:
    return [row[:3] for row in rows_of(store.open(store.current()))]  # type: ignore[misc]


@pytest.fixture
def store(tmp_path: Path) -> RouteStore:
    found = RouteStore(tmp_path)
    path = tmp_path / "routes.csv"
    path.write_text(FILE)
    import_routes(found, path, SETTINGS)
    return found


def test_a_read_table_stands_beside_the_others(store: RouteStore) -> None:
    assert replace_table(store, "carriers", read(("+44", "sip:gw2"), ("+33", "sip:gw3")), SETTINGS) == 1
    assert short(store) == [("carriers", "+33", "sip:gw3"), ("carriers", "+44", "sip:gw2"), *FORMER]


def test_the_same_rows_in_another_order_are_no_change(store: RouteStore) -> None:
    rows = [("+44", "sip:gw2"), ("+44", "sip:gw3"), ("+33", "sip:gw3")]
    assert replace_table(store, "carriers", read(*rows), SETTINGS) == 1
    assert replace_table(store, "carriers", read(*reversed(rows)), SETTINGS) == 0
    assert (store.current(), store.file_in_force()) == (1, "routes-000001.1")
    assert replace_table(store, "carriers", read(*rows[1:]), SETTINGS) == 1


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (("44x", "sip:gw2"), 'Row 2: "44x" is not a prefix'),
        (("+44", "call gw2"), "Row 2: "),
        (("+44", "table elsewhere"), "Row 2: there is no table elsewhere"),
        (("+44", "lookup customers"), "Row 2: rows of table carriers name lookup customers, which is not configured"),
        (("+44", "table default"), "leads back to itself"),
    ],
)
def test_a_bad_row_refuses_all(store: RouteStore, row: tuple[str, str], words: str) -> None:
    before = short(store)
    with pytest.raises(RoutesRefused, match=words):
        replace_table(store, "carriers", read(("+33", "lookup who"), row), SETTINGS)
    assert (short(store), store.current()) == (before, 1)


def test_an_import_keeps_the_table_and_does_not_write_it(store: RouteStore, tmp_path: Path) -> None:
    replace_table(store, "carriers", read(("+44", "sip:gw2")), SETTINGS)
    path = tmp_path / "routes.csv"
    path.write_text("table,prefix,action\nother,+1,sip:gw9\n")
    import_routes(store, path, SETTINGS)
    assert short(store) == [("carriers", "+44", "sip:gw2"), ("other", "+1", "sip:gw9")]
    path.write_text("table,prefix,action\ncarriers,+1,sip:gw9\n")
    with pytest.raises(CommandFailed, match="Table carriers is read from a database"):
        import_routes(store, path, SETTINGS)


def test_an_import_cannot_take_away_what_the_table_needs(store: RouteStore, tmp_path: Path) -> None:
    replace_table(store, "carriers", read(("+44", "sip:gw2")), SETTINGS)
    path = tmp_path / "routes.csv"
    path.write_text("table,prefix,action\nspare,any,sip:gw9\n")
    import_routes(store, path, SETTINGS)
    replace_table(store, "carriers", read(("+44", "table spare")), SETTINGS)
    path.write_text("table,prefix,action\nother,any,sip:gw9\n")
    with pytest.raises(CommandFailed, match="there is no table spare"):
        import_routes(store, path, SETTINGS)


def test_what_was_wrong_before_does_not_refuse_a_read(store: RouteStore) -> None:
    """A policy names a table that nothing has: that is not the fault of these rows."""
    settings = Settings(route_tables=(SOURCE,), route_policies=(RoutePolicySettings("p", tables=("missing",)),))
    assert replace_table(store, "carriers", read(("+44", "sip:gw2"), settings=settings), settings) == 1


def test_a_table_that_was_never_read_counts_as_there(tmp_path: Path) -> None:
    configured = Configured(SETTINGS)
    read_csv(FILE.splitlines(), configured)
    with pytest.raises(RoutesRefused, match="there is no table carriers"):
        read_csv(FILE.splitlines(), Configured(Settings()))


def test_an_import_meanwhile_is_not_lost(store: RouteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "routes.csv"
    path.write_text("table,prefix,action\ndefault,+7,sip:gw7\n")
    joined, calls = route_changes._joined, []

    def joined_late(*arguments: object) -> object:
        if not calls:
            calls.append(1)
            import_routes(store, path, SETTINGS)
        return joined(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(route_changes, "_joined", joined_late)
    assert replace_table(store, "carriers", read(("+44", "sip:gw2")), SETTINGS) == 2
    assert short(store) == [("carriers", "+44", "sip:gw2"), ("default", "+7", "sip:gw7")]


# -- versions ----------------------------------------------------------------------------------------


def test_reads_do_not_push_imports_out(store: RouteStore, tmp_path: Path) -> None:
    path = tmp_path / "routes.csv"
    path.write_text("table,prefix,action\ndefault,+7,sip:gw7\n")
    import_routes(store, path, SETTINGS)
    for number in range(2 * VERSIONS_KEPT):
        replace_table(store, "carriers", read(("+44", f"sip:gw{number}")), SETTINGS)
    assert (store.versions(), store.current()) == ([1, 2], 2)
    assert len(list((tmp_path / "routes").glob("routes-000002*"))) == 2
    # The rows of the database stay as they were read last.
    assert rollback_routes(store, None, SETTINGS) == "Routes version 1 is in force."
    assert short(store) == [("carriers", "+44", f"sip:gw{2 * VERSIONS_KEPT - 1}"), *FORMER]
    replace_table(store, "carriers", read(("+44", "sip:gw99")), SETTINGS)
    assert short(store) == [("carriers", "+44", "sip:gw99"), *FORMER]
    rollback_routes(store, 2, SETTINGS)
    assert short(store) == [("carriers", "+44", "sip:gw99"), ("default", "+7", "sip:gw7")]


def test_a_table_that_is_read_no_more_comes_back_as_it_was(store: RouteStore, tmp_path: Path) -> None:
    replace_table(store, "carriers", read(("+44", "sip:gw2")), SETTINGS)
    path = tmp_path / "routes.csv"
    path.write_text("table,prefix,action\ncarriers,+44,sip:gw3\n")
    import_routes(store, path)
    rollback_routes(store, 1, Settings())
    assert short(store) == [("carriers", "+44", "sip:gw2"), *FORMER]


def test_a_rollback_gets_away_from_tables_that_are_damaged(store: RouteStore, tmp_path: Path) -> None:
    replace_table(store, "carriers", read(("+44", "sip:gw2")), SETTINGS)
    path = tmp_path / "routes.csv"
    path.write_text("table,prefix,action\ndefault,+7,sip:gw7\n")
    import_routes(store, path, SETTINGS)
    (tmp_path / "routes" / store.file_in_force()).write_bytes(b"nonsense")
    rollback_routes(store, 1, SETTINGS)
    assert short(store) == [("carriers", "+44", "sip:gw2"), *FORMER]


def test_workers_hear_of_each_read(store: RouteStore) -> None:
    follower = RouteFollower(store)
    follower.news()
    replace_table(store, "carriers", read(("+44", "sip:gw2")), SETTINGS)
    tables = follower.news()
    assert tables is not None
    assert tables.find("carriers", b"+441") is not None
    assert follower.news() is None
