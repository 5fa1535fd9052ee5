"""The door to the appliance: several requests at a time, streams that end, connections that are lost."""

from __future__ import annotations

import threading

import pytest

from cli.control import INBOX_MAX, Control, Inbox
from cli.errors import Refused, Unreachable, refusal, sentence
from tests.cli.stand_in import StandIn


@pytest.fixture
def control(stand_in: StandIn) -> Control:
    control = Control(stand_in.path)
    assert control.open()["hostname"] == "box"
    return control


def test_answers_find_their_requests(control: Control) -> None:
    items = control.stream("terminal monitor", {})
    assert next(items) == ("event", {"line": "12:00:00 supervisor: worker 1 is live"})
    assert control.ask("show version", {})["build"] == "compiled"
    assert control.ask("show commits", {"limit": 1})["commits"][0]["number"] == 1
    items.close()
    assert control.ask("show version", {})["build"] == "compiled"


def test_leaving_off_a_stream_cancels_it(stand_in: StandIn, control: Control) -> None:
    items = control.stream("debug sip", {})
    next(items)
    items.close()
    assert stand_in.cancelled.wait(60)


def test_ctrl_c_ends_a_stream_with_its_result(stand_in: StandIn, control: Control) -> None:
    items = control.stream("debug sip", {})
    next(items)
    assert items.throw(KeyboardInterrupt()) == ("result", {"shown": 5})
    assert list(items) == []
    assert stand_in.cancelled.is_set()


def test_a_refusal_has_words(control: Control) -> None:
    with pytest.raises(Refused) as refused:
        control.ask("nonsense", {})
    assert refused.value.lines() == ["% There is no request `nonsense`. Update the shell."]


def test_a_lost_connection_is_told_to_all_who_wait(stand_in: StandIn, control: Control) -> None:
    items = control.stream("terminal monitor", {})
    next(items)
    threading.Timer(0.1, stand_in.hang_up).start()
    with pytest.raises(Unreachable, match="lost"):
        next(items)
    with pytest.raises(Unreachable):
        control.ask("show version", {})
    assert control.open()["hostname"] == "box"


def test_an_appliance_that_does_not_answer_is_named(stand_in: StandIn, control: Control) -> None:
    with pytest.raises(Unreachable, match="did not answer within 0 seconds"):
        control.ask("debug sip", {}, timeout_s=0.2)


def test_the_oldest_answers_go_when_they_are_not_taken() -> None:
    inbox = Inbox()
    for number in range(INBOX_MAX + 5):
        inbox.put({"number": number})
    assert inbox.take(None) == {"number": 5}
    assert Inbox().take(0.01) is None


def test_words_of_refusals_are_sentences() -> None:
    assert sentence("type `enable`") == "Type `enable`."
    assert sentence("really, is it?") == "Really, is it?"
    assert sentence("alice@example.com has no registration") == "alice@example.com has no registration."
    assert sentence(" ") == ""
    assert refusal({"message": "no"}).lines() == ["% No."]
