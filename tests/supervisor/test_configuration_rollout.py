"""A commit with real processes, sockets and bus, and workers that know no SIP: in force everywhere, or nowhere."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from appliance import clock
from appliance.catalogue.settings import Settings
from appliance.messages.bus_messages import BusReply, BusRequest, Prepared, Refusal
from appliance.messages.supervisor_requests import (
    COMMIT_ANSWER_S,
    CommitConfiguration,
    Committed,
    ConfirmCommit,
    Confirmed,
    DrainWorker,
    RestartWorker,
    SettingChange,
    UndrainWorker,
    WorkerChanged,
)
from appliance.storage.commits import CommitStore
from appliance.supervisor import commit_coordinator
from appliance.supervisor import configuration_rollout as reconfiguration
from appliance.supervisor.cluster_commits import DECISION_S
from appliance.supervisor.configuration_rollout import (
    ABANDON_TIMEOUT_S,
    EFFECT_TIMEOUT_S,
    PREPARE_TIMEOUT_S,
    START_TIMEOUT_S,
    Reconfiguration,
)
from cli.control import ANSWER_TIMEOUT_S
from tests.ports import free_port
from tests.supervisor.test_supervisor import WORKERS, Node

DELAYS = "  restart delay minimum 100\n  restart delay maximum 1000\n"
SUPERVISION = f"supervision\n  hang 600\n{DELAYS}  stop 1\n  drain 1\n!\n"
# Long enough for a busy machine to see it before it is over.
A_WHILE_S = 4
# What a worker does wrong, and what the operator hears.
WRONGS = [("refuse", "does not want to"), ("die", "exited"), ("silent", "was not ready")]


class Operated(Node):
    """A supervisor that is stepped by the test and takes orders."""

    def __init__(self, state_dir: Path) -> None:
        super().__init__(state_dir)
        self.answers: list[BusReply] = []
        self.supervisor.reply = lambda asker, answer: self.answers.append(answer)  # type: ignore[method-assign]
        CommitStore(state_dir / "configuration").add(self.text(WORKERS), "test", "", 1.0)
        self.supervisor.configuring._store = self.store = CommitStore(state_dir / "configuration")

    def text(self, workers: int, *ports: int, more: str = "") -> str:
        listeners = "".join(f"listener at-{port}\n  port {port}\n!\n" for port in (self.port, *ports))
        return f"workers {workers}\n{listeners}{SUPERVISION}{more}"

    def order(self, request: BusRequest[Any]) -> Any:
        """Ask and step until it is answered; the reply, or a Refusal."""
        self.answers.clear()
        answer = self.supervisor.questions.answer(b"asker", request, clock.monotonic())
        if answer is not None:
            return answer
        self.until(lambda: self.answers, f"{type(request).__name__} is answered")
        return self.answers[0]

    def commit(self, text: str, base: int | None = None, **args: Any) -> Any:
        assert self.store.head is not None
        return self.order(CommitConfiguration(text, self.store.head.number if base is None else base, "anna", **args))

    def configs(self) -> set[int]:
        """What the live workers go by."""
        return {worker["gauges"].get("config", 0) for worker in self.report()["workers"] if worker["state"] == "live"}

    def goes_by(self, text: str) -> bool:
        return self.configs() == {crc32(text.encode())}


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Operated]:
    with closing(Operated(tmp_path)) as opened:
        opened.start()
        yield opened


def test_a_commit_is_in_force_on_every_worker(node: Operated) -> None:
    text = node.text(WORKERS, more="registrar\n  expires default 900\n!\n")
    answer = node.commit(text, comment="shorter")
    assert answer.number == 2
    # The stand-ins were started without a text, so everything in it is a change.
    change = SettingChange("registrar expires default", "immediately", "3600", "900")
    assert change in answer.effects
    node.until(lambda: node.goes_by(text), "all go by it")
    assert (node.store.head.text, node.store.head.comment) == (text, "shorter")  # type: ignore[union-attr]
    assert node.report()["commit"] == 2


def test_a_commit_says_that_a_listener_is_shut_down_and_not_that_it_is_removed(node: Operated) -> None:
    second = f"listener second\n  address 127.0.0.1\n  port {free_port()}\n"
    node.commit(node.text(WORKERS, more=f"{second}!\n"))
    answer = node.commit(node.text(WORKERS, more=f"{second}  shutdown\n!\n"), base=2)
    change = SettingChange("listener second shutdown", "after draining", "off", "on")
    assert answer.effects == [change]


@pytest.mark.parametrize(("how", "why"), WRONGS)
def test_when_one_worker_does_not_prepare_nothing_changes_anywhere(
    node: Operated, how: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, port = node.configs(), free_port()
    told = node.misbehave(how, 1)
    with monkeypatch.context() as impatient:
        if how == "silent":
            impatient.setattr(reconfiguration, "PREPARE_TIMEOUT_S", 0.5)
        answer = node.commit(node.text(WORKERS, port))
    assert why in answer.sentence
    assert node.store.head is not None and node.store.head.number == 1
    told.unlink()
    node.until(lambda: node.states() == ["live"] * WORKERS, "all live")
    assert node.configs() == before
    assert len(node.sockets.groups) == 2, "the sockets of the attempt are closed"
    again = node.commit(node.text(WORKERS, port))
    assert again.number == 2, f"another attempt does not go well: {again}"


def test_a_refusal_does_not_wait_for_ever_for_a_worker_that_clings_to_its_sockets(
    node: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconfiguration, "ABANDON_TIMEOUT_S", 0.3)
    node.misbehave("clings", 1)
    assert "does not want to" in node.commit(node.text(WORKERS, free_port())).sentence
    assert node.states() == ["live"] * WORKERS
    assert node.commit(node.text(WORKERS - 2, more="timers\n  t1 400\n!\n")).sentence, "it still refuses"


def test_who_does_not_take_it_in_force_starts_anew_with_it(node: Operated, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconfiguration, "EFFECT_TIMEOUT_S", 0.5)
    stuck = node.misbehave("stuck", 2)
    text = node.text(WORKERS, more="timers\n  t1 400\n!\n")
    assert node.commit(text).number == 2
    stuck.unlink()
    node.until(lambda: node.states() == ["live"] * WORKERS and node.goes_by(text), "all go by it")
    assert node.worker(2)["restarts"] == 1


def test_new_listeners_are_passed_to_workers_that_run(node: Operated) -> None:
    node.commit(node.text(WORKERS, free_port()))
    node.until(lambda: all(w["gauges"].get("sockets") == 2 for w in node.report()["workers"]), "all have the sockets")
    assert [row["name"] for row in node.report()["listeners"]][1:] != []


def test_a_listener_that_goes_is_closed_after_its_drain(node: Operated) -> None:
    port = free_port()
    node.commit(node.text(WORKERS, port))
    node.commit(node.text(WORKERS).replace("drain 1", f"drain {A_WHILE_S}"))
    assert [(row["port"], row["standing"], row["transports"]) for row in node.report()["listeners"]] == [
        (node.port, "open", ["udp", "tcp"]),
        (port, "draining", ["udp"]),
    ]
    node.until(lambda: len(node.report()["listeners"]) == 1, "the listener is gone")


def test_a_listener_that_comes_back_while_its_end_is_due_keeps_its_sockets(node: Operated) -> None:
    port = free_port()
    both = node.text(WORKERS, more=f"listener other\n  port {port}\n  transport udp\n!\n")
    node.commit(both)
    node.commit(node.text(WORKERS))
    slow = node.misbehave("slow", 1)
    begun = clock.monotonic()
    assert node.supervisor.questions.answer(b"asker", CommitConfiguration(both, 3, "anna"), begun) is None
    node.until(lambda: clock.monotonic() - begun > 2.0, "its drain is over")
    slow.unlink()
    node.answers.clear()
    node.until(lambda: node.answers, "answered")
    (done,) = node.answers
    assert isinstance(done, Committed) and done.number == 4
    assert [(row["port"], row["standing"]) for row in node.report()["listeners"]][1:] == [(port, "open")]
    # No other process can have the port: it is ours.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other, pytest.raises(OSError):
        other.bind(("127.0.0.1", port))


def test_the_workers_become_more_and_fewer(node: Operated) -> None:
    node.commit(node.text(5))
    node.until(lambda: node.states() == ["live"] * 5 and node.is_told_everywhere(), "five live")
    node.until(lambda: [w["slots"] for w in node.report()["workers"]] == [52, 51, 51, 51, 51], "five share")
    node.commit(node.text(2))
    node.until(lambda: node.states() == ["live"] * 2, "two live")
    assert [worker["slots"] for worker in node.report()["workers"]] == [128, 128]
    turns = node.report()["counters"]["requests-received"]
    node.commit(node.text(3))
    assert node.report()["counters"]["requests-received"] >= turns, "what the retired have counted stays counted"
    node.until(lambda: [w["slots"] for w in node.report()["workers"]] == [86, 85, 85], "three share")


def test_a_commit_upon_something_else_is_refused(node: Operated) -> None:
    node.commit(node.text(WORKERS))
    answer = node.commit(node.text(WORKERS), base=1)
    assert (answer.sentence, answer.head) == ("Commit 2 was made in the meantime.", 2)


def test_a_port_that_is_taken_refuses_the_commit(node: Operated) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        answer = node.commit(node.text(7, other.getsockname()[1]))
    assert "in use by another program" in answer.sentence
    assert len(node.sockets.groups) == 2


def test_an_unconfirmed_commit_is_taken_back(node: Operated) -> None:
    before, text = node.text(WORKERS), node.text(WORKERS, more="timers\n  t1 300\n!\n")
    node.commit(text, confirm_s=A_WHILE_S)
    node.until(lambda: node.goes_by(text), "in force", A_WHILE_S)
    node.until(lambda: node.goes_by(before), "the former one is in force again")
    assert [commit.state for commit in node.store.latest(3)] == ["confirmed", "reverted", "confirmed"]
    assert node.store.head is not None and node.store.head.comment.endswith("reverted to commit 1")


def test_an_unconfirmed_commit_is_taken_back_in_time_although_the_clock_is_set(
    node: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operator who is cut off waits for so many minutes, and not for a time of day."""
    wall_time = clock.wall_time
    node.commit(node.text(WORKERS, more="timers\n  t1 300\n!\n"), confirm_s=A_WHILE_S)
    begun = clock.monotonic()
    node.until(lambda: clock.monotonic() - begun > 0.5, "a moment")
    monkeypatch.setattr(clock, "wall_time", lambda: wall_time() + 3600.0)
    node.until(lambda: clock.monotonic() - begun > 1.0, "a moment")
    assert node.report()["commit"] == 2
    monkeypatch.setattr(clock, "wall_time", lambda: wall_time() - 3600.0)
    node.until(lambda: node.report()["commit"] == 3, "the former one is in force again")


