"""Login and rights: accounts, the secret of `enable`, and a right that changes during a session."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cli.commands import run_command
from cli.control import Control
from cli.errors import Failed
from cli.session import Session
from tests.cli.shells import Answers, new_session, script, signalbox, wait_until
from tests.cli.stand_in import StandIn, standing_in


def test_rights(stand_in: StandIn) -> None:
    ended = script(new_session(stand_in), "clear counters")
    assert ended.status == 1 and "type `enable` first" in ended.err
    assert script(new_session(stand_in), "enable", "clear counters").status == 0
    session = new_session(stand_in)
    assert script(session, "enable", "disable", "clear counters").status == 1
    assert session.prompt == "box>"


def test_a_secret_is_asked_for_where_one_is_set(tmp_path: Path) -> None:
    with standing_in(tmp_path, secret="tiger") as stand_in:
        answers = Answers("tiger")
        session = new_session(stand_in, answers)
        assert script(session, "enable", "clear counters").status == 0
        assert answers.questions == ["Secret: "]
        assert script(new_session(stand_in, Answers("lion")), "enable").status == 1
        assert "terminal" in script(new_session(stand_in), "enable").err


def test_a_script_of_one_whom_the_kernel_knows_is_not_asked_for_the_secret(tmp_path: Path) -> None:
    with standing_in(tmp_path, secret="tiger") as stand_in:
        assert script(new_session(stand_in, is_script=True), "enable", "clear counters").status == 0
        state = str(stand_in.path.parents[1])
        done = signalbox("-m", "cli.main", "--state", state, "-c", "enable\nclear counters")
        assert done.returncode == 0, done.stderr
        assert stand_in.seen[-3][0] == "hello" and stand_in.seen[-3][1]["script"] is True


def test_the_address_of_ssh_is_said(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.7 50000 192.0.2.1 22")
    signalbox("-m", "cli.main", "--state", str(stand_in.path.parents[1]), "-c", "show clock")
    assert stand_in.seen[0][1]["address"] == "192.0.2.7"


def test_an_account_logs_in(tmp_path: Path) -> None:
    with standing_in(tmp_path, accounts={"ann": "tiger"}) as stand_in:
        answers = Answers("ann", "lion", "ann", "tiger")
        assert new_session(stand_in, answers).user == "ann"
        assert answers.questions[::2] == ["Username: ", "Wrong user or password. Username: "]
        with pytest.raises(Failed, match="Wrong user"):
            new_session(stand_in, Answers("ann", "a", "ann", "b", "ann", "c"))


def test_a_banner_is_shown_once_before_the_login(tmp_path: Path) -> None:
    shown: list[Any] = []
    with standing_in(tmp_path, accounts={"ann": "tiger"}, banner=["Authorized use only."]) as stand_in:
        answers = Answers("ann", "tiger", "ann", "tiger")
        session = Session(Control(stand_in.path), answers, run_command)
        session.terminal.greet = lambda lines: shown.append((lines, len(answers.questions)))
        session.connect()
        session.control.close()
        session.connect()
    assert shown == [(["Authorized use only."], 0)]


def test_a_right_that_is_gone_is_gone_from_the_prompt(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    script(session, "enable")
    stand_in.refusal = {"message": "`clear counters` changes something.", "remedy": "", "right": "view"}
    assert script(session, "clear counters").status == 1
    assert session.prompt == "box>"


def test_a_demoted_operator_sees_it_in_configuration_mode_and_is_asked_for_no_secret(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    script(session, "enable", "conf t", "listener phones")
    stand_in.say(session={"right": "view", "is_admin": False, "needs_secret": False})
    wait_until(lambda: session.prompt == "box(config-listener)>")
    asked = len(stand_in.seen)
    assert "The role of root is `view`." in script(session, "do enable").err
    assert len(stand_in.seen) == asked
    stand_in.say(session={"right": "view", "is_admin": True, "needs_secret": False})
    wait_until(lambda: "role" not in script(session, "do enable").err)
    assert session.prompt == "box(config-listener)#"
