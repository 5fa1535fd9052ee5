"""What an interrupted run leaves is ended by the next one, and nothing else is."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.package.left_behind import end_left_behind, forget, record

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
