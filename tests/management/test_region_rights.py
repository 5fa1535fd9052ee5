"""An operator of a region sees all, and changes only what belongs to it: in every command and commit."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from appliance.catalogue.settings import Settings
from appliance.configuration.text import parse_configuration
from appliance.management.appliance_client import ApplianceClient, Call
from appliance.management.arguments import Arguments
from appliance.management.errors import Refused
from appliance.management.region_rights import check_region_commit
from appliance.management.requests import REQUESTS, check_right
from appliance.management.route_check import check_routes, route_warnings
from appliance.management.sessions import ADMIN, Session, look_up_rights, new_session, take_machine_account
from appliance.management.tasks import configuration
from appliance.management.tasks.route_import import put_in_force
from appliance.routing.route_csv import read_csv, rows_of
from appliance.storage.commits import CommitStore
from appliance.storage.route_store import RouteStore

TEXT = """
listener main
  role core
operator eve
  role admin
  region east
operator ann
  role admin
translation east-out
  number ^00 +
translation west-out
  number ^00 +
route-policy east
  table east
route-policy west
  source 192.0.2.0/24
  table west
region east
  policy east
  table east
  table east-spare
  owns translation east-out
  owns route-policy east
  owns condition night
"""


def changed(old: str, new: str) -> tuple[Settings, Settings]:
    """The configuration, and the same with other lines."""
    assert old in TEXT
    return parse_configuration(TEXT), parse_configuration(TEXT.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("translation east-out\n  number ^00 +", "translation east-out\n  number ^0 +49"),
        ("route-policy east\n  table east", "route-policy east\n  table east-spare\n  country-code 1"),
        ("operator eve", "condition night\n  method INVITE\noperator eve"),
    ],
)
def test_what_belongs_to_the_region_may_be_changed(old: str, new: str) -> None:
    check_region_commit("east", *changed(old, new))


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("translation west-out\n  number ^00 +", "translation west-out\n  number ^0 +49", "translation west-out"),
        ("listener main", "hostname east\nlistener main", "hostname east"),
        # Rights are not the operator's own to give.
        ("  region east\noperator ann", "operator ann", "operator eve region east"),
        ("  owns condition night", "  owns translation west-out", "region east"),
        ("operator ann\n  role admin\n", "", "operator ann"),
        ("  role core", "  role core\n  relay any", "listener main relay any"),
        ("operator ann", "lookup mine\noperator ann", "lookup mine"),
        # Calls of others, and tables of others.
        ("route-policy east\n  table east", "route-policy east\n  source 10.0.0.0/8\n  table east", "source"),
        ("route-policy east\n  table east", "route-policy east\n  listener main\n  table east", "listener"),
        ("route-policy east\n  table east", "route-policy east\n  table west", "table west"),
    ],
)
def test_what_does_not_is_refused_by_name(old: str, new: str, named: str) -> None:
    former, wanted = changed(old, new)
    with pytest.raises(Refused, match="does not belong to region east") as refused:
        check_region_commit("east", former, wanted)
    assert named in refused.value.message
    # Who is confined to no region may.
    check_region_commit("", former, wanted)


def session_of(user: str, settings: Settings) -> Session:
    session = new_session(1000, 0, user)
    take_machine_account(session, settings)
    session.right = ADMIN
    return session


class _Desk:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings


class _Call:
    def __init__(self, session: Session, settings: Settings) -> None:
        self.session, self.client = session, _Desk(settings)


@pytest.mark.parametrize("do", sorted(do for do, request in REQUESTS.items() if request.right == ADMIN))
def test_every_other_command_that_changes_something_is_refused(do: str) -> None:
    settings = parse_configuration(TEXT)
    call: Any = _Call(session_of("eve", settings), settings)
    of_all: Any = _Call(session_of("ann", settings), settings)
    check_right(do, REQUESTS[do], of_all)
    if REQUESTS[do].is_regional:
        check_right(do, REQUESTS[do], call)
        return
    with pytest.raises(Refused, match="not for operators of region east"):
        check_right(do, REQUESTS[do], call)


def test_all_is_seen() -> None:
    settings = parse_configuration(TEXT)
    call: Any = _Call(session_of("eve", settings), settings)
    for do, request in REQUESTS.items():
        if request.right != ADMIN:
            check_right(do, request, call)


def test_a_confinement_holds_for_sessions_that_are_open() -> None:
    settings = parse_configuration(TEXT)
    session = session_of("ann", settings)
    look_up_rights(session, parse_configuration(TEXT.replace("operator ann\n", "operator ann\n  region east\n")))
    assert session.region == "east"


def test_what_is_not_the_regions_is_not_even_tried(tmp_path: Path) -> None:
    """A new database would be opened, and a file made where there is none."""
    settings = parse_configuration(TEXT)
    CommitStore(tmp_path / "configuration").add(TEXT, "ann", "", 1.0)
    arguments = Arguments({"text": f"subscribers database sqlite:///{tmp_path}/people.sqlite3\n{TEXT}", "base": 1})
    link: Any = None
    call: Any = Call(ApplianceClient(tmp_path, settings, link), session_of("eve", settings), arguments, link)
    with pytest.raises(Refused, match="does not belong to region east"):
        asyncio.run(configuration.commit(call))
    assert not (tmp_path / "people.sqlite3").exists()


# -- secrets -----------------------------------------------------------------------------------------

SECRET = f"scrypt:16384:8:1:{'0a' * 16}:{'5b' * 32}"
WITH_SECRETS = f"enable secret {SECRET}\nsubscribers database postgresql://box:tiger@db/sip\n{TEXT}"


def asked(folder: Path, user: str, **arguments: object) -> Any:
    settings = parse_configuration(WITH_SECRETS)
    store = CommitStore(folder / "configuration")
    if store.head is None:
        store.add(WITH_SECRETS, "ann", "", 1.0)
    link: Any = None
    return Call(ApplianceClient(folder, settings, link), session_of(user, settings), Arguments(arguments), link)


def shown_to(folder: Path, user: str) -> str:
    """`show running-config`."""
    text = asyncio.run(configuration.show_running(asked(folder, user)))["text"]
    assert isinstance(text, str)
    return text


def test_secrets_that_one_may_not_set_are_not_shown(tmp_path: Path) -> None:
    shown = shown_to(tmp_path, "eve")
    assert "enable secret <hidden>\n" in shown and "postgresql://box:<hidden>@db/sip\n" in shown
    assert SECRET in shown_to(tmp_path, "ann")


def test_what_is_shown_is_edited_and_the_secrets_stay(tmp_path: Path) -> None:
    edited = shown_to(tmp_path, "eve").replace("number ^00 +", "number ^000 +", 1)
    call = asked(tmp_path, "eve", text=edited, base=1)
    assert asyncio.run(configuration.diff(call))["diff"] == [
        "  translation east-out",
        "-   number ^00 +",
        "+   number ^000 +",
    ]
    assert asyncio.run(configuration.check(call))["faults"] == []
    assert asyncio.run(configuration.rebase(call))["text"] == edited


def test_no_refusal_tells_a_secret(tmp_path: Path) -> None:
    for text in (TEXT, WITH_SECRETS.replace("tiger", "lion"), WITH_SECRETS.replace("5b", "6c")):
        with pytest.raises(Refused, match="<hidden>") as refused:
            asyncio.run(configuration.commit(asked(tmp_path, "eve", text=text, base=1)))
        assert not any(secret in str(refused.value) for secret in ("tiger", "lion", "5b5b", "6c6c"))


# -- a commit and the route tables -------------------------------------------------------------------

ROWS = ("table,prefix,action,translation", "default,+1,region east,", "east,any,sip:gw,east-out", "west,any,sip:gw,")


def test_a_commit_may_not_take_away_what_the_routes_need(tmp_path: Path) -> None:
    RouteStore(tmp_path).add(read_csv(ROWS).octets())
    former, wanted = changed("translation east-out\n  number ^00 +\n", "")
    with pytest.raises(Refused) as refused:
        check_routes(former, wanted, tmp_path)
    assert refused.value.message == (
        "Rows of table east name translation east-out, which is not configured. Nothing was changed."
    )
    assert refused.value.remedy == "add a section `translation east-out`, or import rows that name another"
    # What was wrong before refuses no other commit, and is told.
    check_routes(wanted, wanted, tmp_path)
    assert len(route_warnings(wanted, tmp_path)) == 1
    assert route_warnings(former, tmp_path) == []


def test_a_commit_may_not_close_a_circle(tmp_path: Path) -> None:
    RouteStore(tmp_path).add(read_csv(ROWS).octets())
    former, wanted = changed("route-policy east\n  table east", "route-policy east\n  table default")
    with pytest.raises(Refused, match="Table default leads back to itself by region east"):
        check_routes(former, wanted, tmp_path)


def test_without_route_tables_a_policy_may_be_written_first(tmp_path: Path) -> None:
    check_routes(Settings(), parse_configuration(TEXT), tmp_path)
    assert "there are no route tables" in route_warnings(parse_configuration(TEXT), tmp_path)[0]


# -- rows of route tables ----------------------------------------------------------------------------

OWN = "table,prefix,action\neast,+1212,sip:gw2\neast-spare,any,sip:gw3\n"


def test_rows_of_the_own_tables_are_replaced_and_the_others_stay(tmp_path: Path) -> None:
    store, settings = RouteStore(tmp_path), parse_configuration(TEXT)
    store.add(read_csv(ROWS).octets())
    assert put_in_force(OWN, "east", settings, tmp_path) == 2
    rows = [row[:3] for row in rows_of(store.open(2))]
    assert rows == [
        ("default", "+1", "region east"),
        ("east", "+1212", "sip:gw2"),
        ("east-spare", "any", "sip:gw3"),
        ("west", "any", "sip:gw"),
    ]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("west,any,sip:gw9", "Table west does not belong to region east; leave its rows out"),
        ("east,any,sip:gw\nnorth,any,sip:gw9", "Table north does not belong to region east"),
        ("east,any,table default", "leads back to itself"),
        ("east,any,nonsense", "Line 2: "),
        ("east-spare,any,sip:gw", "which is not there"),
    ],
)
def test_rows_of_other_tables_are_refused(tmp_path: Path, rows: str, words: str) -> None:
    store, settings = RouteStore(tmp_path), parse_configuration(TEXT)
    store.add(read_csv(ROWS).octets())
    with pytest.raises(Refused, match=words):
        put_in_force(f"table,prefix,action\n{rows}\n", "east", settings, tmp_path)
    assert store.current() == 1


def test_an_operator_of_all_regions_replaces_all_tables(tmp_path: Path) -> None:
    store, settings = RouteStore(tmp_path), parse_configuration(TEXT)
    store.add(read_csv(ROWS).octets())
    put_in_force("table,prefix,action\neast,any,sip:gw\nwest,any,sip:gw\n", "", settings, tmp_path)
    assert store.open(2).names == ("east", "west")


def test_the_command_is_for_operators_of_a_region_too() -> None:
    assert REQUESTS["import routes"].is_regional
    assert REQUESTS["import routes"].is_noted
