"""Wrong passwords are counted by all nodes together (RFC 3261 26.1)."""

from __future__ import annotations

from appliance.catalogue.authentication_settings import LockoutSettings
from appliance.messages.bus_messages import BusMessage, FailuresCounted
from appliance.messages.count_messages import CountMessage, NodeFailures, NodeReached
from appliance.messages.supervisor_requests import ClearFailures
from appliance.supervisor.guessing_monitor import FailureWatch
from appliance.supervisor.node_counts import NodeCounts
from appliance.supervisor.rate_allocation import RateAllocator

NOW = 1000.0
LIMITS = LockoutSettings()
SOURCE, USER = "192.0.2.66", "bob@example.com"


class Node:
    """A supervisor's part: `told` are the messages to its workers."""

    def __init__(self, number: int) -> None:
        self.log: list[str] = []
        self.failures = FailureWatch(LIMITS, self.log.append)
        self.counts = NodeCounts(number)
        self.counts.join(RateAllocator(), self.failures)
        self.counts.send = self._send
        self.counts.tell_workers = lambda message: self.told.append(message)
        self.sent: list[BusMessage] = []
        self.told: list[BusMessage] = []

    def _send(self, message: BusMessage) -> bool:
        self.sent.append(message)
        return True

    def fail(self, count: int) -> None:
        """A worker has counted."""
        news = {SOURCE: {USER: count}}
        self.failures.told(news, NOW)
        self.counts.tell_failures(news)

    def pairs(self) -> int:
        rows = self.failures.rows(100, NOW, NOW).rows
        return sum(row.failures for row in rows if "(all)" not in (row.source, row.user))

    def carry(self, other: Node) -> None:
        for message in self.sent:
            assert isinstance(message, CountMessage)
            other.counts.heard(message, NOW)
        self.sent = []


def test_what_one_node_has_counted_counts_at_the_other() -> None:
    one, two = Node(1), Node(2)
    one.fail(3)
    one.carry(two)
    assert two.pairs() == 3
    assert two.told == [FailuresCounted({SOURCE: {USER: 3}})]
    # It is said once, in the log of the node that has seen it.
    assert len(one.log) == 1 and two.log == []


def test_a_node_that_is_reached_hears_of_all_and_counts_nothing_twice() -> None:
    one, two = Node(1), Node(2)
    one.fail(5)
    one.sent = []
    one.counts.heard(NodeReached(2), NOW)
    assert one.sent == [NodeFailures(1, {SOURCE: {USER: 5}}, is_all=True, to=2)]
    one.carry(two)
    one.counts.heard(NodeReached(2), NOW)
    one.carry(two)
    assert two.pairs() == 5
    assert len(two.told) == 1


def test_what_is_cleared_is_cleared_everywhere() -> None:
    one, two = Node(1), Node(2)
    one.fail(5)
    one.failures.clear(SOURCE)
    one.counts.tell_cleared(SOURCE)
    one.carry(two)
    assert two.pairs() == 0
    assert two.told[-1] == ClearFailures(SOURCE)
