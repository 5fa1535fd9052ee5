"""Rate limits that hold over a cluster: each node deals itself its part by what is asked of all (design 4)."""

from __future__ import annotations

from random import Random

import pytest

from appliance.catalogue.limit_settings import RateLimitSettings
from appliance.messages.bus_messages import BusMessage
from appliance.messages.codec import decode, encode
from appliance.messages.count_messages import NodeDemand, NodeLost
from appliance.overload.rate_limits import RateLimits
from appliance.supervisor.node_counts import NodeCounts
from appliance.supervisor.rate_allocation import REPORT_INTERVAL_S, RateAllocator
from tests.effort import examples

RATE, BURST = 200, 100
LIMIT = RateLimitSettings(name="calls", of="requests", per="source", rate_per_s=RATE, burst=BURST)
KEY = "192.0.2.7"
WORKERS = (0, 1)
STEP_S = 0.01
SETTLED_S = 4.0
ALL_S = 24.0


class Node:
    """Its workers, and what its supervisor deals."""

    def __init__(self, number: int, net: Net) -> None:
        self.number = number
        self.net = net
        self.dealer = RateAllocator()
        self.counts = NodeCounts(number)
        self.counts._dealer = self.dealer
        self.counts.send = self.send
        self.workers = {worker: RateLimits((LIMIT,)) for worker in WORKERS}
        for limits in self.workers.values():
            limits.part = 1 / len(WORKERS)
        self.deal_at = net.random.uniform(0.0, REPORT_INTERVAL_S)

    def send(self, message: BusMessage) -> bool:
        for other in self.net.nodes.values():
            if other is not self and other.number in self.net.living:
                due = self.net.now + self.net.random.uniform(0.001, 0.05)
                self.net.under_way.append((due, other, encode(message)))
        return True

    def deal(self) -> None:
        """Twice a second, as the supervisor does."""
        if self.net.now < self.deal_at:
            return
        self.deal_at += REPORT_INTERVAL_S
        for worker, limits in self.workers.items():
            self.dealer.told(worker, limits.take_demand(), self.net.now)
        self.dealer.forget_stale_nodes(self.net.now)
        self.counts.tell_demand()
        for worker, shares in self.dealer.shares((LIMIT,), WORKERS).items():
            self.workers[worker].receive_shares(shares)


class Net:
    """Three nodes; what is told arrives a little later."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.now = 100.0
        self.under_way: list[tuple[float, Node, bytes]] = []
        self.nodes: dict[int, Node] = {}
        self.living = {1, 2, 3}
        for number in sorted(self.living):
            self.nodes[number] = Node(number, self)

    def run(self, seconds: float, offered: dict[int, float]) -> int:
        """So many requests a second at each node; returns how many were let in."""
        admitted = 0
        owed = dict.fromkeys(offered, 0.0)
        for _ in range(round(seconds / STEP_S)):
            self.now += STEP_S
            for node, per_s in offered.items():
                owed[node] += per_s * STEP_S * self.random.uniform(0.5, 1.5)
                while owed[node] >= 1.0:
                    owed[node] -= 1.0
                    limits = self.nodes[node].workers[self.random.choice(WORKERS)]
                    admitted += limits.of_requests[0].admits(KEY, limits.part, self.now)
            for item in [item for item in self.under_way if item[0] <= self.now]:
                self.under_way.remove(item)
                message = decode(item[2])
                assert isinstance(message, NodeDemand)
                item[1].counts.heard(message, self.now)
            for number in self.living:
                self.nodes[number].deal()
        return admitted

    def kill(self, node: int) -> None:
        self.living.discard(node)
        for number in self.living:
            self.nodes[number].counts.heard(NodeLost(node), self.now)


@pytest.mark.parametrize("seed", range(examples(12)))
def test_the_sum_over_all_nodes_keeps_to_the_limit(seed: int) -> None:
    """Within 10 %, however the requests are spread, once they have been so for some seconds."""
    net = Net(seed)
    parts = [net.random.random() for _ in net.nodes]
    offered = {number: 3 * RATE * part / sum(parts) for number, part in zip(net.nodes, parts, strict=True)}
    net.run(SETTLED_S, offered)
    admitted = net.run(ALL_S, offered)
    assert 0.9 * RATE * ALL_S <= admitted <= 1.1 * RATE * ALL_S


@pytest.mark.parametrize("seed", range(examples(6)))
def test_requests_that_move_to_another_node_find_the_whole_rate_there(seed: int) -> None:
    """A virtual address moves, and all that comes with it."""
    net = Net(seed)
    net.run(SETTLED_S, {1: 2 * RATE})
    net.run(SETTLED_S, {2: 2 * RATE})
    admitted = net.run(ALL_S, {2: 2 * RATE})
    assert 0.9 * RATE * ALL_S <= admitted <= 1.1 * RATE * ALL_S


def test_a_node_that_is_lost_has_no_part() -> None:
    net = Net(1)
    net.run(SETTLED_S, {1: RATE, 2: RATE, 3: RATE})
    net.kill(1)
    net.run(SETTLED_S, {2: RATE, 3: RATE})
    admitted = net.run(ALL_S, {2: RATE, 3: RATE})
    assert 0.9 * RATE * ALL_S <= admitted <= 1.1 * RATE * ALL_S


def test_what_is_within_the_limit_is_let_in_everywhere() -> None:
    """Little is asked: nothing of it is refused, for the part of a node follows its use."""
    net = Net(2)
    net.run(SETTLED_S, {1: 30, 2: 60, 3: 20})
    offered = 110 * ALL_S
    assert net.run(ALL_S, {1: 30, 2: 60, 3: 20}) >= 0.99 * offered * 0.98


def test_a_node_without_demand_says_nothing() -> None:
    net = Net(3)
    net.run(2.0, {})
    assert net.under_way == []
    net.run(2.0, {1: 10})
    net.run(8.0, {})
    assert net.under_way == []


@pytest.mark.parametrize("asked", [float("nan"), float("inf"), -1e9])
def test_what_is_no_amount_takes_nothing_from_the_share_of_a_node(asked: float) -> None:
    """A share that is no number, or more than the rate, would be no limit."""
    dealer = RateAllocator()
    dealer.told(0, {"calls": {KEY: [100, 0]}}, 1.0)
    dealer.told_node(2, {"calls": {KEY: asked}}, 1.0)
    assert dealer.shares((LIMIT,), (0,)) == {0: {"calls": {KEY: float(RATE)}}}
