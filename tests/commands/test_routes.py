"""`signalbox routes`: import is all or nothing, versions, export, diff and rollback."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from appliance.commands.route_files import difference, export_routes, import_routes, list_versions, rollback_routes
from appliance.management.errors import CommandFailed
from appliance.storage.route_store import VERSIONS_KEPT, RouteFollower, RouteStore, RouteStoreFault

HEAD = "table,prefix,action,priority,weight,strip,prepend,translation,condition\n"
ONE = HEAD + "default,+1,sip:gw1,0,1,0,,,\ndefault,+44,sip:gw2,0,1,0,,,\n"
OTHER = HEAD + "default,+1,sip:gw1,0,1,0,,,\ndefault,+1,sip:gw9,1,1,0,,,\ndefault,+49,sip:gw3,0,1,0,,,\n"


def _file(folder: Path, text: str) -> Path:
    path = folder / "routes.csv"
    path.write_text(text)
    return path


def _exported(store: RouteStore) -> str:
    output = io.StringIO()
    export_routes(store, output)
    return output.getvalue()


def test_what_is_imported_is_exported(tmp_path: Path) -> None:
    store = RouteStore(tmp_path)
    assert import_routes(store, _file(tmp_path, ONE)) == "Routes version 1 is in force: 2 prefixes."
    assert _exported(store) == ONE


def test_file_with_a_fault_changes_nothing(tmp_path: Path) -> None:
    store = RouteStore(tmp_path)
    import_routes(store, _file(tmp_path, ONE))
    with pytest.raises(CommandFailed, match=r"routes are unchanged:\n  Line 4: .*is not an action"):
        import_routes(store, _file(tmp_path, ONE + "default,+7,nonsense\n"))
    assert (_exported(store), store.versions()) == (ONE, [1])


def test_rollback_puts_an_earlier_version_in_force(tmp_path: Path) -> None:
    store = RouteStore(tmp_path)
    for text in (ONE, OTHER):
        import_routes(store, _file(tmp_path, text))
    assert rollback_routes(store, None) == "Routes version 1 is in force."
    assert _exported(store) == ONE
    assert list(list_versions(store)) == ["1 in force", "2"]
    with pytest.raises(CommandFailed, match="no earlier version"):
        rollback_routes(store, None)
    with pytest.raises(CommandFailed, match="There are no routes 7; kept are: 1, 2"):
        rollback_routes(store, 7)
    rollback_routes(store, 2)
    assert _exported(store) == OTHER


def test_difference_is_by_prefix(tmp_path: Path) -> None:
    store = RouteStore(tmp_path)
    import_routes(store, _file(tmp_path, ONE))
    assert list(difference(store, _file(tmp_path, OTHER))) == [
        "- default,+1,sip:gw1,0,1,0,,,",
        "+ default,+1,sip:gw1,0,1,0,,,",
        "+ default,+1,sip:gw9,1,1,0,,,",
        "- default,+44,sip:gw2,0,1,0,,,",
        "+ default,+49,sip:gw3,0,1,0,,,",
    ]
    assert list(difference(store, _file(tmp_path, ONE))) == []


def test_versions_are_bounded(tmp_path: Path) -> None:
    store = RouteStore(tmp_path)
    for _ in range(VERSIONS_KEPT + 3):
        import_routes(store, _file(tmp_path, ONE))
    assert store.versions() == list(range(4, VERSIONS_KEPT + 4))


def test_follower_keeps_what_it_has_when_the_new_version_is_damaged(tmp_path: Path) -> None:
    store = RouteStore(tmp_path)
    follower = RouteFollower(store)
    assert (follower.news(), follower.fault) == (None, "")
    import_routes(store, _file(tmp_path, ONE))
    tables = follower.news()
    assert tables is not None
    assert follower.news() is None
    import_routes(store, _file(tmp_path, OTHER))
    (tmp_path / "routes/routes-000002").write_bytes(b"nonsense")
    assert follower.news() is None
    assert "damaged" in follower.fault
    rollback_routes(store, 1)
    assert (follower.news(), follower.fault) == (None, "")
    match = tables.find("default", b"+1")
    assert match is not None


def test_what_cannot_be_read_is_not_taken_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "routes").write_text("")
    store = RouteStore(tmp_path)
    follower = RouteFollower(store)
    assert follower.news() is None
    assert follower.fault == f"The route tables in {tmp_path}/routes cannot be read: Not a directory."
    for ask in (store.versions, store.current):
        with pytest.raises(RouteStoreFault, match="Not a directory"):
            ask()


def test_there_is_nothing_to_export_before_the_first_import(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="There are no routes"):
        _exported(RouteStore(tmp_path))
