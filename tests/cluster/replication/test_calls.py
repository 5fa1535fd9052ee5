"""Copies of calls between nodes: to the one that would take an address over, all of them on a new link (design 4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from appliance.catalogue.cluster_settings import ClusterSettings
from appliance.catalogue.settings import Settings
from appliance.cluster.replication import calls
from appliance.cluster.replication.calls import BATCHES_MAX, TAKEN_EVERY, CallReplication
from appliance.messages.bus_messages import BusMessage
from appliance.messages.call_copies import CallCopy
from appliance.messages.call_messages import CopiesSent, CopiesTaken
from appliance.messages.membership import Member, Membership

ADDRESS, OTHER = 7, 9
WAIT = Settings(cluster=ClusterSettings(calls="wait"))
ORDER = {ADDRESS: (1, 2, 3), OTHER: (3, 1, 2)}


class Network:
    """Links between nodes: what is sent arrives when `carry` is called."""

    def __init__(self, *nodes: int) -> None:
        self.nodes = {node: Node(node, self) for node in nodes}
        self.under_way: list[tuple[int, int, BusMessage]] = []
        self.full: set[int] = set()
        self.now = 100.0

    def join(self, one: int, other: int) -> None:
        for node, member in ((one, other), (other, one)):
            self.nodes[node].calls.link_up(member, self.now)

    def part(self, one: int, other: int) -> None:
        self.under_way = [item for item in self.under_way if {item[0], item[1]} != {one, other}]
        for node, member in ((one, other), (other, one)):
            self.nodes[node].calls.link_lost(member, self.now)

    def carry(self) -> list[BusMessage]:
        """Until nothing is under way; what was carried."""
        carried = []
        while self.under_way:
            sender, receiver, message = self.under_way.pop(0)
            carried.append(message)
            self.nodes[receiver].calls.receive(sender, message, self.now)
        return carried

    def run(self) -> list[BusMessage]:
        """Some time passes: logs are read and what is in them is carried."""
        carried = []
        for _ in range(3):
            self.now += 0.1
            for node in self.nodes.values():
                node.calls.tick(self.now)
            carried += self.carry()
        return carried


class Node:
    """Its links, the log of its workers and its memory, in one."""

    def __init__(self, number: int, network: Network) -> None:
        self.number = number
        self.network = network
        self.log: list[CallCopy] = []
        self.kept: dict[int, dict[bytes, CallCopy]] = {}
        self.missed = self.refused = self.expired = 0
        self.written = 0
        self.acknowledged: dict[int, int] = {}
        self.is_waited = False
        self.calls = CallReplication(number, self, self, self, ORDER, self)

    members: tuple[int, ...] = ()

    def is_up(self, member: int) -> bool:
        return True

    def send(self, member: int, messages: Sequence[BusMessage]) -> bool:
        if member in self.network.full:
            return False
        self.network.under_way += [(self.number, member, message) for message in messages]
        return True

    def read(self) -> list[CallCopy]:
        log, self.log = self.log, []
        return log

    def positions(self) -> dict[int, int]:
        return {0: self.written}

    def note_calls(self, worker: int, octets: int) -> None:
        self.acknowledged[worker] = octets

    def wait_for_calls(self, is_waited: bool) -> None:
        self.is_waited = is_waited

    def write(self, position: int, *copies: CallCopy) -> None:
        """A worker has written so far, and waits."""
        self.log += copies
        self.written = position
        self.calls.changed()

    def begin(self, node: int) -> None:
        self.kept[node] = {}

    def keep(self, node: int, copies: Iterable[CallCopy], now: float) -> None:
        for copy in copies:
            if copy[3]:
                self.kept[node][copy[0]] = copy
            else:
                self.kept[node].pop(copy[0], None)

    def expire(self, now: float) -> None:
        return

    def has(self, node: int) -> set[bytes]:
        return {copy[3] for copy in self.kept.get(node, {}).values()}


def copy(number: int, snapshot: bytes = b"", address: int = ADDRESS) -> CallCopy:
    return b"key %d" % number, b"call", address, snapshot


def test_a_call_goes_to_the_node_that_would_take_its_address_over() -> None:
    network = Network(1, 2, 3)
    network.join(1, 2)
    network.join(1, 3)
    network.nodes[1].log = [copy(1, b"rings"), copy(2, b"rings there", OTHER)]
    network.run()
    assert network.nodes[2].has(1) == {b"rings"}
    assert network.nodes[3].has(1) == {b"rings there"}


def test_what_is_over_is_over_there() -> None:
    network = Network(1, 2)
    network.join(1, 2)
    network.nodes[1].log = [copy(1, b"called"), copy(2, b"called too")]
    network.run()
    network.nodes[1].log = [copy(1, b"rings"), copy(2)]
    network.run()
    assert network.nodes[2].has(1) == {b"rings"}
    assert len(network.nodes[1].calls) == 1
    assert network.nodes[1].calls.unacknowledged == 0


def test_changes_of_one_look_go_in_one_message() -> None:
    """What a message costs is the wake-ups of two processes."""
    network = Network(1, 2)
    network.join(1, 2)
    network.run()
    network.nodes[1].log = [copy(number % 50, b"%d" % number) for number in range(500)]
    messages = network.run()
    assert [type(message) for message in messages] == [CopiesSent]
    assert len(network.nodes[2].has(1)) == 50


def test_a_new_link_begins_with_all_calls() -> None:
    network = Network(1, 2)
    network.nodes[1].log = [copy(1, b"rings"), copy(2, b"over"), copy(2)]
    network.run()
    network.join(1, 2)
    network.carry()
    assert network.nodes[2].has(1) == {b"rings"}
    network.part(1, 2)
    network.nodes[1].log = [copy(1), copy(3, b"rings now")]
    network.run()
    assert network.nodes[2].has(1) == {b"rings"}
    network.join(1, 2)
    network.run()
    assert network.nodes[2].has(1) == {b"rings now"}


def test_when_a_link_is_lost_the_next_node_gets_all() -> None:
    network = Network(1, 2, 3)
    network.join(1, 2)
    network.join(1, 3)
    network.nodes[1].log = [copy(1, b"rings")]
    network.run()
    assert network.nodes[3].has(1) == set()
    network.part(1, 2)
    network.run()
    assert network.nodes[3].has(1) == {b"rings"}
    assert network.nodes[2].has(1) == {b"rings"}
    network.join(1, 2)
    network.run()
    assert network.nodes[3].has(1) == set()


def test_a_slow_node_gets_the_last_state_of_each_call() -> None:
    """And no more messages under way than it has acknowledged some."""
    network = Network(1, 2)
    network.join(1, 2)
    network.run()
    one = network.nodes[1]
    for number in range(200):
        one.log = [copy(1, b"state %d" % number)]
        network.now += 0.1
        one.calls.tick(network.now)
    assert BATCHES_MAX - TAKEN_EVERY < len(network.under_way) <= BATCHES_MAX
    assert one.calls.unacknowledged == 1
    network.run()
    assert network.nodes[2].has(1) == {b"state 199"}


def test_a_link_that_takes_nothing_now_gets_it_later() -> None:
    network = Network(1, 2)
    network.join(1, 2)
    network.full = {2}
    network.nodes[1].log = [copy(1, b"rings")]
    network.run()
    assert network.nodes[2].has(1) == set()
    network.full = set()
    network.run()
    assert network.nodes[2].has(1) == {b"rings"}


def test_what_waits_is_bounded_and_the_oldest_is_dropped(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(calls, "CALLS_MAX", 10)
    network = Network(1, 2)
    network.nodes[1].log = [copy(number, b"%d" % number) for number in range(15)]
    network.run()
    assert network.nodes[1].calls.dropped == 5
    network.join(1, 2)
    network.run()
    assert network.nodes[2].has(1) == {b"%d" % number for number in range(5, 15)}


def test_long_snapshots_go_in_several_messages() -> None:
    network = Network(1, 2)
    network.join(1, 2)
    network.nodes[1].log = [copy(number, b"%d" % number + b"x" * 60_000) for number in range(20)]
    messages = [message for message in network.run() if isinstance(message, CopiesSent) and message.octets]
    assert [message.number for message in messages] == list(range(2, len(messages) + 2))
    assert len(messages) >= 5
    assert len(network.nodes[2].has(1)) == 20


def test_octets_that_cannot_be_read_are_counted_and_acknowledged() -> None:
    network = Network(1, 2)
    network.join(1, 2)
    network.nodes[2].calls.receive(1, CopiesSent(TAKEN_EVERY, True, b"\xff\xff"), network.now)
    assert network.nodes[2].calls.damaged == 1
    assert network.under_way[-1] == (2, 1, CopiesTaken(TAKEN_EVERY))


def test_an_acknowledgement_of_what_was_not_sent_changes_nothing() -> None:
    network = Network(1, 2)
    network.join(1, 2)
    network.nodes[1].calls.receive(2, CopiesTaken(1000), network.now)
    network.nodes[1].log = [copy(1, b"rings")]
    network.run()
    assert network.nodes[2].has(1) == {b"rings"}


# -- `cluster calls wait` ----------------------------------------------------------------------------


def waiting_network() -> Network:
    network = Network(1, 2, 3)
    members = tuple(Member(number, f"node-{number}") for number in network.nodes)
    for node in network.nodes.values():
        node.calls.go_by(WAIT, Membership(1, members))
        node.calls._preferences = ORDER
    network.join(1, 2)
    network.join(1, 3)
    network.run()
    return network


def test_workers_wait_until_the_other_node_has_what_they_wrote() -> None:
    network = waiting_network()
    one = network.nodes[1]
    assert one.is_waited
    one.write(500, copy(1, b"rings"))
    one.calls.tick(network.now)
    assert one.acknowledged.get(0, 0) < 500
    network.carry()
    assert one.acknowledged == {0: 500}


def test_workers_wait_for_all_nodes_that_get_something() -> None:
    network = waiting_network()
    one = network.nodes[1]
    one.write(500, copy(1, b"rings"), copy(2, b"rings there", OTHER))
    one.calls.tick(network.now)
    taken = [item for item in network.under_way if item[1] == 2]
    network.under_way = [item for item in network.under_way if item[1] != 2]
    network.carry()
    assert one.acknowledged.get(0, 0) < 500
    network.under_way = taken
    network.carry()
    assert one.acknowledged == {0: 500}


def test_a_call_that_changes_again_is_waited_for_in_its_last_state() -> None:
    network = waiting_network()
    one = network.nodes[1]
    network.full = {2}
    one.write(500, copy(1, b"rings"))
    one.calls.tick(network.now)
    one.write(900, copy(1, b"answered"))
    one.calls.tick(network.now)
    assert one.acknowledged.get(0, 0) < 500
    network.full = set()
    network.run()
    assert one.acknowledged == {0: 900}
    assert network.nodes[2].has(1) == {b"answered"}


def test_no_message_waits_for_a_node_that_is_lost() -> None:
    network = waiting_network()
    one = network.nodes[1]
    one.write(500, copy(1, b"rings"))
    one.calls.tick(network.now)
    network.part(1, 2)
    network.run()
    assert one.acknowledged == {0: 500}
    network.part(1, 3)
    assert not one.is_waited


def test_without_the_setting_no_message_waits() -> None:
    network = Network(1, 2)
    network.join(1, 2)
    network.nodes[1].write(500, copy(1, b"rings"))
    network.run()
    assert not network.nodes[1].is_waited
    assert network.nodes[1].acknowledged == {}
