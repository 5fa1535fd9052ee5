"""Listening sockets: one per worker in order, and one clear sentence when there can be none."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from appliance.catalogue.settings import ListenerSettings
from appliance.messages.slots import deal, move, slot_of
from appliance.supervisor.listening_sockets import ListenFailed, ListeningSockets
from appliance.transport.flow import TCP, UDP
from tests.ports import free_port

SEED = 99
BUFFER = 1 << 20
PATIENCE_S = 20.0


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def opened(port: int) -> Iterator[ListeningSockets]:
    sockets = ListeningSockets([ListenerSettings(port=port)], 2, BUFFER)
    yield sockets
    sockets.close()


def fd_of(sockets: ListeningSockets, worker: int, transport: int) -> int:
    """The worker's socket of the first listener; -1 where it has none."""
    own = {(place, number): fd for place, number, fd in sockets.sockets_of(worker)}
    return own.get((0, transport), -1)


def duplicate(fd: int) -> socket.socket:
    """The same socket, which raises TimeoutError where nothing comes."""
    same = socket.socket(fileno=socket.dup(fd))
    same.settimeout(PATIENCE_S)
    return same


def test_every_worker_has_a_socket_for_every_listener_and_transport(port: int) -> None:
    listeners = [ListenerSettings(port=port), ListenerSettings(name="v6", address="::1", port=port, transports=(UDP,))]
    sockets = ListeningSockets(listeners, 3, BUFFER)
    every = [sockets.sockets_of(worker) for worker in range(3)]
    for own in every:
        assert [(place, transport) for place, transport, _ in own] == [(0, UDP), (0, TCP), (1, UDP)]
    assert len({fd for own in every for _, _, fd in own}) == 9
    sockets.close()


def test_datagrams_reach_the_socket_of_the_slots_owner(opened: ListeningSockets, port: int) -> None:
    table = deal([0, 1])
    if refusals := opened.steer(table, SEED):
        pytest.skip(refusals[0])
    members = [duplicate(fd_of(opened, worker, UDP)) for worker in (0, 1)]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        for number in range(50):
            call_id = b"%d@phone" % number
            phone.sendto(
                b"BYE sip:b@c SIP/2.0\r\nCall-ID: " + call_id + b"\r\nCSeq: 1 BYE\r\n\r\n", ("127.0.0.1", port)
            )
            assert members[table.owner_of(slot_of(call_id, SEED))].recv(1000)
    for member in members:
        member.close()


def test_a_foreign_program_on_the_port_is_named_for_each_transport(port: int) -> None:
    with socket.socket() as stream, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        stream.bind(("127.0.0.1", port))
        stream.listen()
        datagrams.bind(("127.0.0.1", port))
        with pytest.raises(ListenFailed) as failed:
            ListeningSockets([ListenerSettings(name="phones", port=port)], 2, BUFFER)
    assert failed.value.sentences == [
        f"Listener phones: UDP port {port} of 127.0.0.1 is in use by another program.",
        f"Listener phones: TCP port {port} of 127.0.0.1 is in use by another program.",
    ]


@pytest.mark.parametrize("addresses", [("0.0.0.0", "127.0.0.1"), ("127.0.0.1", "0.0.0.0")])
def test_a_listener_can_move_from_all_addresses_to_one_and_back(port: int, addresses: tuple[str, str]) -> None:
    """Both are open for a while: calls that are up need the old one."""
    first, second = (
        ListenerSettings(name=f"n{number}", address=address, port=port, advertise="127.0.0.1")
        for number, address in enumerate(addresses)
    )
    with closing(ListeningSockets([first], 2, BUFFER)) as sockets:
        assert len(sockets.open_more([first, second])) == 2
        with socket.create_connection(("127.0.0.1", port)):
            pass


def test_another_appliance_is_noticed_although_the_kernel_would_let_both_listen(
    opened: ListeningSockets, port: int
) -> None:
    with pytest.raises(ListenFailed, match="in use"):
        ListeningSockets([ListenerSettings(port=port)], 2, BUFFER)


