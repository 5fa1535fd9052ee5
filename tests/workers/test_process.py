"""A worker as a process: started by its document, heard on the bus, stopped by a message or a signal."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import appliance
from appliance.ipc.bus import Bus
from appliance.ipc.launch import WorkerLaunch
from appliance.messages.bus_messages import BusMessage, Heartbeat, SlotsChanged, Stop
from appliance.messages.slots import deal
from appliance.storage.flight_recorder import Recording
from appliance.storage.registrations import SharedTable
from appliance.transport.flow import TCP, UDP
from appliance.transport.process_id import SINGLE_NODE, SUPERVISOR, process_id
from tests.ports import free_port

pytest.importorskip("appliance.workers.datagrams", reason="the batch reader is not built")

PATIENCE_S = 300.0


class Supervised:
    """One worker and the supervisor's end of its bus."""

    def __init__(self, state_dir: Path, config_text: str = "domain example.com\nworkers 1\n") -> None:
        (state_dir / "run").mkdir(exist_ok=True)
        SharedTable.create(state_dir / "table", 1000, 1).close()
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", free_port()))
        self.tcp = socket.create_server(("127.0.0.1", self.udp.getsockname()[1]))
        self.address = self.udp.getsockname()
        self.bus = Bus(state_dir / "run", process_id(SINGLE_NODE, SUPERVISOR))
        config_text += f"listener one\n  address 127.0.0.1\n  port {self.address[1]}\n  no authenticate\n"
        config_text += "limits\n  recording 1\n"
        self.recording = Recording(1)
        launch = WorkerLaunch(
            0,
            ((0, UDP, self.udp.fileno()), (0, TCP, self.tcp.fileno())),
            config_text,
            str(state_dir),
            "00" * 32,
            recording_fd=self.recording.fd,
            table_dir=str(state_dir / "table"),
        )
        package = Path(appliance.__path__[0]).parent
        with launch.to_stdin() as document:
            self.process = subprocess.Popen(
                launch.argv(),
                stdin=document,
                stderr=subprocess.PIPE,
                pass_fds=launch.fds(),
                env={**os.environ, "PYTHONPATH": str(package)},
            )

    def wait_for_heartbeat(self) -> Heartbeat:
        give_up_at = time.monotonic() + PATIENCE_S
        while time.monotonic() < give_up_at:
            for _, message in self.bus.receive():
                if isinstance(message, Heartbeat):
                    return message
            time.sleep(0.01)
        raise AssertionError("no heartbeat")

    def order(self, message: BusMessage) -> None:
        """The bus refuses until it has connected."""
        give_up_at = time.monotonic() + PATIENCE_S
        while not self.bus.send(0, [message]):
            assert time.monotonic() < give_up_at
            time.sleep(0.01)

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()
        self.bus.close()
        self.recording.close()
        self.udp.close()
        self.tcp.close()


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Supervised]:
    found = Supervised(tmp_path)
    yield found
    found.close()


def options(address: tuple[str, int], transport: str) -> bytes:
    return (
        f"OPTIONS sip:127.0.0.1:{address[1]} SIP/2.0\r\nVia: SIP/2.0/{transport} 127.0.0.1;rport;branch=z9hG4bK1\r\n"
        "From: <sip:alice@example.com>;tag=1\r\nTo: <sip:example.com>\r\nCall-ID: a\r\nCSeq: 1 OPTIONS\r\n"
        "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def test_a_worker_lives_serves_and_stops(supervised: Supervised) -> None:
    assert supervised.wait_for_heartbeat().worker == 0
    supervised.order(SlotsChanged(deal([0]), [0]))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.settimeout(PATIENCE_S)
        phone.sendto(options(supervised.address, "UDP"), supervised.address)
        assert phone.recv(4096).startswith(b"SIP/2.0 200 ")
    with socket.create_connection(supervised.address, PATIENCE_S) as phone:
        phone.sendall(options(supervised.address, "TCP").replace(b"Call-ID: a", b"Call-ID: b"))
        assert phone.recv(4096).startswith(b"SIP/2.0 200 ")
    supervised.order(Stop())
    assert supervised.process.wait(PATIENCE_S) == 0


def test_a_signal_stops_a_worker(supervised: Supervised) -> None:
    supervised.wait_for_heartbeat()
    supervised.process.send_signal(signal.SIGTERM)
    assert supervised.process.wait(PATIENCE_S) == 0


def test_a_configuration_with_a_fault_starts_nothing(tmp_path: Path) -> None:
    wrong = Supervised(tmp_path, "workers many\n")
    try:
        _, errors = wrong.process.communicate(timeout=PATIENCE_S)
        assert wrong.process.returncode == 2
        assert b"the worker cannot start" in errors
        assert b"Traceback" not in errors
    finally:
        wrong.close()
