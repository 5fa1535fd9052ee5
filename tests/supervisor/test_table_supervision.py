"""The supervisor and the registration table: the persister is kept running, the lock watched, the table replaced."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from appliance import clock
from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.catalogue.supervision_settings import SupervisionSettings
from appliance.ipc.launch import PersisterLaunch, WorkerLaunch
from appliance.messages.plain_values import plain
from appliance.storage.durable_registrations import DurableRegistrations
from appliance.storage.flight_recorder import Recording
from appliance.storage.registrations import SharedTable
from appliance.storage.table_folder import TableFolder
from appliance.supervisor.listening_sockets import ListeningSockets
from appliance.supervisor.persister_process import PersisterProcess
from appliance.supervisor.state_folder import StateFolder
from appliance.supervisor.supervisor import RUNNING, Supervisor
from appliance.supervisor.supporting_processes import SupportingProcesses
from appliance.supervisor.table_supervision import TableSupervision
from tests.persister.registrations import register
from tests.ports import free_port

PATIENCE_S = 300.0
WORKERS = 2
STAND_IN = str(Path(__file__).with_name("stand_in_worker.py"))
LIMITS = SupervisionSettings(hang_ms=2000, restart_delay_min_ms=50, restart_delay_max_ms=20_000, stop_s=2)


class Node:
    """A supervisor with a table, stepped by the test."""

    def __init__(self, state_dir: Path, table_dir: Path, limits: SupervisionSettings = LIMITS) -> None:
        self.state_dir = state_dir
        self.log: list[str] = []
        self.folder = StateFolder(state_dir)
        listeners = (ListenerSettings(port=free_port()),)
        settings = Settings(workers=WORKERS, listeners=listeners, supervision=limits)
        key, _ = self.folder.key()
        self.sockets = ListeningSockets(settings.listeners, WORKERS, 1 << 20)
        self.recording = Recording(1)
        self.tables = TableFolder.prepared(table_dir)
        launch = PersisterLaunch(str(state_dir), str(table_dir), "")
        self.table = TableSupervision(self.tables, PersisterProcess(launch, self.log.append), self.log.append)
        self.supervisor = Supervisor(
            settings,
            WorkerLaunch(-1, (), "", str(state_dir), key.hex()),
            WORKERS,
            self.sockets,
            self.recording,
            self.log.append,
            lambda launch: [sys.executable, STAND_IN, str(launch.number)],
            supporting=SupportingProcesses(table=self.table),
        )

    def until(self, done: Callable[[], Any], what: str) -> float:
        began = clock.monotonic()
        while not done():
            assert clock.monotonic() - began < PATIENCE_S, f"{what}: not within {PATIENCE_S} s; log: {self.log}"
            self.supervisor.step()
        return clock.monotonic() - began

    def start(self) -> None:
        self.until(lambda: self.states() == ["live"] * WORKERS, "all live")

    def report(self) -> dict[str, Any]:
        report: dict[str, Any] = plain(self.supervisor.node_status(clock.monotonic()))
        return report

    def states(self) -> list[str]:
        return [worker["state"] for worker in self.report()["workers"]]

    def worker(self, number: int) -> dict[str, Any]:
        worker: dict[str, Any] = self.report()["workers"][number]
        return worker

    def persister(self) -> dict[str, Any]:
        """Its row of `show processes`; {} while it does not run."""
        return next((row for row in self.report()["processes"] if row["name"] == "persister"), {})

    def alarms(self) -> set[str]:
        return {row.name for row in self.supervisor.watching.alarms.rows()}

    def misbehave(self, how: str, number: int) -> None:
        (self.state_dir / f"{how}-{number}").touch()

    def stop(self) -> int:
        self.supervisor.stop()
        self.until(lambda: self.supervisor.status != RUNNING, "stopped")
        return self.supervisor.status

    def close(self) -> None:
        self.supervisor.close()
        self.sockets.close()
        self.recording.close()
        self.folder.release()


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with closing(Node(tmp_path / "state", tmp_path / "table")) as node:
        yield node


def test_workers_are_started_with_the_table_once_it_is_loaded(node: Node) -> None:
    assert node.supervisor.run_cycle(clock.monotonic()) == "The registration table is being loaded."
    assert [worker["pid"] for worker in node.report()["workers"]] == [0, 0]
    node.start()
    assert node.tables.current()
    assert node.table.directory == str(node.tables.directory(node.tables.current()))
    assert node.worker(0)["gauges"]["table"] == crc32(node.table.directory.encode())
    assert node.persister()["pid"] > 0


def test_a_persister_that_is_killed_is_started_again_and_the_table_stays(node: Node) -> None:
    node.start()
    workers, generation = [worker["pid"] for worker in node.report()["workers"]], node.tables.current()
    killed = node.persister()["pid"]
    os.kill(killed, signal.SIGKILL)
    node.until(lambda: "persister-down" in node.alarms(), "the alarm")
    node.until(lambda: node.persister().get("pid", killed) != killed, "another one")
    node.until(lambda: "persister-down" not in node.alarms(), "the end of the alarm")
    assert node.persister()["restarts"] == 1
    assert node.tables.current() == generation
    assert [worker["pid"] for worker in node.report()["workers"]] == workers


def test_a_persister_that_is_silent_is_killed(tmp_path: Path) -> None:
    limits = SupervisionSettings(heartbeat_ms=50, hang_ms=120, restart_delay_min_ms=50)
    with closing(Node(tmp_path / "state", tmp_path / "table", limits)) as node:
        # The workers are allowed to be slow here.
        node.until(lambda: node.table.is_loaded, "the table")
        stopped = node.persister()["pid"]
        os.kill(stopped, signal.SIGSTOP)
        node.until(lambda: node.persister().get("pid", stopped) != stopped, "another one")
        assert any("persister sent no heartbeat" in line for line in node.log)


def test_a_worker_that_hangs_in_a_write_to_the_table_is_killed_and_others_write(node: Node) -> None:
    node.start()
    pid = node.worker(1)["pid"]
    node.misbehave("holds", 1)
    node.until(lambda: node.worker(1)["pid"] not in (0, pid), "another worker 1")
    assert "table-writer-killed" in node.alarms()
    assert node.report()["counters"]["table-writers-killed"] == 1
    table = SharedTable.attach(Path(node.table.directory), 1000)
    register(table, range(10))
    assert len(table) == 10
    table.close()
    node.start()


def test_a_persister_that_hangs_in_a_write_to_the_table_is_killed(node: Node) -> None:
    node.start()
    process = node.table.persister.process
    assert process is not None
    # The thread of its work: any of its threads will do here.
    thread = max(int(entry.name) for entry in Path(f"/proc/{process.pid}/task").iterdir())
    node.table.writer_killed("", thread, clock.monotonic())
    node.until(lambda: node.persister().get("pid", process.pid) != process.pid, "another one")
    assert node.report()["counters"]["table-writers-killed"] == 1
    assert any("The persister held the lock" in line for line in node.log)


def test_a_writer_of_another_program_is_left_alone(node: Node) -> None:
    node.start()
    node.table.writer_killed("", os.getpid(), clock.monotonic())
    assert node.table.killed == 0
    node.until(lambda: "table-writer-killed" in node.alarms(), "the alarm")


def test_when_it_stops_all_is_on_the_disk_and_the_memory_is_given_back(node: Node) -> None:
    node.start()
    table = SharedTable.attach(Path(node.table.directory), 1000)
    register(table, range(10))
    table.close()
    assert node.stop() == 0
    assert not node.tables.path.exists()
    store = DurableRegistrations(node.state_dir / "registrations")
    assert len(store) == 10
    store.close()


def test_what_is_not_on_the_disk_stays_in_memory_for_the_next_start(node: Node, tmp_path: Path) -> None:
    node.start()
    table = SharedTable.attach(Path(node.table.directory), 1000)
    register(table, range(10))
    table.close()
    node.supervisor.stop()
    node.until(lambda: node.table._stop_by, "the persister is asked")
    node.table.persister.kill()
    node.until(lambda: node.supervisor.status != RUNNING, "stopped")
    if node.tables.path.exists():
        assert node.tables.current()
    else:
        # It was quicker than the kill.
        assert node.table.persister.last_ending == "exited with status 0"


def test_a_table_that_a_worker_finds_unsound_is_replaced_and_all_are_told(node: Node) -> None:
    node.start()
    table = SharedTable.attach(Path(node.table.directory), 1000)
    register(table, range(10))
    table.close()
    before, workers = node.table.directory, [worker["pid"] for worker in node.report()["workers"]]
    node.misbehave("finds", 0)
    node.until(lambda: node.table.directory != before, "another table")
    wanted = crc32(node.table.directory.encode())
    for number in range(WORKERS):
        node.until(lambda number=number: node.worker(number)["gauges"].get("table") == wanted, "all are told")
    assert [worker["pid"] for worker in node.report()["workers"]] == workers
    assert "table-rebuilt" in node.alarms()
    table = SharedTable.attach(Path(node.table.directory), 1000)
    assert len(table) == 10
    table.close()


def test_without_a_table_the_appliance_does_not_go_on_for_ever(node: Node) -> None:
    node.tables.remove()
    node.tables.path.write_text("no folder")
    node.until(lambda: node.supervisor.status != RUNNING, "the end")
    assert node.supervisor.status == 1
    assert any("table cannot be loaded" in line for line in node.log)
