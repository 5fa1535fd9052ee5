"""Commands that ask before they act: `rollback`, `reload`, `system reboot`, typed and in scripts."""

from __future__ import annotations

import pytest

from tests.cli.shells import Answers, new_session, script
from tests.cli.stand_in import StandIn


def test_an_earlier_commit_comes_back(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    script(session, "enable", "conf t", "workers 2", "commit", "end", "rollback 1 confirm comment it was better")
    assert (stand_in.head.number, stand_in.head.text) == (3, "hostname box\n")
    script(session, "conf t", "rollback 2", "commit")
    assert stand_in.head.text == "hostname box\nworkers 2\n"
    assert "There is no commit 9" in script(session, "rollback 9").err


def test_a_rollback_shows_what_it_changes_and_asks(stand_in: StandIn) -> None:
    answers = Answers("maybe", "no", "yes")
    session = new_session(stand_in, answers)
    script(session, "enable", "conf t", "workers 2", "commit", "end")
    assert script(session, "rollback 1").status == 1
    assert answers.questions[0] == "- workers 2\nRoll back to commit 1? [yes/no] "
    assert stand_in.head.number == 2
    assert script(session, "rollback").status == 0
    assert stand_in.head.text == "hostname box\n"


def test_a_rollback_in_a_script_has_to_be_confirmed(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    script(session, "enable", "conf t", "workers 2", "commit", "end")
    ended = script(session, "rollback 1")
    assert ended.status == 1 and "type `rollback 1 confirm`" in ended.err and "- workers 2" in ended.err
    assert stand_in.head.number == 2


@pytest.mark.parametrize(("typed", "is_done"), [("", True), ("y", True), ("confirm", True), ("no", False)])
def test_a_reload_asks(stand_in: StandIn, typed: str, is_done: bool) -> None:
    answers = Answers(typed)
    session = new_session(stand_in, answers)
    ended = script(session, "enable", "reload")
    assert answers.questions == ["Proceed with reload? [confirm] "]
    assert ("reload" in [do for do, _ in stand_in.seen]) == is_done
    assert ended.status == (0 if is_done else 1)


def test_a_reload_in_a_script_has_to_be_confirmed(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    ended = script(session, "enable", "reload in 5")
    assert ended.status == 1 and "Type the same line with `confirm` at its end" in ended.err
    assert script(session, "reload in 5 confirm").status == 0
    assert [args for do, args in stand_in.seen if do == "reload"] == [{"minutes": 5}]


@pytest.mark.parametrize("name", ["system reboot", "system shutdown"])
def test_an_order_to_the_machine_asks(stand_in: StandIn, name: str) -> None:
    answers = Answers("no")
    assert script(new_session(stand_in, answers), "enable", name).status == 1
    assert answers.questions == [f"Proceed with {name}? [confirm] "]
    ended = script(new_session(stand_in), "enable", name)
    assert ended.status == 1 and "Type the same line with `confirm` at its end" in ended.err
    assert name not in [do for do, _ in stand_in.seen]
