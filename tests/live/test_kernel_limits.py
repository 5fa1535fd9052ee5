"""Limits of the kernel (sysctl) that Signalbox needs raised: those of the package suffice, a lower one is named."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from appliance.catalogue.settings import ListenerSettings
from appliance.messages.slots import SlotTable
from appliance.supervisor.listening_sockets import ListeningSockets
from appliance.transport.flow import UDP
from tests.live.lease_namespaces import inside, need_namespaces
from tests.ports import free_port

PACKAGED = Path(__file__).parents[2] / "packaging/debian/signalbox.sysctl"
NOBODY = 65534
SEED = 99
BUFFER = 1 << 20
# As many workers as one node has, and the most runs of slots: the longest program.
WORKERS = 64
SCATTERED = SlotTable((slot % WORKERS for slot in range(256)), 1)
# Of Linux before 6.7.
LOW = 20480


def packaged(name: str) -> int:
    """The value that the package gives to a sysctl."""
    found = re.search(rf"^-{re.escape(name)} = (\d+)$", PACKAGED.read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1])


@pytest.fixture
def namespace() -> Iterator[str]:
    """A network namespace that has limits of its own."""
    need_namespaces()
    name = f"sbx{os.getpid()}-limits"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        if not limited(name, LOW):
            pytest.skip("net.core.optmem_max is one for all namespaces before Linux 6.8")
        yield name
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)


def limited(namespace: str, octets: int) -> bool:
    """Give the namespace a net.core.optmem_max, if it has one of its own."""
    command = ["ip", "netns", "exec", namespace, "sysctl", "-qw", f"net.core.optmem_max={octets}"]
    return subprocess.run(command, capture_output=True).returncode == 0


def refusals(namespace: str, workers: int, table: SlotTable) -> list[str]:
    """What the kernel says to the program."""
    with inside(namespace):
        sockets = ListeningSockets([ListenerSettings(port=5060, transports=(UDP,))], workers, BUFFER)
        with closing(sockets):
            return sockets.steer(table, SEED)


def test_the_kernel_takes_the_longest_program_within_the_limit_of_the_package(namespace: str) -> None:
    assert limited(namespace, packaged("net.core.optmem_max"))
    assert refusals(namespace, WORKERS, SCATTERED) == []


def test_a_limit_that_is_too_low_is_named(namespace: str) -> None:
    (sentence,) = refusals(namespace, 1, SlotTable([0] * 256, 1))
    wanted = packaged("net.core.optmem_max")
    assert f"Set the sysctl net.core.optmem_max to {wanted} or more and restart the appliance." in sentence


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can exceed net.core.rmem_max")
def test_a_commit_leaves_a_buffer_beyond_the_limit_of_the_system() -> None:
    """An appliance that runs can no longer ask for such a buffer (appliance/privileges.py)."""
    most = int(Path("/proc/sys/net/core/rmem_max").read_text())
    listener = ListenerSettings(port=free_port(), transports=(UDP,))
    with closing(ListeningSockets([listener], 1, 2 * most)) as sockets:
        member = socket.socket(fileno=os.dup(sockets.sockets_of(0)[0][2]))
        with closing(member):
            opened = member.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
            os.seteuid(NOBODY)
            try:
                sockets.set_receive_buffer(2 * most)
                assert member.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == opened > 2 * most
                sockets.set_receive_buffer(most // 2)
            finally:
                os.seteuid(0)
            assert member.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == most
