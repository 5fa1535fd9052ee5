"""What operators ask of another node, between the management processes of two nodes.

Nothing is kept of a question. Parts of answers wait for the link in a bounded queue a node, and leave a few at a time,
so that the link has room for the other users. What is not taken is dropped and counted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from appliance.catalogue.counters import NODE_MESSAGES_DROPPED
from appliance.catalogue.settings import Settings
from appliance.cluster.replication.link_user import NEVER, Links
from appliance.messages.bus_messages import BusMessage
from appliance.messages.membership import Membership
from appliance.messages.node_questions import AskNode, NodeAnswer, NodeNotAsked, NodeQuestion

# What waits for the link to a node: octets, and for how long. What the other end would not wait for is not sent.
WAITING_MAX: Final = 4 << 20
WAITING_PARTS_MAX: Final = 1024
WAIT_MAX_S: Final = 3.0
PARTS_PER_TURN: Final = 4
PAUSE_S: Final = 0.01


@dataclass(slots=True)
class _Waiting:
    until: float
    answer: NodeAnswer


class QuestionReplication:
    """A user of the links. `tell_management`: False where it does not take a message."""

    def __init__(self, links: Links, tell_management: Callable[[BusMessage], bool]) -> None:
        self.dropped = 0
        self._links = links
        self._tell_management = tell_management
        self._answers: dict[int, deque[_Waiting]] = {}

    def receive_from_management(self, message: BusMessage, now: float) -> None:
        """A question for another node, or an answer."""
        if isinstance(message, AskNode):
            if not self._links.send(message.node, [message]):
                self._tell(NodeNotAsked(message.node, message.number))
        elif isinstance(message, NodeAnswer):
            waiting = self._answers.setdefault(message.node, deque())
            octets = sum(len(each.answer.octets) for each in waiting) + len(message.octets)
            if len(waiting) < WAITING_PARTS_MAX and octets <= WAITING_MAX and self._links.is_up(message.node):
                waiting.append(_Waiting(now + WAIT_MAX_S, message))
            else:
                self.dropped += 1
        elif isinstance(message, NodeNotAsked):
            self.dropped += not self._links.send(message.node, [message])

    def _tell(self, message: BusMessage) -> None:
        self.dropped += not self._tell_management(message)

    # -- as a user of the links ------------------------------------------------------------------------

    def fds(self) -> list[int]:
        """None: what the management process says comes by the bus."""
        return []

    def changed(self) -> None:
        """Nothing of it is for here."""

    def takes(self, message: BusMessage) -> bool:
        """Is it a question or an answer?"""
        return isinstance(message, NodeQuestion)

    def receive(self, member: int, message: BusMessage, now: float) -> None:
        """A question of another node, or an answer; a node speaks for itself only."""
        assert isinstance(message, NodeQuestion)
        if self._tell_management(replace(message, node=member)):
            return
        self.dropped += 1
        if isinstance(message, AskNode):
            self.dropped += not self._links.send(member, [NodeNotAsked(member, message.number)])

    def link_up(self, member: int, now: float) -> None:
        """Nothing is under way with it: the management process hears that this process is there."""
        self._tell(NodeNotAsked(member, 0))

    def link_lost(self, member: int, now: float) -> None:
        """What it was asked is not answered any more."""
        self.dropped += len(self._answers.pop(member, ()))
        self._tell(NodeNotAsked(member, 0))

    def go_by(self, settings: Settings, membership: Membership) -> None:
        """Nothing here depends on the configuration."""

    def counts(self) -> dict[int, int]:
        """What is counted here, by counter id."""
        return {NODE_MESSAGES_DROPPED: self.dropped}

    def tick(self, now: float) -> float:
        """Send some parts; returns when to be called again."""
        for node, waiting in list(self._answers.items()):
            self._send_some(node, waiting, now)
            if not waiting:
                del self._answers[node]
        return now + PAUSE_S if self._answers else NEVER

    def _send_some(self, node: int, waiting: deque[_Waiting], now: float) -> None:
        while waiting and waiting[0].until < now:
            waiting.popleft()
            self.dropped += 1
        for _ in range(min(PARTS_PER_TURN, len(waiting))):
            if not self._links.send(node, [waiting[0].answer]):
                return
            waiting.popleft()
