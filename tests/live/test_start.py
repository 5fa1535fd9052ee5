"""How an appliance is started and found: the commands of the README, from anywhere."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.live.appliance import SIGNALBOX, Appliance
from tests.live.processes import Processes


def signalbox(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command in that folder, by an operator of the same session."""
    env = {**os.environ, "SIGNALBOX_RUNTIME_DIR": str(folder / "running"), "PYTHONSAFEPATH": ""}
    argv = [str(SIGNALBOX), *words]
    return subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False)


def test_it_starts_in_a_folder_that_has_sources(processes: Processes) -> None:
    """The repository's folder holds `appliance/`, whose extensions are not built: what is installed runs."""
    (processes.folder / "appliance").mkdir()
    (processes.folder / "appliance/__init__.py").write_text("raise SystemExit(1)\n")
    Appliance(processes, workers=1).start()


def test_it_is_found_without_its_state_folder(processes: Processes) -> None:
    appliance = Appliance(processes, workers=1)
    appliance.start()
    assert "Worker 0" in signalbox(processes.folder, "status").stdout
    done = signalbox(processes.folder, "cli", "-c", "show version")
    assert done.returncode == 0, done.stderr
    appliance.stop()
    assert "No appliance" in signalbox(processes.folder, "status").stderr


def test_of_two_one_has_to_be_named(processes: Processes) -> None:
    first, second = Appliance(processes, workers=1), Appliance(processes, workers=1)
    first.start()
    second.start()
    for words in (("status",), ("cli", "-c", "show version"), ("subscriber", "list")):
        done = signalbox(processes.folder, *words)
        assert done.returncode == 1
        assert str(first.state) in done.stderr and str(second.state) in done.stderr and "--state DIR" in done.stderr
