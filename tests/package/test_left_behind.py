"""What an interrupted run leaves is ended by the next one, and nothing else is."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.package.left_behind import end_left_behind, forget, record

SLEEP = ["sleep", "600"]
# No process has this number.
GONE = [2**22 + 1, 1]


@pytest.fixture
def machine() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(SLEEP) as process:
        yield process
        process.kill()


def alter(records: Path, **facts: list[int]) -> None:
    """Change what the only record says."""
    (path,) = records.glob("*-one")
    path.write_text(json.dumps({**json.loads(path.read_text()), **facts}))


def test_a_machine_of_a_run_that_is_no_more_is_ended(tmp_path: Path, machine: subprocess.Popen[bytes]) -> None:
    (tmp_path / "one/root").mkdir(parents=True)
    record(machine.pid, tmp_path / "one", tmp_path / "records")
    alter(tmp_path / "records", run=GONE)
    assert end_left_behind(tmp_path / "records") == [tmp_path / "one"]
    assert machine.wait(60) == -9
    assert not (tmp_path / "one").exists() and list((tmp_path / "records").iterdir()) == []


def test_a_machine_that_ended_before_its_run_leaves_no_folder(tmp_path: Path) -> None:
    (tmp_path / "one/root").mkdir(parents=True)
    record(0, tmp_path / "one", tmp_path / "records")
    alter(tmp_path / "records", run=GONE)
    assert end_left_behind(tmp_path / "records") == [tmp_path / "one"]
    assert not (tmp_path / "one").exists()


def test_a_machine_of_a_run_that_goes_on_is_left_alone(tmp_path: Path, machine: subprocess.Popen[bytes]) -> None:
    record(machine.pid, tmp_path / "one", tmp_path / "records")
    assert end_left_behind(tmp_path / "records") == [] and machine.poll() is None
    forget(tmp_path / "one", tmp_path / "records")
    assert list((tmp_path / "records").iterdir()) == []


def test_another_process_of_the_same_number_is_left_alone(tmp_path: Path, machine: subprocess.Popen[bytes]) -> None:
    record(machine.pid, tmp_path / "one", tmp_path / "records")
    alter(tmp_path / "records", run=GONE, machine=[machine.pid, 1])
    assert end_left_behind(tmp_path / "records") == [tmp_path / "one"] and machine.poll() is None
