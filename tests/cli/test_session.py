"""One session: its history, its connection, its prompt, its aliases and its times."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from appliance.catalogue.command_declaration import Right
from cli.errors import Unreachable
from tests.cli.shells import Answers, new_session, script, wait_until
from tests.cli.stand_in import StandIn, standing_in


def test_the_history_holds_no_secrets(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    ended = script(session, "show clock", "enable", "subscriber add ann@x password tiger", "show history")
    assert ended.lines[-3:] == ["  show clock", "  enable", "  show history"]
    assert ("subscriber add", {"address": "ann@x", "password": "tiger"}) in stand_in.seen


def test_a_password_is_asked_for_twice(stand_in: StandIn) -> None:
    session = new_session(stand_in, Answers("a", "b", "a", "a"))
    assert "The passwords do not match" in script(session, "enable", "subscriber add ann@x").err
    assert script(session, "subscriber add ann@x").status == 0


def test_a_lost_connection_is_opened_anew_with_the_rights_and_the_candidate(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    script(session, "enable", "conf t", "workers 2")
    stand_in.hang_up()
    wait_until(lambda: not session.control.is_open)
    assert script(session, "commit").status == 0
    assert session.right is Right.ADMIN


def test_the_prompt_follows_the_hostname_and_the_right(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    script(session, "enable")
    stand_in.say(session={"hostname": "other", "right": "admin"})
    wait_until(lambda: session.prompt == "other#")
    stand_in.say(session={"hostname": "other", "right": "view"})
    wait_until(lambda: session.prompt == "other>")


def test_times_are_shown_in_the_zone_of_the_appliance(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    session = new_session(stand_in)
    assert "2025-11-24 11:00:00" in script(session, "show audit").out
    stand_in.say(session={"timezone": "Asia/Tokyo"})
    wait_until(lambda: "2025-11-25 01:00:00" in script(session, "show audit").out)
    stand_in.say(session={"timezone": ""})
    wait_until(lambda: "2025-11-24 11:00:00" in script(session, "show audit").out)
    monkeypatch.undo()
    time.tzset()


def test_a_session_that_is_ended_says_why(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    stand_in.say(over="The session was idle for 10 minutes.")
    stand_in.hang_up()
    wait_until(lambda: not session.control.is_open)
    assert session.is_over


def test_an_alias_stands_for_a_command(tmp_path: Path) -> None:
    aliases = {"w": "show workers", "show": "clear counters"}
    with standing_in(tmp_path, aliases=aliases) as stand_in:
        session = new_session(stand_in)
        assert script(session, "w | include live").lines == script(session, "show workers | include live").lines
        stand_in.say(session={"hostname": "box", "right": "view", "aliases": {"v": "show version"}})
        wait_until(lambda: "v" in session.aliases)
        assert script(session, "v").lines[0].split() == ["hostname", "box"]
        assert script(session, "w").status == 1


def test_no_appliance_answers(tmp_path: Path) -> None:
    with pytest.raises(Unreachable) as failure:
        new_session(StandIn(tmp_path / "run" / "control.sock"))
    assert "Start the appliance with `signalbox run`" in failure.value.lines()[0]
