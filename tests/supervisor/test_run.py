"""A whole supervisor process: started, refused, stopped by signals, killed."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from appliance import clock
from appliance.ipc.bus import ask_supervisor
from appliance.messages.supervisor_requests import StatusReply, StatusRequest
from appliance.storage.table_folder import TableFolder, folder_path
from tests.ports import free_port

PATIENCE_S = 300.0
HERE = Path(__file__).resolve()
PROGRAM = f"""
import sys
sys.path.insert(0, {str(HERE.parents[2])!r})
from pathlib import Path
from appliance.configuration.text import parse_configuration
from appliance.supervisor.run import run
from appliance.storage.commits import CommitStore
from appliance.storage.starting import starting
store = CommitStore(Path(sys.argv[1]) / "configuration")
text = "workers 2\\nlistener local\\n  port " + sys.argv[2] + "\\n"
start = starting(store, "the test", None if store.head else text, 1.0)
settings = parse_configuration(start.text)
sys.exit(run(settings, start, Path(sys.argv[1]), has_management=False,
             on_ready=lambda: print("ready", flush=True),
             command_line=lambda launch: [sys.executable, {str(HERE.with_name("stand_in_worker.py"))!r}]))
"""


class Appliance:
    """A supervisor in a process of its own."""

    def __init__(self, state_dir: Path, port: int) -> None:
        self.state_dir = state_dir
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(state_dir), str(port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_until_ready(self) -> None:
        assert self.process.stdout is not None
        readable, _, _ = select.select([self.process.stdout], [], [], PATIENCE_S)
        line = self.process.stdout.readline() if readable else ""
        assert line == "ready\n", self.process.communicate(timeout=PATIENCE_S)[1]

    def worker_pids(self) -> list[int]:
        reply = ask_supervisor(self.state_dir / "run", StatusRequest(), PATIENCE_S)
        assert isinstance(reply, StatusReply)
        return [worker.pid for worker in reply.status.workers]

    def end(self) -> tuple[int, str]:
        """(exit status, log)"""
        _, log = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, log

    def close(self) -> None:
        """Leave no process behind, whatever has failed."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()


Start = Callable[[Path, int], Appliance]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts an appliance on a state folder and a port; the end of the test ends it."""
    with ExitStack() as started:
        yield lambda state_dir, port: started.enter_context(closing(Appliance(state_dir, port)))


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def appliance(start: Start, tmp_path: Path, port: int) -> Appliance:
    started = start(tmp_path / "state", port)
    started.wait_until_ready()
    return started


def is_gone(pid: int) -> bool:
    """Not there, or dead and not yet reaped by the process that inherits it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def wait_until_gone(pids: list[int]) -> None:
    end = clock.monotonic() + PATIENCE_S
    while not all(is_gone(pid) for pid in pids):
        assert clock.monotonic() < end
        select.select([], [], [], 0.01)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_cleanly(appliance: Appliance, number: signal.Signals) -> None:
    pids = appliance.worker_pids()
    appliance.process.send_signal(number)
    status, log = appliance.end()
    assert status == 0 and "Stopped." in log and "Traceback" not in log
    assert all(is_gone(pid) for pid in pids)
    assert not list((appliance.state_dir / "run").glob("*.sock"))


def test_it_can_be_started_again_after_a_stop(appliance: Appliance, start: Start, port: int) -> None:
    appliance.process.send_signal(signal.SIGTERM)
    appliance.end()
    again = start(appliance.state_dir, port)
    again.wait_until_ready()
    again.process.send_signal(signal.SIGTERM)
    assert again.end()[0] == 0


def test_workers_end_with_a_killed_supervisor_and_the_port_is_free_again(
    appliance: Appliance, start: Start, port: int
) -> None:
    pids = appliance.worker_pids()
    appliance.process.kill()
    appliance.end()
    wait_until_gone(pids)
    again = start(appliance.state_dir, port)
    again.wait_until_ready()
    again.process.send_signal(signal.SIGTERM)
    assert again.end()[0] == 0


@pytest.fixture
def with_table(appliance: Appliance) -> Iterator[Appliance]:
    yield appliance
    appliance.close()
    TableFolder(folder_path(appliance.state_dir)).remove()


def processes(appliance: Appliance) -> dict[str, int]:
    status = ask_supervisor(appliance.state_dir / "run", StatusRequest(), PATIENCE_S).status
    return {row.name: row.pid for row in status.processes}


def test_the_table_in_memory_goes_with_a_clean_stop(with_table: Appliance) -> None:
    folder = folder_path(with_table.state_dir)
    assert TableFolder(folder).current()
    pids = processes(with_table)
    assert pids["persister"]
    with_table.process.send_signal(signal.SIGTERM)
    status, log = with_table.end()
    assert status == 0 and "Stopped." in log and "Traceback" not in log
    assert is_gone(pids["persister"])
    assert not folder.exists()


def test_the_table_in_memory_is_used_again_after_a_crash_of_all(
    with_table: Appliance, start: Start, port: int
) -> None:
    folder = TableFolder(folder_path(with_table.state_dir))
    generation, pids = folder.current(), processes(with_table)
    with_table.process.kill()
    with_table.end()
    wait_until_gone([pid for name, pid in pids.items() if name != "supervisor"])
    assert folder.current() == generation
    again = start(with_table.state_dir, port)
    again.wait_until_ready()
    assert folder.current() == generation
    again.process.send_signal(signal.SIGTERM)
    assert again.end()[0] == 0


def test_a_table_folder_of_others_is_refused_in_one_sentence(start: Start, tmp_path: Path, port: int) -> None:
    folder = folder_path(tmp_path / "state")
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    try:
        status, log = start(tmp_path / "state", port).end()
    finally:
        folder.rmdir()
    assert status == 1 and "can be used by other users" in log
    assert "Traceback" not in log


def test_a_second_appliance_on_the_folder_is_refused_in_one_sentence(appliance: Appliance, start: Start) -> None:
    status, log = start(appliance.state_dir, free_port()).end()
    assert status == 1 and f"(process {appliance.process.pid}) already uses" in log
    assert log.count("\n") == 1


def test_a_second_appliance_on_the_port_is_refused_with_a_sentence_for_each_transport(
    appliance: Appliance, start: Start, port: int, tmp_path: Path
) -> None:
    status, log = start(tmp_path / "another", port).end()
    assert status == 1
    assert f"UDP port {port} of 127.0.0.1 is in use" in log and f"TCP port {port} of 127.0.0.1 is in use" in log
    assert log.count("\n") == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_state_folder_that_may_not_be_written_is_one_sentence(start: Start, tmp_path: Path, port: int) -> None:
    tmp_path.chmod(0o500)
    status, log = start(tmp_path / "state", port).end()
    tmp_path.chmod(0o700)
    assert status == 1 and "cannot be used" in log and log.count("\n") == 1


def test_the_appliance_may_open_as_many_files_as_the_system_allows() -> None:
    """A login session often allows 1,024, which is less than `limits connections`."""
    program = (
        "from resource import RLIMIT_NOFILE, getrlimit, setrlimit\n"
        "from appliance.descriptors import raise_descriptor_limit\n"
        "most = getrlimit(RLIMIT_NOFILE)[1]; setrlimit(RLIMIT_NOFILE, (100, most)); raise_descriptor_limit()\n"
        "soft, hard = getrlimit(RLIMIT_NOFILE); assert soft == hard >= most"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
