"""An appliance that root has started runs as another user, who may do what it needs and no more."""

from __future__ import annotations

import os
import pwd
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.access import is_open_to_all
from tests.live.appliance import Appliance
from tests.live.processes import Processes, wait_until

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user"),
    pytest.mark.skipif(not is_open_to_all(sys.executable), reason="other users cannot reach this Python"),
]

USER = "nobody"
BIND_SERVICE = 1 << 10
SYS_NICE = 1 << 23


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """One that others may enter, unlike those of pytest."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def appliance(processes: Processes, open_folder: Path) -> Appliance:
    made = Appliance(processes, options=("--user", USER))
    made.state = open_folder / "state"
    return made


def status_of(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def pids(appliance: Appliance) -> list[int]:
    return [process["pid"] for process in appliance.status()["processes"]]


def test_no_process_is_root(appliance: Appliance) -> None:
    """The supervisor may open ports below 1024; workers and management may do nothing special once they run."""
    appliance.start()
    uid = str(pwd.getpwnam(USER).pw_uid)
    kept = {}
    for pid in pids(appliance):
        status = status_of(pid)
        assert set(status["Uid"].split()) == {uid}
        assert status["Groups"].split() in ([], [str(pwd.getpwnam(USER).pw_gid)])
        assert status["NoNewPrivs"] == "1"
        kept[pid] = int(status["CapPrm"], 16)
    supervisor = kept.pop(appliance.status()["supervisor"]["pid"])
    assert supervisor & ~SYS_NICE == BIND_SERVICE
    assert set(kept.values()) == {0}


def test_it_does_all_it_did(appliance: Appliance, processes: Processes) -> None:
    """Workers come first, datagrams are steered, a commit opens a privileged port, the dead are replaced."""
    appliance.start()
    assert all(listener["steered"] for listener in appliance.status()["listeners"])
    assert {os.getpriority(os.PRIO_PROCESS, pid) for pid in appliance.worker_pids()} == {-5}
    lines = ["enable", "configure", "listener low", "address 127.0.0.1", "port 1017", "commit", "end"]
    options = [word for line in lines for word in ("-c", line)]
    done = appliance.command("cli", *options)
    assert done.returncode == 0, done.stdout + done.stderr
    wait_until(lambda: len(appliance.status()["listeners"]) == 2, "the second listener is open")
    victim = appliance.worker_pids()[0]
    os.kill(victim, 9)
    wait_until(lambda: victim not in appliance.worker_pids() and len(appliance.worker_pids()) == 2, "it is replaced")
    assert os.getpriority(os.PRIO_PROCESS, appliance.worker_pids()[0]) == -5
    appliance.stop()


def test_a_state_folder_of_root_is_given_to_the_user(appliance: Appliance, open_folder: Path) -> None:
    """All of it but what links lead to."""
    precious = open_folder / "precious"
    precious.write_text("")
    appliance.state.mkdir(mode=0o700)
    (appliance.state / "kept").write_text("")
    (appliance.state / "link").symlink_to(precious)
    os.link(precious, appliance.state / "second-name")
    appliance.start()
    uid = pwd.getpwnam(USER).pw_uid
    assert appliance.state.stat().st_uid == (appliance.state / "kept").stat().st_uid == uid
    assert precious.stat().st_uid == 0


def test_a_user_that_is_not_there(processes: Processes) -> None:
    appliance = Appliance(processes, options=("--user", "no-such-user"))
    with pytest.raises(AssertionError, match="There is no user no-such-user"):
        appliance.start()
