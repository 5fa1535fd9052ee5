"""Differences between configurations, and the work of two operators joined."""

from __future__ import annotations

from appliance.catalogue.setting_declaration import Effect
from appliance.catalogue.settings import Settings
from appliance.configuration.diff import Change, changes, difference_lines, needs_restart
from appliance.configuration.merge import Conflict, Joined, join
from appliance.configuration.statements import statements_of, write_statements
from appliance.configuration.text import parse_configuration, write_configuration

BASE = """\
hostname box
domain example.com
listener phones
  address 192.0.2.1
  peer 192.0.2.9
!
listener trunk
  address 192.0.2.1
  port 5080
!
registrar
  expires default 1800
!
"""


def settings(text: str) -> Settings:
    return parse_configuration(text)


def joined(mine: str, theirs: str) -> Joined:
    return join(settings(BASE), settings(theirs), settings(mine))


def test_the_statements_are_the_text() -> None:
    assert write_statements(statements_of(settings(BASE))) == BASE == write_configuration(settings(BASE))


def test_a_difference_is_shown_under_its_section() -> None:
    changed = BASE.replace("  port 5080\n", "  port 5090\n").replace("domain example.com\n", "")
    assert difference_lines(settings(BASE), settings(changed)) == [
        "- domain example.com",
        "  listener trunk",
        "-   port 5080",
        "+   port 5090",
    ]
    assert difference_lines(settings(BASE), settings(BASE)) == []


def test_a_section_that_comes_is_shown_whole() -> None:
    changed = BASE + "listener new\n  port 6000\n"
    assert difference_lines(settings(BASE), settings(changed)) == ["+ listener new", "+   port 6000"]


def test_changes_say_what_each_takes() -> None:
    changed = BASE.replace("  port 5080\n", "  port 5090\n").replace("1800", "900").replace("phones", "people")
    assert changes(settings(BASE), settings(changed)) == [
        Change("listener phones", Effect.DRAIN, "removed", ""),
        Change("listener trunk port", Effect.DRAIN, "5080", "5090"),
        Change("listener people", Effect.DRAIN, "", "added"),
        Change("registrar expires default", Effect.LIVE, "1800", "900"),
    ]
    assert not needs_restart(settings(BASE), settings(changed))
    assert needs_restart(settings(BASE), settings(BASE + "digest\n  realm here\n"))


def test_what_each_has_changed_alone_is_all_there() -> None:
    mine = BASE.replace("1800", "900") + "timers\n  t1 400\n"
    theirs = BASE.replace("hostname box", "hostname other").replace("domain example.com", "domain example.net")
    both = joined(mine, theirs)
    assert both.conflicts == []
    found = settings(both.text)
    assert (found.hostname, found.domains) == ("other", ("example.net",))
    assert (found.registrar.expires_default_s, found.timers.t1_ms) == (900, 400)


def test_both_may_add_to_one_list() -> None:
    both = joined(BASE + "domain a.test\n", BASE + "domain b.test\n")
    assert both.conflicts == []
    assert settings(both.text).domains == ("example.com", "b.test", "a.test")


def test_one_line_changed_differently_is_a_conflict() -> None:
    both = joined(BASE.replace("5080", "5081"), BASE.replace("5080", "5082"))
    assert both.conflicts == [Conflict("listener trunk port", "port 5082", "port 5081")]


def test_one_line_changed_alike_is_none() -> None:
    both = joined(BASE.replace("5080", "5081"), BASE.replace("5080", "5081"))
    assert both == Joined(BASE.replace("5080", "5081"), [])


def test_a_section_removed_by_one_and_changed_by_the_other_is_a_conflict() -> None:
    without = BASE.replace("listener trunk\n  address 192.0.2.1\n  port 5080\n!\n", "")
    changed = BASE.replace("5080", "5081")
    assert joined(changed, without).conflicts == [Conflict("listener trunk port", "", "port 5081")]
    assert joined(without, changed).conflicts[0] == Conflict("listener trunk", "listener trunk", "")


def test_a_section_removed_by_one_alone_goes() -> None:
    without = BASE.replace("listener trunk\n  address 192.0.2.1\n  port 5080\n!\n", "")
    both = joined(without, BASE.replace("1800", "900"))
    assert both == Joined(without.replace("1800", "900"), [])
