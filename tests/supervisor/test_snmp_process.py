"""The SNMP agent's sockets and process, as the supervisor keeps them."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.catalogue.alarms import SNMP_AGENT_DOWN
from appliance.catalogue.cluster_settings import VirtualAddressSettings
from appliance.catalogue.settings import Settings
from appliance.catalogue.snmp_settings import SnmpSettings
from appliance.catalogue.supervision_settings import SupervisionSettings
from appliance.ipc.launch import SnmpLaunch
from appliance.messages.bus_messages import BusMessage
from appliance.messages.snmp_messages import AlarmsChanged, SnmpConfiguration, SnmpReport
from appliance.supervisor.snmp_process import TRIAL_INTERVAL_S, SnmpProcess, SnmpSocketFailed

LIMITS = SupervisionSettings()
PATIENCE_S = 300.0


class SleepingLaunch(SnmpLaunch):
    """A process that does nothing."""

    def argv(self) -> list[str]:
        return ["sleep", "60"]


class Agent:
    """One with the clock of the test."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.sent: list[BusMessage] = []
        self.reported: list[str] = []
        self.process = SnmpProcess(settings, SleepingLaunch(str(folder), "first"), self.reported.append)
        self.process.send = self._send

    def _send(self, message: BusMessage) -> bool:
        self.sent.append(message)
        return True

    def tend(self, now: float, events: int = 0) -> None:
        self.process.tend_agent(LIMITS, False, events, now)

    def tend_until_another_runs(self, former: int, now: float) -> None:
        give_up = time.monotonic() + PATIENCE_S
        while self.pid in (0, former) and time.monotonic() < give_up:
            self.tend(now)
        assert self.pid not in (0, former)

    @property
    def pid(self) -> int:
        return self.process.process.pid if self.process.process else 0

    def alarms(self) -> list[str]:
        return [condition.name for condition in self.process.conditions()]


def listening(value: str, virtual: tuple[VirtualAddressSettings, ...] = ()) -> Settings:
    return Settings(snmp=SnmpSettings(listen=(value,)), virtual_addresses=virtual)


@pytest.fixture
def taken() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.bind(("127.0.0.1", 0))
        yield held


@pytest.fixture
def agent(tmp_path: Path, taken: socket.socket) -> Iterator[Agent]:
    made = Agent(tmp_path, listening(f"127.0.0.1 port {taken.getsockname()[1]}"))
    yield made
    made.process.close()


def test_a_port_in_use_is_an_alarm_and_is_tried_again(agent: Agent, taken: socket.socket) -> None:
    """Calls are not affected: the appliance starts without it."""
    agent.tend(0.0)
    agent.tend(1.0)
    assert agent.alarms() == [SNMP_AGENT_DOWN] and len(agent.reported) == 1
    without = agent.pid
    taken.close()
    agent.tend(TRIAL_INTERVAL_S)
    assert agent.alarms() == []
    agent.tend_until_another_runs(without, TRIAL_INTERVAL_S)
    assert len(agent.process.launch.sockets) == 1 and len(agent.reported) == 1


def test_a_commit_with_a_port_in_use_is_refused_in_a_sentence(tmp_path: Path, taken: socket.socket) -> None:
    value = f"127.0.0.1 port {taken.getsockname()[1]}"
    with pytest.raises(SnmpSocketFailed, match="SNMP cannot listen on"):
        Agent(tmp_path, Settings()).process.open_more([value], ())


def test_an_agent_is_told_only_after_it_has_reported(agent: Agent, taken: socket.socket) -> None:
    """Before, a message would be lost; it is told then what it has missed."""
    agent.tend(0.0)
    agent.process.put_in_force(Settings(snmp=agent.process.settings), "second")
    agent.tend(0.1, events=3)
    assert agent.sent == [] and not agent.process.test("root")
    agent.process.heard(SnmpReport())
    agent.tend(0.2, events=3)
    agent.tend(0.3, events=3)
    assert agent.sent == [SnmpConfiguration("second"), AlarmsChanged(3)]


def test_without_addresses_and_targets_there_is_no_process(tmp_path: Path) -> None:
    agent = Agent(tmp_path, Settings())
    agent.tend(0.0)
    assert not agent.process.is_running and agent.alarms() == []


def test_a_virtual_address_is_bound_on_a_node_that_does_not_own_it(tmp_path: Path) -> None:
    virtual = VirtualAddressSettings("one", addresses=("192.0.2.9/24",), interface="lo")
    agent = Agent(tmp_path, listening("192.0.2.9 port 1161", (virtual,)))
    agent.tend(0.0)
    assert agent.alarms() == []
    assert [place[:2] for place in agent.process.launch.sockets] == [("192.0.2.9", 1161)]
    agent.process.close()
