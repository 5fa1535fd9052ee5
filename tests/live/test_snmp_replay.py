"""Messages of SNMPv3 that were recorded on their way and are sent once more (RFC 3414 2.2: timeliness)."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.live.net_snmp import Manager, by_user, needs_net_snmp
from tests.live.processes import LOOPBACK, Processes, free_port, wait_until
from tests.live.snmp_agent import SYS_DESCR, do, pid_of, started

pytestmark = needs_net_snmp

SYS_LOCATION = ".1.3.6.1.2.1.1.6.0"
NOT_IN_TIME_WINDOWS = ".1.3.6.1.6.3.15.1.1.2.0"
USER = "user monitor sha256 password authpassword privpassword read-write"


class Relay:
    """Stands between a manager and an agent, and keeps what the manager sends."""

    def __init__(self, agent_port: int) -> None:
        self.recorded: list[bytes] = []
        self._outside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._outside.bind((LOOPBACK, 0))
        self._inside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._inside.connect((LOOPBACK, agent_port))
        self._inside.settimeout(60.0)
        self.port = self._outside.getsockname()[1]

    def run(self) -> None:
        """Until an empty datagram comes."""
        while True:
            datagram, manager = self._outside.recvfrom(65535)
            if not datagram:
                return
            self.recorded.append(datagram)
            self._inside.send(datagram)
            self._outside.sendto(self._inside.recv(65535), manager)

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self.run, daemon=True)
        thread.start()
        yield
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ending:
            ending.sendto(b"", (LOOPBACK, self.port))
        thread.join(5.0)
        self._outside.close()
        self._inside.close()


@pytest.fixture
def port() -> int:
    return free_port()


def test_a_recorded_set_does_nothing_after_the_agent_was_started_again(processes: Processes, port: int) -> None:
    """RFC 3414 3.2 step 7: its engineBoots is an older one; it is counted, and answered with a Report."""
    appliance = started(processes, port, USER)
    manager, relay = Manager(f"{LOOPBACK}:{port}"), Relay(port)
    with relay.running():
        through = Manager(f"{LOOPBACK}:{relay.port}")
        said = through.run("snmpset", SYS_LOCATION, "s", "Cellar", options=(*by_user("monitor"), "-t", "60"))
    assert "Cellar" in said
    do(appliance, "configure", "snmp", "location Attic", "commit", "end")
    os.kill(pid_of(appliance, "snmp"), signal.SIGKILL)
    wait_until(lambda: "Signalbox" in manager.get(SYS_DESCR), "the agent is back")
    commit = appliance.status()["commit"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as thief:
        thief.settimeout(5.0)
        # The last message has the value; the one before asks for the engine.
        thief.sendto(relay.recorded[-1], (LOOPBACK, port))
        assert b"Cellar" not in thief.recv(65535)
    assert manager.get(NOT_IN_TIME_WINDOWS) == "1"
    assert (manager.get(SYS_LOCATION), appliance.status()["commit"]) == ("Attic", commit)
