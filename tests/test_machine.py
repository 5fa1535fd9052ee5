"""The machine as the appliance sees it, beside what the kernel says in other places."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

import pytest

from appliance import machine

LOOPBACK = "lo"
CLOSED_PORT = 9


def loopback() -> machine.Interface:
    return next(interface for interface in machine.interfaces() if interface.name == LOOPBACK)


def test_all_interfaces_are_there_with_addresses_and_state() -> None:
    assert {interface.name for interface in machine.interfaces()} == set(os.listdir("/sys/class/net"))
    found = loopback()
    assert found.is_up and "127.0.0.1/8" in found.addresses
    assert found.mtu == int(Path("/sys/class/net/lo/mtu").read_text())


def test_what_is_sent_is_counted() -> None:
    before = loopback()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.sendto(bytes(1000), ("127.0.0.1", CLOSED_PORT))
    after = loopback()
    assert after.sent_packets > before.sent_packets and after.sent_bytes >= before.sent_bytes + 1000
    assert after.received_bytes >= before.received_bytes + 1000


def test_memory_and_disk_are_those_of_the_machine(tmp_path: Path) -> None:
    state = machine.machine_state(tmp_path)
    total_kib = int(Path("/proc/meminfo").read_text().split()[1])
    assert state.memory_size == total_kib * 1024 and 0 < state.memory_free_size < state.memory_size
    assert state.disk_size == shutil.disk_usage(tmp_path).total
    assert 0 <= state.disk_free_size <= state.disk_size
    assert state.machine == socket.gethostname() and state.kernel == os.uname().release


def test_the_mark_of_timesyncd_says_that_the_clock_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = tmp_path / "synchronized"
    mark.touch()
    monkeypatch.setattr(machine, "SYNCHRONIZED_MARK", mark)
    assert machine.clock_state() == "synchronized"


def test_a_file_that_is_not_there_costs_the_name_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "OS_RELEASE", tmp_path / "none")
    assert machine.machine_state(tmp_path).system == ""