def test_a_confirmed_commit_stays(node: Operated) -> None:
    text = node.text(WORKERS, more="timers\n  t1 300\n!\n")
    node.commit(text, confirm_s=A_WHILE_S)
    blocked = node.commit(node.text(WORKERS))
    assert "is not confirmed yet" in blocked.sentence
    assert node.order(ConfirmCommit("anna")) == Confirmed(2)
    begun = clock.monotonic()
    node.until(lambda: clock.monotonic() - begun > A_WHILE_S + 0.5, "its time is over")
    assert node.goes_by(text)


def test_what_is_being_taken_back_cannot_be_confirmed_any_more(node: Operated) -> None:
    text = node.text(WORKERS, more="timers\n  t1 300\n!\n")
    node.commit(text, confirm_s=A_WHILE_S)
    slow = node.misbehave("slow", 1)
    node.until(lambda: node.supervisor.configuring.is_preparing, "it is taken back")
    assert isinstance(node.order(ConfirmCommit("anna")), Refusal)
    slow.unlink()
    node.until(lambda: node.report()["commit"] == 3, "it is taken back")
    assert [commit.state for commit in node.store.latest(3)] == ["confirmed", "reverted", "confirmed"]


def test_why_a_commit_cannot_be_taken_back_is_said(node: Operated) -> None:
    port = free_port()
    node.commit(node.text(WORKERS, more=f"listener other\n  port {port}\n  transport udp\n!\n"))
    node.commit(node.text(WORKERS), confirm_s=A_WHILE_S)
    # The stand-ins keep the socket, as a program that took the port would.
    node.until(lambda: len(node.report()["listeners"]) == 1, "the listener is gone")
    node.until(lambda: any("not confirmed in time" in line for line in node.log), "its time is over")
    (line,) = [line for line in node.log if "not confirmed in time" in line]
    assert "in use by another program" in line and "it is reverted" not in line
    assert node.report()["commit"] == 3


