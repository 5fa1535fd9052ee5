"""Which appliances run here: one is found without being named, of several one has to be."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.ipc import running_appliances as running
from appliance.ipc.running_appliances import SeveralRun, announce, running_state_folders, state_folder, withdraw

ANNOUNCING = """
import sys
from pathlib import Path
from appliance.ipc.running_appliances import announce
announce(Path(sys.argv[1]))
print(flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(running, "SYSTEM_FOLDER", tmp_path / "none")
    return tmp_path / "signalbox"


@pytest.fixture
def another() -> Iterator[subprocess.Popen[bytes]]:
    argv = [sys.executable, "-c", ANNOUNCING, "/srv/another"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def test_the_one_that_runs_is_found() -> None:
    noted = announce(Path("/srv/one"))
    assert state_folder(Path("/usual")) == Path("/srv/one")
    withdraw(noted)
    assert state_folder(Path("/usual")) == Path("/usual")


def test_of_several_one_has_to_be_named(another: subprocess.Popen[bytes]) -> None:
    announce(Path("/srv/one"))
    with pytest.raises(SeveralRun, match="on /srv/another, /srv/one"):
        state_folder(Path("/usual"))


def test_one_that_was_killed_counts_no_more(another: subprocess.Popen[bytes], session: Path) -> None:
    assert running_state_folders() == [Path("/srv/another")]
    another.kill()
    another.wait()
    assert running_state_folders() == []
    announce(Path("/srv/one"))
    assert len(list(session.iterdir())) == 1


def test_what_others_could_have_written_is_not_believed(session: Path) -> None:
    announce(Path("/srv/one"))
    session.chmod(0o777)
    assert running_state_folders() == []


def test_a_folder_of_its_own_hides_all_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "SYSTEM_FOLDER", tmp_path / "system")
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    announce(Path("/srv/of-the-system"))
    monkeypatch.undo()
    monkeypatch.setattr(running, "SYSTEM_FOLDER", tmp_path / "system")
    monkeypatch.setenv("SIGNALBOX_RUNTIME_DIR", str(tmp_path / "own"))
    assert running_state_folders() == []
    announce(Path("/srv/own"))
    assert running_state_folders() == [Path("/srv/own")]
