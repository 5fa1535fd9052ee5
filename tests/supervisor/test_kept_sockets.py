"""Datagram sockets that a service manager keeps while the service is restarted: what arrives meanwhile waits."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator, Mapping

import pytest

from appliance.catalogue.settings import ListenerSettings
from appliance.messages.slots import deal, slot_of
from appliance.supervisor.kept_sockets import FormerSockets, SocketKeeping
from appliance.supervisor.listening_sockets import ListenFailed, ListeningSockets
from appliance.transport.flow import UDP
from tests.ports import free_port

SEED = 99
BUFFER = 1 << 20
PATIENCE_S = 60.0


class Manager:
    """Keeps descriptors of its own, as systemd does."""

    def __init__(self) -> None:
        self.kept: dict[str, int] = {}

    def keep(self, descriptors: Mapping[str, int]) -> None:
        for name, fd in descriptors.items():
            self.let_go([name])
            self.kept[name] = os.dup(fd)

    def let_go(self, names: Iterable[str]) -> None:
        for name in names:
            if name in self.kept:
                os.close(self.kept.pop(name))

    def given_back(self) -> FormerSockets:
        return FormerSockets({name: os.dup(fd) for name, fd in self.kept.items()})


@pytest.fixture
def manager() -> Iterator[Manager]:
    made = Manager()
    yield made
    made.let_go(list(made.kept))


@pytest.fixture
def listeners() -> list[ListenerSettings]:
    return [ListenerSettings(port=free_port()), ListenerSettings(name="six", address="::1", port=free_port())]


def started(listeners: list[ListenerSettings], manager: Manager, workers: int = 2) -> ListeningSockets:
    """The sockets of a start, all that the manager has had before let go or used, and told in a first cycle."""
    former = manager.given_back()
    sockets = ListeningSockets(listeners, workers, BUFFER, (), former)
    former.close()
    if refusals := sockets.steer(deal(list(range(workers))), SEED):
        pytest.skip(refusals[0])
    SocketKeeping(manager, sockets, former).tend()  # type: ignore[arg-type]
    return sockets


def inodes(sockets: ListeningSockets, workers: int = 2) -> list[int]:
    """Of the datagram sockets."""
    every = [found for worker in range(workers) for found in sockets.sockets_of(worker)]
    return [os.fstat(fd).st_ino for _, transport, fd in every if transport == UDP]


def of_worker(sockets: ListeningSockets, worker: int, transport: int) -> socket.socket:
    """The worker's socket of the first listener."""
    fd = next(fd for place, number, fd in sockets.sockets_of(worker) if (place, number) == (0, transport))
    same = socket.socket(fileno=os.dup(fd))
    same.settimeout(PATIENCE_S)
    return same


def test_what_comes_between_two_starts_waits_for_the_second(
    manager: Manager, listeners: list[ListenerSettings]
) -> None:
    first = started(listeners, manager)
    before = inodes(first)
    first.close()
    request = b"OPTIONS sip:b@c SIP/2.0\r\nCall-ID: 7@phone\r\nCSeq: 1 OPTIONS\r\n\r\n"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.sendto(request, ("127.0.0.1", listeners[0].port))
        second = started(listeners, manager)
        assert inodes(second) == before
        owner = deal([0, 1]).owner_of(slot_of(b"7@phone", SEED))
        with of_worker(second, owner, UDP) as waiting:
            assert waiting.recv(1000) == request
    second.close()


def test_fewer_and_more_workers(manager: Manager, listeners: list[ListenerSettings]) -> None:
    first = started(listeners, manager, 3)
    before = inodes(first, 3)
    first.close()
    fewer = started(listeners, manager, 1)
    assert inodes(fewer, 1) == before[:2]
    assert {name.rpartition("-")[2] for name in manager.kept} == {"0"}
    fewer.close()
    more = started(listeners, manager, 2)
    assert inodes(more, 2)[:2] == before[:2]
    more.close()


def test_another_address_of_the_same_port_is_no_foreign_program(
    manager: Manager, listeners: list[ListenerSettings]
) -> None:
    port = listeners[0].port
    started([ListenerSettings(address="0.0.0.0", advertise="127.0.0.1", port=port)], manager).close()
    second = started([ListenerSettings(address="127.0.0.1", port=port)], manager)
    assert all("127.0.0.1" in name for name in manager.kept)
    second.close()


def test_what_no_listener_needs_is_let_go(manager: Manager, listeners: list[ListenerSettings]) -> None:
    first = started(listeners, manager)
    former = manager.given_back()
    keeping = SocketKeeping(manager, first, former)  # type: ignore[arg-type]
    former.close()
    first.close_some(first.groups[1:])
    keeping.tend()
    port = listeners[0].port
    assert set(manager.kept) == {f"socket-udp-127.0.0.1-{port}-0", f"socket-udp-127.0.0.1-{port}-1"}
    first.close()


def test_a_port_of_streams_is_closed_with_the_service(manager: Manager, listeners: list[ListenerSettings]) -> None:
    """RFC 3261 17.1.2.2: by a reliable transport no request is sent again."""
    started(listeners, manager).close()
    with pytest.raises(ConnectionRefusedError), socket.socket() as phone:
        phone.connect(("127.0.0.1", listeners[0].port))


def test_those_of_a_virtual_address_are_not_kept(manager: Manager, listeners: list[ListenerSettings]) -> None:
    sockets = ListeningSockets(listeners, 1, BUFFER, {"127.0.0.1"})
    sockets.steer(deal([0]), SEED)
    SocketKeeping(manager, sockets, FormerSockets({})).tend()  # type: ignore[arg-type]
    assert manager.kept and all("__1" in name for name in manager.kept)
    sockets.close()


def test_a_port_that_a_foreign_program_has_is_still_said(manager: Manager, listeners: list[ListenerSettings]) -> None:
    started(listeners[:1], manager).close()
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as foreign:
        foreign.bind(("::1", listeners[1].port))
        former = manager.given_back()
        with pytest.raises(ListenFailed, match="in use by another program"):
            ListeningSockets(listeners, 2, BUFFER, (), former)
        former.close()
