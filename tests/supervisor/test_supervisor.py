"""The supervisor with real processes, sockets and bus, and workers that know no SIP."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from appliance import clock
from appliance.catalogue.limit_settings import LimitSettings
from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.catalogue.supervision_settings import SupervisionSettings
from appliance.ipc.bus import ask_supervisor
from appliance.ipc.launch import WorkerLaunch
from appliance.messages.bus_messages import BusReply, Refusal
from appliance.messages.plain_values import plain
from appliance.messages.slots import deal, seed_of, slot_of
from appliance.messages.supervisor_requests import (
    ForgetSubscriber,
    RestartWorker,
    StatusReply,
    StatusRequest,
    WorkerChanged,
    WorkersTold,
)
from appliance.messages.worker_requests import ListCalls
from appliance.storage.flight_recorder import Recording
from appliance.supervisor.cycle_scheduler import CYCLE_S
from appliance.supervisor.decisions import restart_delay_s
from appliance.supervisor.listening_sockets import ListeningSockets
from appliance.supervisor.state_folder import StateFolder
from appliance.supervisor.supervisor import RUNNING, Supervisor
from appliance.supervisor.worker_pool import processes_of
from appliance.transport.process_id import SINGLE_NODE, worker_of
from tests.ports import free_port

PATIENCE_S = 300.0
WORKERS = 3
# What has to be quick has to be so once: a busy machine can make it slower, and never faster.
TRIES = 5
STAND_IN = str(Path(__file__).with_name("stand_in_worker.py"))
# A busy machine may keep a stand-in from its heartbeat for a while, and that is no hang.
LIMITS = SupervisionSettings(hang_ms=600, restart_delay_min_ms=100, restart_delay_max_ms=20_000, stop_s=1, drain_s=2)


class Node:
    """A supervisor that is stepped by the test."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        self.port = free_port()
        self.log: list[str] = []
        self.folder = StateFolder(state_dir)
        settings = Settings(
            workers=WORKERS,
            listeners=(ListenerSettings(port=self.port),),
            supervision=LIMITS,
            limits=LimitSettings(),
        )
        key, _ = self.folder.key()
        self.seed = seed_of(key)
        self.sockets = ListeningSockets(settings.listeners, WORKERS, 1 << 20)
        self.recording = Recording(1)
        launch = WorkerLaunch(-1, (), "", str(state_dir), key.hex())
        self.supervisor = Supervisor(
            settings, launch, WORKERS, self.sockets, self.recording, self.log.append, stand_in_command
        )

    def until(self, done: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> float:
        """Step until it is done; returns the seconds it took."""
        began = clock.monotonic()
        while not done():
            assert clock.monotonic() - began < patience_s, f"{what}: not within {patience_s} s; log: {self.log}"
            self.supervisor.step()
        return clock.monotonic() - began

    def start(self) -> None:
        self.until(lambda: self.states() == ["live"] * WORKERS, "all live")

    def report(self) -> dict[str, Any]:
        report: dict[str, Any] = plain(self.supervisor.node_status(clock.monotonic()))
        return report

    def worker(self, number: int) -> dict[str, Any]:
        report: dict[str, Any] = self.report()["workers"][number]
        return report

    def states(self) -> list[str]:
        return [worker["state"] for worker in self.report()["workers"]]

    def is_told_everywhere(self) -> bool:
        """Do all live workers know the table in force?"""
        report = self.report()
        live = [worker for worker in report["workers"] if worker["state"] == "live"]
        return all(worker["gauges"].get("epoch") == report["epoch"] for worker in live)

    def misbehave(self, how: str, number: int) -> Path:
        path = self.state_dir / f"{how}-{number}"
        path.touch()
        return path

    def close(self) -> None:
        self.supervisor.close()
        self.sockets.close()
        self.recording.close()
        self.folder.release()


def stand_in_command(launch: WorkerLaunch) -> list[str]:
    return [sys.executable, STAND_IN, str(launch.number)]


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with closing(Node(tmp_path)) as opened:
        yield opened


def test_all_workers_start_and_know_the_table(node: Node) -> None:
    node.start()
    node.until(node.is_told_everywhere, "told")
    assert [worker["slots"] for worker in node.report()["workers"]] == [86, 85, 85]
    node.until(lambda: all(w["gauges"]["live"] == WORKERS for w in node.report()["workers"]), "know each other")


def seconds_to_move_slots(node: Node, number: int, end: signal.Signals) -> float:
    """Until the others know that the slots of a worker that got `end` are theirs."""
    node.start()
    os.kill(node.worker(number)["pid"], end)
    return node.until(lambda: node.worker(number)["slots"] == 0 and node.is_told_everywhere(), "slots moved")


def test_a_crash_moves_the_slots_within_a_second_and_they_come_back(node: Node) -> None:
    assert any(seconds_to_move_slots(node, 1, signal.SIGKILL) < 1.0 for _ in range(TRIES))
    assert node.worker(0)["slots"] + node.worker(2)["slots"] == 256
    node.until(lambda: node.states() == ["live"] * WORKERS and node.is_told_everywhere(), "back again")
    assert node.supervisor.slots.table.owners == deal(processes_of(SINGLE_NODE, WORKERS)).owners
    assert node.worker(1)["restarts"] >= 1
    assert any("killed by SIGKILL" in line for line in node.log)


def test_a_hang_moves_the_slots_within_a_second_and_the_worker_is_killed(node: Node) -> None:
    assert any(seconds_to_move_slots(node, 2, signal.SIGSTOP) < 1.0 for _ in range(TRIES))
    node.until(lambda: node.states() == ["live"] * WORKERS, "back again")
    assert any(line.startswith("Worker 2 sent no heartbeat for") for line in node.log)


def test_datagrams_follow_the_slots(node: Node) -> None:
    """The stand-ins do not read, so a datagram stays in the socket of the worker the kernel chose."""
    node.start()
    os.kill(node.worker(0)["pid"], signal.SIGKILL)
    node.until(lambda: node.worker(0)["slots"] == 0, "slots moved")
    if node.report()["alarms"] and "does not steer" in node.report()["alarms"][0]:
        pytest.skip(node.report()["alarms"][0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        for number in range(40):
            owner = node.supervisor.slots.table.owner_of(slot_of(b"call-%d" % number, node.seed))
            message = b"BYE sip:b@c SIP/2.0\r\nCall-ID: call-%d\r\nCSeq: 1 BYE\r\n\r\n" % number
            phone.sendto(message, ("127.0.0.1", node.port))
            with socket.socket(fileno=os.dup(node.sockets.sockets_of(worker_of(owner))[0][2])) as waiting:
                waiting.settimeout(PATIENCE_S)
                assert waiting.recv(1000) == message


def test_a_worker_that_keeps_crashing_is_started_at_ever_longer_intervals(node: Node) -> None:
    node.start()
    crash = node.misbehave("crash", 1)
    os.kill(node.worker(1)["pid"], signal.SIGKILL)
    starts: list[float] = []

    def notice() -> bool:
        if node.worker(1)["restarts"] > len(starts):
            starts.append(clock.monotonic())
        return len(starts) >= 4

    node.until(notice, "four restarts")
    pauses = [later - earlier for earlier, later in itertools.pairwise(starts)]
    # What a start takes comes on top, and on a busy machine that is any time.
    assert all(pause >= restart_delay_s(deaths, LIMITS) for deaths, pause in enumerate(pauses, start=2))
    assert "Worker 1 is down: exited with status 3." in node.report()["alarms"]
    assert node.worker(1)["slots"] == 0
    crash.unlink()
    node.until(lambda: node.states() == ["live"] * WORKERS, "back again")
    assert node.report()["alarms"] == []


def test_all_dead_at_once_are_all_started_again(node: Node) -> None:
    node.start()
    for worker in node.report()["workers"]:
        os.kill(worker["pid"], signal.SIGKILL)
    node.until(lambda: node.states() != ["live"] * WORKERS, "noticed")
    node.until(lambda: node.states() == ["live"] * WORKERS, "back again")
    assert [worker["restarts"] for worker in node.report()["workers"]] == [1, 1, 1]


def test_workers_that_never_get_ready_at_the_first_start_end_the_appliance(node: Node) -> None:
    for number in range(WORKERS):
        node.misbehave("crash", number)
    node.until(lambda: node.supervisor.status != RUNNING, "given up")
    assert node.supervisor.status == 1
    assert "No worker can be started" in " ".join(node.log)


def test_a_worker_that_has_not_been_heard_gets_no_slots_back(node: Node) -> None:
    node.start()
    late = node.misbehave("never-ready", 1)
    killed = node.worker(1)["pid"]
    os.kill(killed, signal.SIGKILL)
    node.until(lambda: node.worker(1)["pid"] not in (0, killed), "started again")
    node.until(lambda: node.worker(1)["uptime_s"] > 0.2, "started a while ago")
    assert node.worker(1)["slots"] == 0 and node.states()[1] == "starting"
    late.unlink()
    node.until(lambda: node.worker(1)["slots"] == 85, "slots back")


def test_a_drain_moves_the_slots_waits_for_the_transactions_and_starts_anew(node: Node) -> None:
    node.start()
    busy = node.misbehave("busy", 1)
    node.until(lambda: node.worker(1)["transactions"] == 4, "busy")
    before = node.worker(1)["pid"]
    answers: list[BusReply] = []
    asking = threading.Thread(
        target=lambda: answers.append(ask_supervisor(node.state_dir / "run", RestartWorker(1), PATIENCE_S))
    )
    asking.start()
    node.until(lambda: answers, "answered")
    asking.join()
    assert answers == [WorkerChanged(1, "draining", 4)]
    node.until(lambda: node.worker(1)["slots"] == 0, "slots moved")
    assert node.states()[1] == "draining"
    busy.unlink()
    node.until(lambda: node.states() == ["live"] * WORKERS, "back again")
    assert node.worker(1)["pid"] != before
    assert node.worker(1)["last_ending"] == "exited with status 0"


def test_questions_are_answered(node: Node) -> None:
    node.start()
    answers: list[BusReply] = []

    def ask_all() -> None:
        for question in (StatusRequest(), ForgetSubscriber(b"alice"), RestartWorker(9), ListCalls()):
            answers.append(ask_supervisor(node.state_dir / "run", question, PATIENCE_S))

    asking = threading.Thread(target=ask_all)
    asking.start()
    node.until(lambda: len(answers) == 4, "answered")
    asking.join()
    status, forgotten, unknown, odd = answers
    assert isinstance(status, StatusReply)
    node_status = status.status
    assert [worker.number for worker in node_status.workers] == [0, 1, 2]
    assert node_status.registrations == 7 and node_status.supervisor.sentence == "Workers 0, 1, 2 accept calls."
    assert all(worker.rss > 0 for worker in node_status.workers)
    assert forgotten == WorkersTold([0, 1, 2])
    assert unknown == Refusal("There is no worker 9.", "type a number from 0 to 2")
    assert odd == Refusal("The supervisor does not answer ListCalls.")


def test_totals_never_step_back_when_a_worker_dies(node: Node) -> None:
    node.start()

    def total() -> int:
        return int(next(iter(node.report()["counters"].values())))

    node.until(lambda: total() > 30, "some turns")
    before = total()
    os.kill(node.worker(0)["pid"], signal.SIGKILL)
    node.until(lambda: node.states()[0] != "live", "noticed")
    assert total() >= before
    node.until(lambda: node.states()[0] == "live", "back again")
    assert total() >= before


def test_stop_ends_every_worker_and_then_the_supervisor(node: Node) -> None:
    node.start()
    pids = [worker["pid"] for worker in node.report()["workers"]]
    node.supervisor.stop()
    node.until(lambda: node.supervisor.status != RUNNING, "stopped")
    assert node.supervisor.status == 0
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_worker_that_does_not_stop_is_killed_after_its_time(node: Node) -> None:
    node.misbehave("deaf", 0)
    node.start()
    node.supervisor.stop()
    node.until(lambda: node.supervisor.status != RUNNING, "stopped")
    assert "Worker 0 did not stop within 1 s; it is killed." in node.log


def test_a_second_stop_kills_at_once(node: Node) -> None:
    node.misbehave("deaf", 0)
    node.start()
    node.supervisor.stop()
    node.supervisor.step()
    node.supervisor.stop()
    node.until(lambda: node.supervisor.status != RUNNING, "stopped")
    assert "Worker 0 did not stop within 1 s; it is killed." not in node.log


def test_a_supervisor_that_was_held_up_kills_no_worker(node: Node) -> None:
    """It did not step for longer than a hang takes; the heartbeats that came meanwhile are old, not missing."""
    node.start()
    pids = [worker["pid"] for worker in node.report()["workers"]]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    threading.Event().wait(1.0)
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
    for _ in range(10):
        node.supervisor.step()
    assert [worker["pid"] for worker in node.report()["workers"]] == pids


def test_a_sign_of_life_is_enough(node: Node) -> None:
    """A worker tells how it is when there is time; that it lives is a store in the memory they share."""
    node.start()
    pids = [worker["pid"] for worker in node.report()["workers"]]
    for number in range(WORKERS):
        node.misbehave("mute", number)
    hang_s = LIMITS.hang_ms / 1000
    began = clock.monotonic()
    node.until(lambda: clock.monotonic() - began > hang_s, "what was sent before has come")
    turns = node.worker(0)["turn"]
    node.until(lambda: clock.monotonic() - began > 5 * hang_s, "a while")
    assert [worker["pid"] for worker in node.report()["workers"]] == pids
    assert node.worker(0)["turn"] <= turns + 1
    os.kill(pids[1], signal.SIGSTOP)
    node.until(lambda: node.worker(1)["slots"] == 0, "slots moved")
    assert any("Worker 1 sent no heartbeat" in line for line in node.log), node.log


def test_heartbeats_alone_are_no_reason_for_a_cycle(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    node.start()
    cycles: list[float] = []

    def counted(now: float) -> str:
        cycles.append(now)
        return run_cycle(now)

    run_cycle = node.supervisor.run_cycle
    monkeypatch.setattr(node.supervisor, "run_cycle", counted)
    node.until(lambda: len(cycles) > 3 and cycles[-1] - cycles[-2] > 3 * CYCLE_S, "calm")
    turns, pauses = node.worker(0)["turn"], len(cycles)
    took_s = node.until(lambda: node.worker(0)["turn"] >= turns + 60, "heartbeats")
    # A cycle a second, and a few restless ones where the machine was busy for a while.
    assert len(cycles) - pauses < max(30, took_s / CYCLE_S / 2)
