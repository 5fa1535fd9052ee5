"""Links between nodes, over loopback: who may connect, what is lost when, and what a frozen node costs."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
import zmq

from appliance.ipc.node_links import LinksUnavailable, NodeLinks
from appliance.messages.bus_messages import BusMessage
from appliance.messages.link_messages import LinkLost, LinkUp, RecordsChanged, RecordsTaken
from appliance.messages.membership import Member, Membership

LOOPBACK = "127.0.0.1"
WAIT_S = 120.0


def free_port() -> int:
    with socket.socket() as opened:
        opened.bind((LOOPBACK, 0))
        port: int = opened.getsockname()[1]
        return port


class Keys:
    """Members 1 to 3 of a cluster with their secret keys."""

    def __init__(self) -> None:
        pairs = [zmq.curve_keypair() for _ in range(3)]
        self.secret = {number: secret.decode() for number, (_, secret) in enumerate(pairs, 1)}
        members = tuple(
            Member(number, f"node-{number}", LOOPBACK, link_port=free_port(), public_key=public.decode())
            for number, (public, _) in enumerate(pairs, 1)
        )
        self.membership = Membership(1, members)

    def links(self, number: int) -> NodeLinks:
        return NodeLinks(self.membership, number, self.secret[number])


class End:
    """The links of one member, and what they brought."""

    def __init__(self, links: NodeLinks) -> None:
        self.links = links
        self.arrived: list[tuple[int, BusMessage]] = []

    def turn(self) -> None:
        self.arrived += self.links.receive(time.monotonic())

    def of(self, kind: type[BusMessage]) -> list[int]:
        return [member for member, message in self.arrived if isinstance(message, kind)]

    def records(self) -> list[int]:
        return [message.seq for _, message in self.arrived if isinstance(message, RecordsTaken)]


def until(condition: Callable[[], bool], *ends: End) -> None:
    """Run the loops of these ends until something is true."""
    give_up_at = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < give_up_at
        with selectors.DefaultSelector() as waiting:
            for end in ends:
                for fd in end.links.fds():
                    waiting.register(fd, selectors.EVENT_READ)
            waiting.select(0.05)
        for end in ends:
            end.turn()


@contextmanager
def opened(keys: Keys, *numbers: int) -> Iterator[list[End]]:
    with ExitStack() as stack:
        ends = []
        for number in numbers:
            links = keys.links(number)
            stack.callback(links.close)
            ends.append(End(links))
        yield ends


def test_messages_travel_in_order_in_both_directions() -> None:
    keys = Keys()
    with opened(keys, 1, 2) as (first, second):
        until(lambda: first.links.is_up(2) and second.links.is_up(1), first, second)
        assert (first.of(LinkUp), second.of(LinkUp)) == ([2], [1])
        for seq in range(50):
            assert first.links.send(2, [RecordsTaken(1, seq)])
            assert second.links.send(1, [RecordsTaken(1, seq)])
        until(lambda: len(first.records()) == len(second.records()) == 50, first, second)
        assert first.records() == second.records() == list(range(50))
        assert first.links.octets(2)[0] == second.links.octets(1)[1]


def test_a_member_that_is_not_there_takes_nothing() -> None:
    keys = Keys()
    with opened(keys, 1) as (first,):
        first.turn()
        assert not first.links.send(2, [RecordsTaken(1, 1)])
        assert first.links.members == (2, 3)


def test_a_stranger_and_a_node_of_another_cluster_do_not_get_in() -> None:
    keys, others = Keys(), Keys()
    with opened(keys, 1) as (first,), ExitStack() as stack:
        context = stack.enter_context(zmq.Context())
        server = keys.membership.member(1)
        public, secret = zmq.curve_keypair()
        for own_public, own_secret in ((public, secret), (others.membership.member(2).public_key.encode(),
                                                         others.secret[2].encode())):
            stranger = stack.enter_context(context.socket(zmq.PUSH))
            stranger.setsockopt(zmq.LINGER, 0)
            stranger.setsockopt(zmq.CURVE_SERVERKEY, server.public_key.encode())
            stranger.setsockopt(zmq.CURVE_PUBLICKEY, own_public)
            stranger.setsockopt(zmq.CURVE_SECRETKEY, own_secret)
            stranger.connect(f"tcp://{LOOPBACK}:{server.link_port}")
        plain = stack.enter_context(context.socket(zmq.PUSH))
        plain.setsockopt(zmq.LINGER, 0)
        plain.connect(f"tcp://{LOOPBACK}:{server.link_port}")
        plain.send(b"hello", zmq.NOBLOCK)
        until(lambda: first.links.refused >= 2, first)
        assert not first.arrived


def test_a_server_with_another_key_is_not_talked_to() -> None:
    """A machine that takes the address of a member does not have its secret key."""
    keys, others = Keys(), Keys()
    impostor = others.membership.member(1)
    at_its_place = Membership(1, (Member(1, "x", LOOPBACK, link_port=keys.membership.member(1).link_port,
                                         public_key=impostor.public_key), *others.membership.others(1)))
    with opened(keys, 2) as (second,), ExitStack() as stack:
        links = NodeLinks(at_its_place, 1, others.secret[1])
        stack.callback(links.close)
        first = End(links)
        until(lambda: "its key is not" in second.links.fault_of(1), first, second)
        assert not second.links.is_up(1)


def test_a_member_that_left_is_cut_off() -> None:
    keys = Keys()
    with opened(keys, 1, 2) as (first, second):
        until(lambda: first.links.is_up(2) and second.links.is_up(1), first, second)
        first.links.go_by(Membership(2, tuple(keys.membership.others(2))))
        assert second.links.send(1, [RecordsTaken(1, 1)])
        until(lambda: first.links.stale > 0, first, second)
        assert first.records() == []
        assert first.of(LinkLost) == [2]


def test_a_link_that_is_lost_comes_back_as_another_session() -> None:
    keys = Keys()
    with opened(keys, 1) as (first,):
        with opened(keys, 2) as (second,):
            until(lambda: first.links.is_up(2) and second.links.is_up(1), first, second)
        until(lambda: first.of(LinkLost) == [2], first)
        assert not first.links.send(2, [RecordsTaken(1, 1)])
        with opened(keys, 2) as (second,):
            until(lambda: first.links.is_up(2) and second.links.is_up(1), first, second)
            assert first.of(LinkUp) == [2, 2]


def test_an_address_that_cannot_be_opened_is_said() -> None:
    keys = Keys()
    with opened(keys, 1), pytest.raises(LinksUnavailable, match="cannot be taken on"):
        keys.links(1)


def fields_of(keys: Keys) -> list[tuple[object, ...]]:
    """Of each member, for another process."""
    return [
        (member.number, member.name, member.host, member.port, member.is_witness, member.link_port, member.public_key)
        for member in keys.membership.members
    ]


FROZEN = """
import sys, time
from appliance.ipc.node_links import NodeLinks
from appliance.messages.membership import Member, Membership
members = tuple(Member(*fields) for fields in eval(sys.argv[1]))
links = NodeLinks(Membership(1, members), 2, sys.argv[2])
while True:
    links.receive(time.monotonic())
    time.sleep(0.01)