def test_a_port_left_by_connections_closed_a_moment_ago_can_be_used(port: int) -> None:
    first = ListeningSockets([ListenerSettings(port=port, transports=(TCP,))], 1, BUFFER)
    with socket.create_connection(("127.0.0.1", port)) as phone:
        listening = duplicate(fd_of(first, 0, TCP))
        accepted, _ = listening.accept()
        accepted.close()
        assert phone.recv(1) == b""
    listening.close()
    first.close()
    ListeningSockets([ListenerSettings(port=port, transports=(TCP,))], 1, BUFFER).close()


def test_an_address_that_is_not_here(port: int) -> None:
    with pytest.raises(ListenFailed, match=r"Listener x: this machine has no address 192\.0\.2\.1\."):
        ListeningSockets([ListenerSettings(name="x", address="192.0.2.1", port=port)], 1, BUFFER)


def test_a_dead_workers_socket_leaves_the_groups_without_steering_and_comes_back(
    opened: ListeningSockets, port: int
) -> None:
    opened.withdraw(0)
    assert fd_of(opened, 0, TCP) == -1
    survivor = duplicate(fd_of(opened, 1, TCP))
    for _ in range(8):
        with closing(socket.create_connection(("127.0.0.1", port))):
            survivor.accept()[0].close()
    survivor.close()
    opened.restore(0)
    assert fd_of(opened, 0, TCP) >= 0 and fd_of(opened, 0, UDP) >= 0


def test_a_steered_group_keeps_the_socket_and_the_datagrams_of_a_dead_worker(
    opened: ListeningSockets, port: int
) -> None:
    table = deal([0, 1])
    if refusals := opened.steer(table, SEED):
        pytest.skip(refusals[0])
    before = fd_of(opened, 0, UDP)
    opened.withdraw(0)
    assert fd_of(opened, 0, UDP) == before
    opened.steer(move(table, 0, [1]), SEED)
    survivor = duplicate(fd_of(opened, 1, UDP))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        for number in range(20):
            phone.sendto(b"BYE sip:b@c SIP/2.0\r\nCall-ID: %d\r\nCSeq: 1 BYE\r\n\r\n" % number, ("127.0.0.1", port))
            assert survivor.recv(1000)
    survivor.close()


def test_a_group_whose_only_worker_is_dead_is_steered_when_that_returns(port: int) -> None:
    sockets = ListeningSockets([ListenerSettings(port=port)], 1, BUFFER)
    sockets.withdraw(0)
    assert sockets.steer(deal([0]), SEED) == []
    sockets.restore(0)
    if refusals := sockets.steer(deal([0]), SEED):
        pytest.skip(refusals[0])
    assert all(group.is_steered for group in sockets.groups if group.endpoint.transport == UDP)
    sockets.close()


def test_datagrams_are_steered_rightly_after_workers_died_without_steering(port: int) -> None:
    """The kernel fills the place of a socket that goes with the last one of its group."""
    sockets = ListeningSockets([ListenerSettings(port=port, transports=(UDP,))], 4, BUFFER)
    for worker in (0, 2, 1):
        sockets.withdraw(worker)
    for worker in (1, 0, 2):
        sockets.restore(worker)
    table = deal(range(4))
    if refusals := sockets.steer(table, SEED):
        pytest.skip(refusals[0])
    assert sockets.groups[0].is_steered
    members = [duplicate(fd_of(sockets, worker, UDP)) for worker in range(4)]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        for number in range(50):
            call_id = b"%d@phone" % number
            message = b"BYE sip:b@c SIP/2.0\r\nCall-ID: " + call_id + b"\r\nCSeq: 1 BYE\r\n\r\n"
            phone.sendto(message, ("127.0.0.1", port))
            assert members[table.owner_of(slot_of(call_id, SEED))].recv(1000)
    for member in members:
        member.close()
    sockets.close()
