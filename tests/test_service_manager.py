"""What systemd is told (sd_notify(3)), seen at the socket that it names."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.service_manager import ServiceManager


class Systemd:
    """The far end of the notify socket."""

    def __init__(self, path: Path) -> None:
        self.environment = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "8000000", "WATCHDOG_PID": str(os.getpid())}
        self._door = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._door.bind(str(path))
        self._door.setblocking(False)

    def kept(self) -> dict[str, bytes]:
        """What was given to it to keep: the contents, by name."""
        found: dict[str, bytes] = {}
        while True:
            try:
                text, fds, _, _ = socket.recv_fds(self._door, 4096, 4)
            except BlockingIOError:
                return found
            words = dict(line.split("=") for line in text.decode().splitlines())
            if "FDSTOREREMOVE" in words:
                found.pop(words["FDNAME"], None)
            for fd in fds:
                assert words["FDSTORE"] == "1"
                found[words["FDNAME"]] = os.pread(fd, 100, 0)
                os.close(fd)

    def told(self) -> list[str]:
        found = []
        while True:
            try:
                found.append(self._door.recv(4096).decode())
            except BlockingIOError:
                return found

    def close(self) -> None:
        self._door.close()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    manager = Systemd(tmp_path / "notify")
    yield manager
    manager.close()


def test_each_change_of_state_is_the_status_of_the_unit(systemd: Systemd) -> None:
    manager = ServiceManager(systemd.environment)
    manager.cycle_done("Worker 0 is starting.", 100.0)
    assert systemd.told() == ["STATUS=Worker 0 is starting.", "WATCHDOG=1"]
    manager.cycle_done("Worker 0 is starting.", 100.1)
    assert systemd.told() == []
    manager.cycle_done("All workers\nlive.", 100.2)
    assert systemd.told() == ["STATUS=All workers live."]


def test_the_watchdog_gets_four_signs_of_life_within_its_time(systemd: Systemd) -> None:
    manager = ServiceManager(systemd.environment)
    for tenth in range(80):
        manager.cycle_done("", 100.0 + tenth / 10)
    assert systemd.told().count("WATCHDOG=1") == 4


def test_readiness_and_the_stop_are_told(systemd: Systemd) -> None:
    manager = ServiceManager(systemd.environment)
    manager.ready()
    manager.stopping()
    assert systemd.told() == ["READY=1", "STOPPING=1"]


def test_processes_that_are_started_do_not_speak_for_the_service(systemd: Systemd) -> None:
    ServiceManager(systemd.environment)
    assert systemd.environment == {}


def test_a_watchdog_of_another_process_is_not_fed(systemd: Systemd) -> None:
    manager = ServiceManager({**systemd.environment, "WATCHDOG_PID": "1"})
    manager.cycle_done("", 100.0)
    assert systemd.told() == []


def test_without_systemd_nothing_is_sent() -> None:
    manager = ServiceManager({})
    manager.cycle_done("All workers live.", 1.0)
    manager.ready()


def test_an_abstract_socket_is_found() -> None:
    name = f"signalbox-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        door.bind(f"\0{name}")
        ServiceManager({"NOTIFY_SOCKET": f"@{name}"}).ready()
        assert door.recv(100) == b"READY=1"


def test_a_service_manager_that_has_gone_costs_nothing(tmp_path: Path) -> None:
    ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready()


def test_descriptors_are_kept_in_the_place_of_others_of_their_names(systemd: Systemd) -> None:
    manager = ServiceManager(systemd.environment)
    files = [os.memfd_create(name) for name in ("old", "new")]
    try:
        for text, fd in zip((b"old", b"new"), files, strict=True):
            os.write(fd, text)
            manager.keep({"calls": fd})
        assert systemd.kept() == {"calls": b"new"}
    finally:
        for fd in files:
            os.close(fd)


def test_descriptors_are_taken_by_the_beginning_of_their_names_and_let_go(systemd: Systemd) -> None:
    manager = ServiceManager(systemd.environment)
    manager.kept.update({"socket-udp-0": 70, "calls": 71, "socket-udp-1": 72})
    assert manager.take("socket-") == {"socket-udp-0": 70, "socket-udp-1": 72} and manager.kept == {"calls": 71}
    manager.let_go(["socket-udp-1"])
    assert systemd.told() == ["FDSTOREREMOVE=1\nFDNAME=socket-udp-1"]


def test_kept_descriptors_are_found_by_name_and_are_not_for_processes_that_are_started() -> None:
    program = (
        "import os; from appliance.service_manager import ServiceManager;"
        "e = dict(os.environ, LISTEN_PID=str(os.getpid())); kept = ServiceManager(e).kept;"
        "print(kept, os.get_inheritable(3), any('LISTEN' in name for name in e))"
    )
    first, second = os.memfd_create("calls"), os.memfd_create("nonces")
    ours = f"/proc/{os.getpid()}/fd"
    argv = ["sh", "-c", f"exec 3<{ours}/{first} 4<{ours}/{second}; exec {sys.executable} -c \"$0\"", program]
    environment = {**os.environ, "LISTEN_FDS": "2", "LISTEN_FDNAMES": "calls:nonces"}
    said = subprocess.run(argv, env=environment, capture_output=True, text=True, check=True)
    os.close(first)
    os.close(second)
    assert said.stdout == "{'calls': 3, 'nonces': 4} False False\n"


@pytest.mark.parametrize(
    "environment",
    [
        {"LISTEN_FDS": "1", "LISTEN_FDNAMES": "calls", "LISTEN_PID": "1"},
        {"LISTEN_FDS": "many", "LISTEN_FDNAMES": "calls", "LISTEN_PID": str(os.getpid())},
        {"LISTEN_FDS": "2", "LISTEN_FDNAMES": "calls", "LISTEN_PID": str(os.getpid())},
        {"LISTEN_FDS": "2000", "LISTEN_FDNAMES": 1999 * ":", "LISTEN_PID": str(os.getpid())},
    ],
)
def test_descriptors_of_others_and_damaged_variables_are_none(environment: dict[str, str]) -> None:
    assert ServiceManager(environment).kept == {}
    assert environment == {}
