"""What an interrupted run leaves is ended by the next one, and nothing else is."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.package.left_behind import end_left_behind, forget, record, started_at

SLEEP = ["sleep", "600"]


@pytest.fixture
def machine() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(SLEEP) as process:
        yield process
        process.kill()


def left(records: Path, pid: int) -> None:
    """Let the run that recorded it be gone."""
    facts = json.loads((records / str(pid)).read_text())
    (records / str(pid)).write_text(json.dumps({**facts, "run": [2**22 + 1, 1]}))


def test_a_machine_of_a_run_that_is_no_more_is_ended(tmp_path: Path, machine: subprocess.Popen[bytes]) -> None:
    (tmp_path / "one/root").mkdir(parents=True)
    record(machine.pid, tmp_path / "one", tmp_path / "records")
    left(tmp_path / "records", machine.pid)
    assert end_left_behind(tmp_path / "records") == [tmp_path / "one"]
    assert machine.wait(60) == -9
    assert not (tmp_path / "one").exists() and list((tmp_path / "records").iterdir()) == []


def test_a_machine_of_a_run_that_goes_on_is_left_alone(tmp_path: Path, machine: subprocess.Popen[bytes]) -> None:
    record(machine.pid, tmp_path / "one", tmp_path)
    assert end_left_behind(tmp_path) == [] and machine.poll() is None
    forget(machine.pid, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_another_process_of_the_same_number_is_left_alone(tmp_path: Path, machine: subprocess.Popen[bytes]) -> None:
    record(machine.pid, tmp_path / "one", tmp_path)
    left(tmp_path, machine.pid)
    facts = json.loads((tmp_path / str(machine.pid)).read_text())
    (tmp_path / str(machine.pid)).write_text(json.dumps({**facts, "machine": [machine.pid, 1]}))
    assert end_left_behind(tmp_path) == [tmp_path / "one"] and machine.poll() is None


def test_a_machine_ends_with_the_run_that_started_it() -> None:
    program = (
        "import subprocess, sys; from tests.package.left_behind import end_with_parent\n"
        f"print(subprocess.Popen({SLEEP}, preexec_fn=end_with_parent, stdout=subprocess.DEVNULL).pid, flush=True)\n"
        "sys.stdin.read()"
    )
    root = str(Path(__file__).parents[2])
    argv = [sys.executable, "-c", f"import sys; sys.path.insert(0, {root!r})\n{program}"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        pid = int(run.stdout.readline())
        assert started_at(pid)
        run.kill()
        run.wait()
        for _ in range(600):
            if not started_at(pid) or Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return
            try:
                subprocess.run(["tail", f"--pid={pid}", "-f", "/dev/null"], timeout=0.1, check=False)
            except subprocess.TimeoutExpired:
                continue
    pytest.fail("it goes on")
