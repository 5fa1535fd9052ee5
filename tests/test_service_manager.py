"""What systemd is told (sd_notify(3)), seen at the socket that it names."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.service_manager import SILENCE_S, WAITING_MAX, ServiceManager


class Systemd:
    """The far end of the notify socket."""

    def __init__(self, path: Path) -> None:
        self.environment = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "8000000", "WATCHDOG_PID": str(os.getpid())}
        self._door = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._door.bind(str(path))
        self._door.setblocking(False)

    def received(self, at_most: int = 10000) -> list[tuple[str, bytes]]:
        """What waits in its queue: each message, and the contents of a descriptor that came with it."""
        found: list[tuple[str, bytes]] = []
        while len(found) < at_most:
            try:
                text, fds, _, _ = socket.recv_fds(self._door, 4096, 4)
            except BlockingIOError:
                break
            found.append((text.decode(), b"".join(os.pread(fd, 100, 0) for fd in fds)))
            for fd in fds:
                os.close(fd)
        return found

    def told(self) -> list[str]:
        return [text for text, _ in self.received()]

    def kept(self) -> dict[str, bytes]:
        """What was given to it to keep: the contents, by name."""
        found: dict[str, bytes] = {}
        for text, contents in self.received():
            words = dict(line.split("=") for line in text.splitlines())
            if "FDSTOREREMOVE" in words:
                found.pop(words["FDNAME"], None)
            if "FDSTORE" in words:
                found[words["FDNAME"]] = contents
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


def fill(manager: ServiceManager) -> int:
    """Tell it something until the queue of the socket takes no more; how many messages it has taken."""
    for count in range(10000):
        manager.ready()
        if manager.waiting:
            return count
    raise AssertionError("the queue has no end")


def memory_file(text: str) -> int:
    fd = os.memfd_create(text)
    os.write(fd, text.encode())
    return fd


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


STORED = ("FDSTOREREMOVE=1\nFDNAME=calls", b""), ("FDSTORE=1\nFDPOLL=0\nFDNAME=calls", b"new")


def test_what_a_full_queue_refuses_is_sent_again_in_order(systemd: Systemd) -> None:
    """unix(7), EAGAIN: without READY=1 systemd would end the service, without FDSTORE=1 it would not keep calls."""
    manager = ServiceManager(systemd.environment)
    taken = fill(manager)
    calls = memory_file("new")
    manager.keep({"calls": calls})
    # The caller may close it.
    os.close(calls)
    manager.cycle_done("All workers live.", 100.0)
    assert systemd.received() == taken * [("READY=1", b"")]
    assert manager.waiting == 5
    manager.cycle_done("All workers live.", 100.1)
    expected = [("READY=1", b""), *STORED, ("STATUS=All workers live.", b""), ("WATCHDOG=1", b"")]
    assert systemd.received() == expected
    assert manager.waiting == 0
    manager.cycle_done("All workers live.", 100.2)
    assert systemd.told() == []


def test_what_waits_gives_way_to_what_is_so_now(systemd: Systemd) -> None:
    manager = ServiceManager(systemd.environment)
    taken = fill(manager)
    before = open_descriptors()
    old, new, gone = files = [memory_file(name) for name in ("old", "new", "gone")]
    manager.keep({"calls": old, "socket-udp-0": gone})
    manager.keep({"calls": new})
    manager.let_go(["socket-udp-0"])
    for sentence in ("Worker 0 is starting.", "All workers live."):
        manager.tell_status(sentence)
    for fd in files:
        os.close(fd)
    assert open_descriptors() == before + 1, "only the last one for `calls` is still open"
    systemd.received(taken)
    manager.cycle_done("All workers live.", 100.0)
    assert open_descriptors() == before
    received = systemd.received()
    assert received[0] == ("READY=1", b"") and received[-1] == ("WATCHDOG=1", b"")
    assert [message for message in received if "STATUS" in message[0]] == [("STATUS=All workers live.", b"")]
    assert [message for message in received if "FDNAME=calls" in message[0]] == list(STORED)
    assert ("FDSTOREREMOVE=1\nFDNAME=socket-udp-0", b"") in received
    assert not [contents for _, contents in received if contents in (b"old", b"gone")]


def test_what_waits_is_bounded(systemd: Systemd) -> None:
    manager = ServiceManager(systemd.environment)
    fill(manager)
    manager.let_go(f"socket-{number}" for number in range(WAITING_MAX + 10))
    assert manager.waiting == WAITING_MAX and manager.given_up == 11


def test_a_service_manager_that_takes_nothing_is_said_once_and_so_is_its_return(systemd: Systemd) -> None:
    manager = ServiceManager(systemd.environment)
    taken = fill(manager)
    said = [manager.cycle_done("", 100.0 + second) for second in range(int(SILENCE_S) + 3)]
    (remark,) = filter(None, said)
    assert remark == "systemd has not taken what it was told for 10 s: 2 messages wait."
    systemd.received(taken)
    assert manager.cycle_done("", 200.0) == "systemd has taken all that it was told."
    assert manager.cycle_done("", 200.1) == ""


def test_kept_descriptors_are_found_by_name_and_are_not_for_processes_that_are_started() -> None:
    program = (
        "import os; from appliance.service_manager import SILENCE_S, WAITING_MAX, ServiceManager;"
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
