"""The sockets that send notifications, and what the engine keeps of messages (RFC 3412 7.2, RFC 3414 3.2)."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.catalogue.settings import Settings
from appliance.catalogue.snmp_settings import SnmpSettings
from appliance.management.snmp.agent import Agent
from appliance.management.snmp.engine_state import EngineState

PATIENCE_S = 120.0
ENGINE_ID = bytes.fromhex("80007ed90501020304")
# GET sysName.0 with the community `public`.
GET = bytes.fromhex("302902010104067075626c6963a01c0204563c1e1f020100020100300e300c06082b060102010105000500")
# Reportable, with privacy, from an engine without a name; its user is `a`.
ENCRYPTED = bytes.fromhex(
    "3030020103300e020101020300ffff0401070201030411300f040002010002010004016104000400"
    "04083031323334353637"
)


def settings(*targets: str) -> Settings:
    return Settings(snmp=SnmpSettings(communities=("public from 192.0.2.0/24",), targets=targets))


class Manager:
    """A target on loopback."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.target = f"noc 127.0.0.1 port {self.socket.getsockname()[1]} community public inform timeout 1"

    async def agent_address(self) -> Any:
        """Where the inform came from that arrives next."""
        found: list[Any] = []
        await until(lambda: bool(found) or self._read(found))
        return "127.0.0.1", found[0][1][1]

    def _read(self, found: list[Any]) -> bool:
        try:
            found.append(self.socket.recvfrom(65535))
        except BlockingIOError:
            return False
        return True


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.01)


def made(folder: Path, *targets: str) -> Agent:
    (folder / "snmp").mkdir()
    agent = Agent(folder, settings(*targets), EngineState(ENGINE_ID, 1), "1", "boot")
    agent.engine.open([], agent.receive)
    return agent


def udp_sockets() -> int:
    """How many datagram sockets of IP this process has."""
    own = {os.readlink(link) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()}
    lines = [line for name in ("udp", "udp6") for line in Path(f"/proc/self/net/{name}").read_text().splitlines()[1:]]
    return sum(f"socket:[{line.split()[9]}]" in own for line in lines)


@pytest.mark.parametrize("is_from_target", [False, True])
def test_a_request_to_the_socket_of_informs_is_dropped_and_counted(tmp_path: Path, is_from_target: bool) -> None:
    async def run() -> None:
        manager = Manager()
        agent = made(tmp_path, manager.target)
        agent.notifier.tell_start()
        with manager.socket, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            where = await manager.agent_address()
            stranger.bind(("127.0.0.1", 0))
            (manager.socket if is_from_target else stranger).sendto(GET, where)
            await until(lambda: agent.engine.count("snmpInPkts") == 1)
            assert agent.engine.count("snmpSilentDrops") == 1
            stranger.setblocking(False)
            with pytest.raises(BlockingIOError):
                stranger.recv(65535)
        agent.engine.close()

    asyncio.run(run())


def test_an_inform_is_acknowledged_by_its_target(tmp_path: Path) -> None:
    """RFC 3416 4.2.7: also after a message of a kind that is refused."""

    async def run() -> None:
        manager = Manager()
        agent = made(tmp_path, manager.target)
        agent.notifier.tell_start()
        with manager.socket:
            found: list[Any] = []
            await until(lambda: manager._read(found))
            inform, where = found[0]
            where = ("127.0.0.1", where[1])
            manager.socket.sendto(GET, where)
            manager.socket.sendto(inform.replace(b"public\xa6", b"public\xa2"), where)
            await until(lambda: agent.notifier.reports()[0].delivered == 1)
        agent.engine.close()

    asyncio.run(run())


def test_there_is_a_socket_for_notifications_only_where_a_target_is(tmp_path: Path) -> None:
    async def run() -> None:
        before = udp_sockets()
        agent = made(tmp_path)
        assert udp_sockets() == before
        for _ in range(2):
            manager = Manager()
            with manager.socket:
                agent.go_by(settings(manager.target))
                assert udp_sockets() == before + 2
                agent.notifier.tell_test("operator")
                await manager.agent_address()
            agent.go_by(settings())
            await until(lambda: udp_sockets() == before)
        agent.engine.close()

    asyncio.run(run())


def test_a_request_that_only_the_engine_can_read_is_refused_at_that_socket(tmp_path: Path) -> None:
    """An encrypted one, for which one in clear text stands here: it is refused when it is decoded."""

    async def run() -> None:
        agent, transport = await agent_with_transport(tmp_path)
        agent.engine.process(transport, GET, ("127.0.0.1", 9))
        assert (agent.engine.count("snmpInPkts"), agent.engine.count("snmpSilentDrops")) == (1, 1)
        agent.engine.close()

    asyncio.run(run())


def test_the_engine_keeps_nothing_of_a_message_that_it_refuses(tmp_path: Path) -> None:
    """RFC 3414 3.2 step 3: an unknown engine, and a scoped PDU that cannot be read."""

    async def run() -> None:
        agent, transport = await agent_with_transport(tmp_path)
        before = agent.engine.count("usmStatsUnknownEngineIDs")
        for _ in range(3):
            agent.engine.process(transport, ENCRYPTED, ("127.0.0.1", 9))
        assert agent.engine.count("usmStatsUnknownEngineIDs") == before + 3
        assert all(model._cache.is_empty() for model in agent.engine._engine.security_models.values())
        agent.engine.close()

    asyncio.run(run())


async def agent_with_transport(folder: Path) -> tuple[Agent, Any]:
    """An agent, and the transport of its informs: the one that a datagram has come by."""
    manager = Manager()
    (folder / "snmp").mkdir()
    agent = Agent(folder, settings(manager.target), EngineState(ENGINE_ID, 1), "1", "boot")
    came_by: list[Any] = []
    agent.engine.open([], lambda transport, datagram, source: came_by.append(transport))
    agent.notifier.tell_start()
    with manager.socket:
        manager.socket.sendto(b"-", await manager.agent_address())
        await until(lambda: bool(came_by))
    return agent, came_by[0]
