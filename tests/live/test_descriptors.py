"""Running out of file descriptors (RLIMIT_NOFILE) costs connections, and no worker."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import ExitStack, suppress

from tests.live.appliance import Appliance
from tests.live.processes import wait_until

OPTIONS = (
    b"OPTIONS sip:signalbox.test SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK%d\r\nMax-Forwards: 70\r\n"
    b"From: <sip:eve@signalbox.test>;tag=1\r\nTo: <sip:signalbox.test>\r\nCall-ID: %d\r\nCSeq: 1 OPTIONS\r\n"
    b"Content-Length: 0\r\n\r\n"
)
FILES = 350
CONNECTIONS = 800


def test_a_stranger_with_an_options_on_each_connection(start_appliance: Callable[..., Appliance]) -> None:
    """The workers live on, and one more connection is served."""
    limits = "limits\n  connection per-source 100000\n!\n"
    appliance = start_appliance(limits, files=FILES)
    before = appliance.worker_pids()
    with ExitStack() as opened:
        for number in range(CONNECTIONS):
            connection = opened.enter_context(socket.socket())
            connection.settimeout(5.0)
            with suppress(OSError):
                connection.connect((appliance.address, appliance.port))
                connection.sendall(OPTIONS % (number, number))
        wait_until(lambda: appliance.counter("connections-displaced") > 0, "strangers make room")
        connection = opened.enter_context(socket.create_connection((appliance.address, appliance.port), 5.0))
        connection.sendall(OPTIONS % (CONNECTIONS, CONNECTIONS))
        assert connection.recv(4096).startswith(b"SIP/2.0 200 ")
    assert appliance.worker_pids() == before
    assert "TCP connections, not 10000 (`limits connections`)" in appliance.process.text()


def test_the_share_of_one_source(start_appliance: Callable[..., Appliance]) -> None:
    """One address does not hold the table, whatever it sends."""
    appliance = start_appliance("limits\n  connection per-source 20\n!\n", workers=1)
    with ExitStack() as opened:
        for number in range(60):
            connection = opened.enter_context(socket.create_connection((appliance.address, appliance.port), 5.0))
            with suppress(OSError):
                connection.sendall(OPTIONS % (number, number))
        wait_until(lambda: appliance.counter("connections-displaced") == 40, "its own make room")
        assert appliance.status()["workers"][0]["gauges"]["connections"] == 20