"""


def test_a_frozen_node_is_noticed_and_costs_a_bounded_memory() -> None:
    """The kernel of a frozen node still accepts connections: it is not taken for alive, and nothing piles up."""
    keys = Keys()
    with opened(keys, 1) as (first,):
        peer = subprocess.Popen([sys.executable, "-c", FROZEN, repr(fields_of(keys)), keys.secret[2]])
        try:
            until(lambda: first.links.is_up(2), first)
            os.kill(peer.pid, signal.SIGSTOP)
            batch = [RecordsChanged(1, 0, 1, [bytes(16_000)])]
            accepted = 0
            while first.links.send(2, batch):
                accepted += 1
                assert accepted < 2000, "the queue has no end"
            until(lambda: first.of(LinkLost) == [2], first)
            os.kill(peer.pid, signal.SIGCONT)
            until(lambda: first.of(LinkUp) == [2, 2], first)
        finally:
            peer.kill()
            peer.wait()


UNREAD = """
import select, sys, time
from appliance.ipc.node_links import NodeLinks
from appliance.messages.membership import Member, Membership
members = tuple(Member(*fields) for fields in eval(sys.argv[1]))
links = NodeLinks(Membership(1, members), 2, sys.argv[2])
while not select.select([sys.stdin], [], [], 0.01)[0]:
    links.receive(time.monotonic())
