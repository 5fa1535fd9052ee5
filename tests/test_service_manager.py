"""What systemd is told (sd_notify(3)), seen at the socket that it names."""

from __future__ import annotations

import os
import socket
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
