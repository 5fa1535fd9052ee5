"""What this node counts together with the other nodes of its cluster: demand for rate limits, and wrong passwords.

Each node tells the others twice a second what is asked of it, and deals itself its part of each rate limit by that
(rate_allocation.py): no request waits for another node. Wrong passwords are told as they are counted, and all of them
to a node that is reached.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from appliance.messages.bus_messages import BusMessage, FailuresCounted
from appliance.messages.count_messages import (
    CountMessage,
    NodeDemand,
    NodeFailures,
    NodeFailuresCleared,
    NodeLost,
    NodeReached,
)
from appliance.messages.supervisor_requests import ClearFailures
from appliance.security.authentication_failures import News
from appliance.supervisor.guessing_monitor import FailureWatch
from appliance.supervisor.rate_allocation import RateAllocator

# Pairs of source and user in one message.
PORTION: Final = 500


class NodeCounts:
    """Of node `me`. `send` passes a message to the replicator, `tell_workers` one to each worker."""

    def __init__(self, me: int) -> None:
        self.send: Callable[[BusMessage], bool] = lambda message: False
        self.tell_workers: Callable[[BusMessage], object] = lambda message: None
        self._me = me
        self._dealer = RateAllocator()
        self._has_told_demand = False
        self._failures: FailureWatch | None = None

    def join(self, dealer: RateAllocator, failures: FailureWatch) -> None:
        """What this node counts by itself."""
        self._dealer, self._failures = dealer, failures

    def tell_demand(self) -> None:
        """The other nodes hear what is asked of this one, and once that it is nothing."""
        demand = self._dealer.node_demand()
        if demand or self._has_told_demand:
            self._has_told_demand = self.send(NodeDemand(self._me, demand)) and bool(demand)

    def tell_failures(self, news: News) -> None:
        """Workers of this node have counted wrong passwords."""
        self.send(NodeFailures(self._me, news))

    def tell_cleared(self, who: str) -> None:
        """An operator has had failures forgotten here."""
        self.send(NodeFailuresCleared(self._me, who))

    def heard(self, message: CountMessage, now: float) -> None:
        """What another node has counted, or that one has come or gone."""
        if isinstance(message, NodeDemand):
            self._dealer.told_node(message.node, message.demand, now)
        elif isinstance(message, NodeLost):
            self._dealer.forget_node(message.node)
        elif self._failures is None:
            return
        elif isinstance(message, NodeFailures):
            news = self._failures.news_of_node(message.failures, message.is_all, now)
            if news:
                self.tell_workers(FailuresCounted(news))
        elif isinstance(message, NodeFailuresCleared):
            self._failures.clear(message.who)
            self.tell_workers(ClearFailures(message.who))
        elif isinstance(message, NodeReached):
            for portion in self._failures.portions(PORTION, now):
                self.send(NodeFailures(self._me, portion, is_all=True, to=message.node))