def test_a_disk_that_is_full_refuses_the_commit(node: Operated, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(fd: int) -> None:
        raise OSError(28, os.strerror(28))

    before = node.configs()
    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        answer = node.commit(node.text(WORKERS, more="timers\n  t1 300\n!\n"))
    assert "No space left on device" in answer.sentence
    assert node.configs() == before
    assert any("No space left" in alarm for alarm in node.report()["alarms"])
    node.commit(node.text(WORKERS, more="timers\n  t1 300\n!\n"))
    assert not any("No space left" in alarm for alarm in node.report()["alarms"])


def test_the_alarm_of_a_commit_that_could_not_be_kept_ends_with_its_cause(
    node: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(fd: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(commit_coordinator, "TRIAL_INTERVAL_S", 0.05)
    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        node.commit(node.text(WORKERS, more="timers\n  t1 300\n!\n"))
    node.until(lambda: not any("No space left" in alarm for alarm in node.report()["alarms"]), "the alarm is over")
    assert node.report()["commit"] == 1


def test_a_commit_waits_for_a_worker_that_starts(node: Operated) -> None:
    late = node.misbehave("late", 1)
    os.kill(node.worker(1)["pid"], signal.SIGKILL)
    node.until(lambda: node.states() == ["live", "starting", "live"], "it starts")
    text = node.text(WORKERS, more="timers\n  t1 300\n!\n")
    assert node.supervisor.questions.answer(b"asker", CommitConfiguration(text, 1, "anna"), clock.monotonic()) is None
    late.unlink()
    node.until(lambda: node.answers, "answered")
    (done,) = node.answers
    assert isinstance(done, Committed) and done.number == 2
    node.until(lambda: node.states() == ["live"] * WORKERS and node.goes_by(text), "all go by it")


def being_prepared(workers: int) -> Reconfiguration:
    """It has been sent to so many workers at the moment 0.0; one of them starts."""
    change = Reconfiguration(1, "", Settings(), [], lambda *_: None, lambda *_: True)
    change.prepare(range(workers), 0.0)
    return change


def test_the_time_to_prepare_begins_when_a_worker_runs() -> None:
    change = being_prepared(2)
    change.told(0, Prepared(1, ""))
    runs_at = PREPARE_TIMEOUT_S + 5.0
    assert change.late([1], runs_at) == [] and not change.refusals
    assert change.late([], runs_at + PREPARE_TIMEOUT_S - 0.1) == [] and not change.refusals
    change.told(1, Prepared(1, ""))
    assert change.is_prepared


def test_a_worker_that_runs_and_does_not_prepare_refuses_the_commit() -> None:
    change = being_prepared(1)
    change.late([0], PREPARE_TIMEOUT_S)
    change.late([], 2 * PREPARE_TIMEOUT_S)
    assert change.refusals == ["Worker 0 was not ready within 10 s."]


def test_a_worker_that_starts_is_not_waited_for_for_ever() -> None:
    change = being_prepared(1)
    change.late([0], START_TIMEOUT_S - 0.1)
    assert not change.refusals
    change.late([0], START_TIMEOUT_S)
    assert change.refusals == ["Worker 0 was still starting after 30 s."]


def test_who_asks_for_a_commit_waits_longer_than_any_may_take() -> None:
    """Otherwise it would be told nothing of a commit that is in force a moment later."""
    longest_s = START_TIMEOUT_S + PREPARE_TIMEOUT_S + DECISION_S + max(EFFECT_TIMEOUT_S, ABANDON_TIMEOUT_S)
    assert longest_s < COMMIT_ANSWER_S < ANSWER_TIMEOUT_S


def test_a_worker_that_ends_on_request_does_not_refuse_a_commit(node: Operated) -> None:
    """As they do one after another while they are restarted; the next one has what is in force by then."""
    slow = node.misbehave("slow", 0)
    silent = node.misbehave("silent", 2)
    text = node.text(WORKERS, more="timers\n  t1 300\n!\n")
    assert node.supervisor.questions.answer(b"asker", CommitConfiguration(text, 1, "anna"), clock.monotonic()) is None
    assert isinstance(node.supervisor.questions.answer(b"other", RestartWorker(2), clock.monotonic()), WorkerChanged)
    node.until(lambda: node.worker(2)["state"] == "absent", "it has ended")
    silent.unlink()
    slow.unlink()
    node.until(lambda: node.answers, "answered")
    (done,) = node.answers
    assert isinstance(done, Committed) and done.number == 2
    node.until(lambda: node.states() == ["live"] * WORKERS and node.goes_by(text), "all go by it")


def test_a_setting_that_needs_a_start_restarts_the_workers_one_after_another(node: Operated) -> None:
    node.commit(node.text(WORKERS))
    pids = [worker["pid"] for worker in node.report()["workers"]]
    node.commit(node.text(WORKERS, more="digest\n  realm here\n!\n"))
    least_live = WORKERS

    def is_done() -> bool:
        nonlocal least_live
        least_live = min(least_live, node.states().count("live"))
        return not set(pids) & {w["pid"] for w in node.report()["workers"]} and node.states() == ["live"] * WORKERS

    node.until(is_done, "all are new")
    assert least_live == WORKERS - 1


def test_a_drained_worker_owns_nothing_until_it_is_undrained(node: Operated) -> None:
    assert node.order(DrainWorker(1)).state == "drained"
    node.until(lambda: node.worker(1)["slots"] == 0, "no slots")
    assert node.worker(1)["state"] == "drained"
    node.order(UndrainWorker(1))
    node.until(lambda: [w["slots"] for w in node.report()["workers"]] == [86, 85, 85], "slots again")
    assert node.order(DrainWorker(9)) == Refusal("There is no worker 9.", "type a number from 0 to 2")


def test_a_restart_that_is_refused_says_what_to_do_and_no_state(node: Operated) -> None:
    for number in (1, 1, 9):
        answer = node.order(RestartWorker(number))
        if not isinstance(answer, Refusal):
            assert answer == WorkerChanged(1, "draining", 0)
            continue
        assert answer.remedy
    assert answer.sentence == "There is no worker 9."


def test_a_refused_commit_leaves_the_sockets_of_workers_that_drain(node: Operated) -> None:
    """They have them until they have ended, as the supervisor has."""
    node.misbehave("busy", WORKERS - 1)
    node.until(lambda: node.worker(WORKERS - 1)["transactions"] == 4, "busy")
    node.commit(node.text(1).replace("drain 1", f"drain {A_WHILE_S}"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        refused = node.commit(node.text(1, other.getsockname()[1]))
    assert "in use by another program" in refused.sentence
    assert node.states()[-1] == "draining"
    assert node.commit(node.text(1, free_port())).number == 3
    node.until(lambda: node.states() == ["live"], "one is left")
    assert all(len(group._sockets) == 1 for group in node.sockets.groups)


def test_a_killed_worker_starts_with_the_configuration_in_force(node: Operated) -> None:
    text = node.text(WORKERS, more="timers\n  t1 300\n!\n")
    node.commit(text)
    os.kill(node.worker(0)["pid"], signal.SIGKILL)
    node.until(lambda: node.states() == ["live"] * WORKERS and node.worker(0)["restarts"] == 1, "back again")
    assert node.goes_by(text)


