"""Leaving configuration mode, or the shell, with uncommitted changes."""

from __future__ import annotations

import pytest

from tests.cli.shells import Answers, new_session, script
from tests.cli.stand_in import StandIn


def test_uncommitted_changes_are_not_lost_in_silence(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    ended = script(session, "enable", "conf t", "workers 2")
    assert ended.status == 1 and "uncommitted changes" in ended.err
    ended = script(session, "end")
    assert "Type `commit` to apply them or `abort` to discard them." in ended.err
    assert script(session, "abort", "show candidate").status == 1
    assert session.prompt == "box#"


@pytest.mark.parametrize(
    ("answer", "commits", "prompt"), [("yes", 2, "box#"), ("no", 1, "box#"), ("cancel", 1, "box(config)#")]
)
def test_who_leaves_with_changes_is_asked(stand_in: StandIn, answer: str, commits: int, prompt: str) -> None:
    session = new_session(stand_in, Answers(answer))
    script(session, "enable", "conf t", "workers 2", "end")
    assert (stand_in.head.number, session.prompt) == (commits, prompt)


@pytest.mark.parametrize("nonsense", ["", "show run", "commit", "x", "yes please", "nope"])
def test_only_yes_no_and_cancel_answer_whether_to_commit(stand_in: StandIn, nonsense: str) -> None:
    answers = Answers(nonsense, "cancel")
    session = new_session(stand_in, answers)
    script(session, "enable", "conf t", "workers 2", "end")
    assert len(answers.questions) == 2
    assert session.candidate is not None and session.candidate.is_changed


@pytest.mark.parametrize(("answer", "head"), [("y", 2), ("YES", 2), ("n", 1), ("No", 1)])
def test_an_answer_may_be_shortened(stand_in: StandIn, answer: str, head: int) -> None:
    session = new_session(stand_in, Answers(answer))
    script(session, "enable", "conf t", "workers 2", "end")
    assert (stand_in.head.number, session.candidate) == (head, None)


@pytest.mark.parametrize("line", ["do quit", "do logout", "do exit"])
def test_no_way_out_of_the_shell_throws_changes_away(stand_in: StandIn, line: str) -> None:
    answers = Answers("cancel")
    session = new_session(stand_in, answers)
    script(session, "enable", "conf t", "workers 2", line)
    assert answers.questions and session.candidate is not None and not session.is_over
    session.asker = Answers("no")
    script(session, line)
    assert session.candidate is None
