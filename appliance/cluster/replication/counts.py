"""What nodes count together, between the supervisors of two nodes: rate limits and wrong passwords (design 4).

Nothing is kept here. Demand is told again twice a second; of wrong passwords all are told when a link comes up. What a
link does not take is dropped and counted.
"""

from __future__ import annotations

from collections.abc import Callable

from appliance.catalogue.counters import NODE_MESSAGES_DROPPED
from appliance.catalogue.settings import Settings
from appliance.cluster.replication.link_user import NEVER, Links
from appliance.messages.bus_messages import BusMessage
from appliance.messages.count_messages import CountMessage, NodeFailures, NodeLost, NodeReached
from appliance.messages.membership import Membership


class CountReplication:
    """A user of the links. `tell_supervisor`: False where it does not take a message."""

    def __init__(self, links: Links, tell_supervisor: Callable[[BusMessage], bool]) -> None:
        self.dropped = 0
        self._links = links
        self._tell_supervisor = tell_supervisor

    def receive_from_supervisor(self, message: BusMessage) -> None:
        """What this node has counted: all nodes that are reached hear it."""
        if not isinstance(message, CountMessage):
            return
        only = message.to if isinstance(message, NodeFailures) else 0
        for member in self._links.members:
            if only in (0, member) and self._links.is_up(member):
                self.dropped += not self._links.send(member, [message])

    def fds(self) -> list[int]:
        """None."""
        return []

    def changed(self) -> None:
        """Nothing of it is for here."""

    def takes(self, message: BusMessage) -> bool:
        """Is it a count of another node?"""
        return isinstance(message, CountMessage)

    def receive(self, member: int, message: BusMessage, now: float) -> None:
        """What another node has counted; it speaks for itself only."""
        is_of_it = isinstance(message, CountMessage) and message.node == member
        if not is_of_it or isinstance(message, (NodeReached, NodeLost)) or not self._tell_supervisor(message):
            self.dropped += 1

    def link_up(self, member: int, now: float) -> None:
        """Its supervisor is to hear what this node knows."""
        self.dropped += not self._tell_supervisor(NodeReached(member))

    def link_lost(self, member: int, now: float) -> None:
        """It counts no more."""
        self.dropped += not self._tell_supervisor(NodeLost(member))

    def go_by(self, settings: Settings, membership: Membership) -> None:
        """Nothing here depends on the configuration."""

    def counts(self) -> dict[int, int]:
        """What is counted here, by counter id."""
        return {NODE_MESSAGES_DROPPED: self.dropped}

    def tick(self, now: float) -> float:
        """Nothing is due."""
        return NEVER