sys.stdin.readline()
print("reads no more", flush=True)
sys.stdin.readline()
# Long enough for whatever ZeroMQ does by its own clock.
time.sleep(0.5)
while links.is_up(1):
    links.receive(time.monotonic())
print("lost", flush=True)
"""


def test_a_connection_that_breaks_while_nothing_is_read_costs_the_link_only() -> None:
    """Heartbeats of libzmq 4.3.5 would end the process here: "Assertion failed: !_io_error"."""
    keys = Keys()
    command = [sys.executable, "-c", UNREAD, repr(fields_of(keys)), keys.secret[2]]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as peer:
        with opened(keys, 1) as (first,):
            until(lambda: first.links.is_up(2), first)
            assert peer.stdin is not None and peer.stdout is not None
            peer.stdin.write("\n")
            peer.stdin.flush()
            assert peer.stdout.readline() == "reads no more\n"
            fill(first, 2)
        assert peer.communicate("\n", WAIT_S)[0] == "lost\n"


def fill(end: End, member: int) -> None:
    """Send until nothing more goes to that member, though its kernel has had the time to take it."""
    batch = [RecordsChanged(1, 0, 1, [bytes(16_000)])]
    while end.links.send(member, batch):
        while end.links.send(member, batch):
            pass
        time.sleep(0.05)


def test_connections_from_other_addresses_are_closed_at_once() -> None:
    """They cost no handshake and no descriptor, however many there are (the members of this test are on 127.0.0.1)."""
    keys = Keys()
    strangers = 200
    with opened(keys, 1, 2) as (first, second), ExitStack() as stack:
        until(lambda: first.links.is_up(2) and second.links.is_up(1), first, second)
        descriptors = len(os.listdir("/proc/self/fd"))
        for _ in range(strangers):
            stranger = stack.enter_context(socket.socket())
            stranger.bind(("127.0.0.2", 0))
            stranger.connect((LOOPBACK, keys.membership.member(1).link_port))
            stranger.settimeout(WAIT_S)
            # Not even the greeting of the protocol (ZMTP 3.1, 3.2).
            assert stranger.recv(64) == b""
        assert len(os.listdir("/proc/self/fd")) <= descriptors + strangers
        assert first.links.is_up(2) and second.links.is_up(1)


def test_a_member_at_another_address_is_let_in_when_it_has_joined() -> None:
    """The links that there are come back at once."""
    keys = Keys()
    member = keys.membership.member(3)
    moved = Member(3, "node-3", "127.0.0.3", link_port=member.link_port, public_key=member.public_key)
    before = Membership(1, keys.membership.members[:2])
    after = Membership(2, (*before.members, moved))
    with ExitStack() as stack:
        ends = [End(NodeLinks(before, number, keys.secret[number])) for number in (1, 2)]
        ends.append(End(NodeLinks(after, 3, keys.secret[3])))
        for end in ends:
            stack.callback(end.links.close)
        until(lambda: ends[0].links.is_up(2), *ends)
        for end in ends[:2]:
            end.links.go_by(after)
        until(lambda: all(end.links.is_up(number) for end, number in zip(ends, (3, 1, 2), strict=True)), *ends)
        until(lambda: ends[0].links.is_up(2) and ends[2].links.is_up(1), *ends)
