"""The door at which the supervisor is asked, with real sockets and a supervisor that is made up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance import clock
from appliance.catalogue.node_status import NodeStatus
from appliance.ipc.bus import ask_supervisor
from appliance.messages.bus_messages import BusMessage, BusReply, BusRequest, Refusal
from appliance.messages.supervisor_requests import (
    CommitConfiguration,
    Committed,
    ForgetSubscriber,
    StatusReply,
    StatusRequest,
    WorkersTold,
)
from appliance.messages.worker_requests import Hello
from appliance.supervisor.control_endpoint import Questions

PATIENCE_S = 300.0


class MadeUp:
    """A supervisor, its crew and its configuration in one."""

    def __init__(self) -> None:
        self.askers: list[bytes] = []
        self.configuring = self.watching = self.worker_pool = self

    def node_status(self, now: float) -> NodeStatus:
        return NodeStatus("here")

    def tell_all(self, message: BusMessage) -> list[int]:
        return [0, 2]

    def commit(self, asker: bytes, request: CommitConfiguration, now: float) -> None:
        self.askers.append(asker)


@pytest.fixture
def node() -> MadeUp:
    return MadeUp()


@pytest.fixture
def questions(node: MadeUp, tmp_path: Path) -> Iterator[Questions]:
    supervisor: Any = node
    opened = Questions(supervisor, tmp_path)
    yield opened
    opened.close()


class Asking:
    """A client that asks one question."""

    def __init__(self, runtime_dir: Path, question: BusRequest[Any]) -> None:
        self.answer: BusReply | None = None
        self._thread = threading.Thread(target=self._ask, args=(runtime_dir, question))
        self._thread.start()

    def _ask(self, runtime_dir: Path, question: BusRequest[Any]) -> None:
        self.answer = ask_supervisor(runtime_dir, question, PATIENCE_S)

    def answered(self) -> BusReply | None:
        self._thread.join()
        return self.answer


def until(done: Callable[[], object]) -> None:
    give_up_at = clock.monotonic() + PATIENCE_S
    while not done():
        assert clock.monotonic() < give_up_at
        threading.Event().wait(0.002)


@pytest.mark.parametrize(
    ("question", "answer", "is_news"),
    [
        (StatusRequest(), StatusReply(NodeStatus("here")), False),
        (ForgetSubscriber(b"alice"), WorkersTold([0, 2]), True),
        (Hello(), Refusal("The supervisor does not answer Hello."), True),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_question_is_answered_and_a_look_disturbs_no_process(
    questions: Questions, tmp_path: Path, question: BusRequest[Any], answer: BusReply, is_news: bool
) -> None:
    asking = Asking(tmp_path, question)
    found: list[bool] = []

    def is_answered() -> bool:
        found.append(questions.answer_all(0.0))
        return asking.answer is not None

    until(is_answered)
    assert asking.answered() == answer
    assert any(found) == is_news


def test_a_commit_is_answered_later(questions: Questions, node: MadeUp, tmp_path: Path) -> None:
    asking = Asking(tmp_path, CommitConfiguration("", 0, "anna"))
    until(lambda: questions.answer_all(0.0) and node.askers)
    assert not asking.answer
    questions.reply(node.askers[0], Committed(3, []))
    assert asking.answered() == Committed(3, [])


def test_a_question_of_another_version_is_refused_and_counted(
    questions: Questions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its kind is unknown here: the asker is told at once, and not left to wait."""
    monkeypatch.setattr(StatusRequest, "kind", 999)
    asking = Asking(tmp_path, StatusRequest())
    until(lambda: questions.answer_all(0.0) or asking.answer is not None)
    assert asking.answered() == Refusal("The running appliance has another version.", "restart it")
    assert questions.door.skipped == 1
