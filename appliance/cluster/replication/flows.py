"""Flows of all nodes: workers hear which node holds which connection, and what goes by them, or from an address of
another node, is passed on (design 4).

The replicator remembers the connections of its own workers, to tell them to a node that a link comes up to, and those
of other nodes, to tell them to a worker that starts. What a worker is told of a node without a link is void. Messages
are passed on in batches, one for each destination and turn; what a link or a worker does not take has failed, and who
wanted it sent hears of it. Who has missed news of connections is told of all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from appliance.catalogue.counters import NODE_MESSAGES_DROPPED
from appliance.catalogue.settings import Settings
from appliance.cluster.replication.link_user import NEVER, Links
from appliance.messages.bus_messages import BusMessage, PeerStarted
from appliance.messages.flow_messages import (
    ConnectionsWanted,
    FlowMessage,
    NamedFlow,
    ResponseReturned,
    SendByNode,
    SendByNodeFailed,
    WorkerConnections,
)
from appliance.messages.membership import Membership
from appliance.transport.process_id import ProcessId, node_of, process_id, worker_of
from appliance.transport.transport_table import is_stream

ASK_EVERY_S: Final = 1.0
# Of a worker that did not take what it was told: most often the bus is not connected yet.
ASK_SOON_S: Final = 0.05
# A node that has missed news is told all no more often than this: its link had too much to do.
LIST_EVERY_S: Final = 0.2
PORTION: Final = 500
# Of one node; a worker has fewer descriptors.
CONNECTIONS_MAX: Final = 262_144

# How a worker is told something: False where it does not take it.
Tell = Callable[[ProcessId, Sequence[BusMessage]], bool]


class FlowReplication:
    """The flows of node `me`, which has so many workers, and those of others. `tell`: sends by the bus."""

    def __init__(self, me: int, workers: int, links: Links, tell: Tell) -> None:
        self.dropped = 0
        self._me = me
        self._workers = [process_id(me, number) for number in range(workers)]
        self._links = links
        self._tell = tell
        self._own: dict[ProcessId, dict[int, NamedFlow]] = {}
        self._of_others: dict[ProcessId, dict[int, NamedFlow]] = {}
        self._for_nodes: dict[int, list[BusMessage]] = {}
        self._for_workers: dict[ProcessId, list[BusMessage]] = {}
        self._ask_at = 0.0
        self._untold: set[int] = set()
        """Nodes that have missed news, because their links did not take them."""
        self._list_at = 0.0

    # -- from workers of this node -------------------------------------------------------------------

    def receive_from_worker(self, sender: ProcessId, message: BusMessage) -> None:
        """What a worker of this node says, or that there is a new one."""
        if sender not in self._workers:
            return
        if isinstance(message, PeerStarted):
            self._begin(sender)
        elif isinstance(message, WorkerConnections):
            if sender not in self._own:
                self._own[sender] = {}
                self._tell_of_others(sender)
            _note(self._own[sender], message)
            for node in self._links.members:
                self._for_nodes.setdefault(node, []).append(message)
        elif isinstance(message, (SendByNode, SendByNodeFailed, ResponseReturned)):
            self._for_nodes.setdefault(node_of(message.process), []).append(message)

    def _begin(self, worker: ProcessId) -> None:
        """It is new, and knows nothing; nothing is known of it."""
        if self._own.pop(worker, None):
            gone = WorkerConnections(worker, is_anew=True)
            for node in self._links.members:
                self._for_nodes.setdefault(node, []).append(gone)
        self._for_workers[worker] = [ConnectionsWanted()]

    def _tell_of_others(self, worker: ProcessId) -> None:
        messages = self._for_workers.setdefault(worker, [])
        for process, held in self._of_others.items():
            messages += _listing(process, held)

    # -- as a user of the links ------------------------------------------------------------------------

    def fds(self) -> list[int]:
        """None: what workers say comes by the bus of the process."""
        return []

    def changed(self) -> None:
        """Nothing of it is for here."""

    def takes(self, message: BusMessage) -> bool:
        """Is it about flows?"""
        return isinstance(message, FlowMessage)

    def receive(self, member: int, message: BusMessage, now: float) -> None:
        """What another node says; a node speaks for its own workers only."""
        if isinstance(message, WorkerConnections):
            if node_of(message.process) == member:
                _note(self._of_others.setdefault(message.process, {}), message)
                message.is_gone = False
                self._tell_all(message)
        elif isinstance(message, (SendByNode, SendByNodeFailed, ResponseReturned)) and self._is_own(message.process):
            self._for_workers.setdefault(self._worker_for(message), []).append(message)
        else:
            self.dropped += 1

    def _worker_for(self, message: SendByNode | SendByNodeFailed | ResponseReturned) -> ProcessId:
        """The one that it is for. A datagram is for any of them: the other node may have more workers."""
        if _is_datagram(message):
            return self._workers[worker_of(message.process) % len(self._workers)]
        return message.process

    def _is_own(self, process: ProcessId) -> bool:
        return node_of(process) == self._me

    def _tell_all(self, message: WorkerConnections) -> None:
        for worker in self._own:
            self._for_workers.setdefault(worker, []).append(message)

    def link_up(self, member: int, now: float) -> None:
        """It knows nothing of the connections of this node."""
        self._untold.discard(member)
        self._list_for(member)

    def _list_for(self, member: int) -> None:
        messages = self._for_nodes.setdefault(member, [])
        for process, held in self._own.items():
            messages += _listing(process, held)

    def link_lost(self, member: int, now: float) -> None:
        """Its connections cannot be used, and what was on its way to them is lost."""
        for process in [process for process in self._of_others if node_of(process) == member]:
            del self._of_others[process]
            self._tell_all(WorkerConnections(process, is_anew=True, is_gone=True))

    def go_by(self, settings: Settings, membership: Membership) -> None:
        """Nothing here depends on the configuration."""

    def counts(self) -> dict[int, int]:
        """What is counted here, by counter id."""
        return {NODE_MESSAGES_DROPPED: self.dropped}

    def tick(self, now: float) -> float:
        """Pass on what has come; returns when to be called again."""
        self._ask(now)
        self._list_again(now)
        for node, messages in list(self._for_nodes.items()):
            del self._for_nodes[node]
            self._pass_to_node(node, messages)
        for worker, messages in list(self._for_workers.items()):
            del self._for_workers[worker]
            self._pass_to_worker(worker, messages, now)
        if self._for_nodes or self._for_workers:
            return now
        ask_at = self._ask_at if len(self._own) < len(self._workers) else NEVER
        return min(ask_at, self._list_at) if self._untold else ask_at

    def _list_again(self, now: float) -> None:
        """Tell all to the nodes that have missed news."""
        if not self._untold or now < self._list_at:
            return
        self._list_at = now + LIST_EVERY_S
        nodes, self._untold = self._untold, set()
        for node in nodes:
            self._list_for(node)

    def _ask(self, now: float) -> None:
        """A worker that was not heard of is there all the same, where this process was started again."""
        if now < self._ask_at:
            return
        self._ask_at = now + ASK_EVERY_S
        for worker in self._workers:
            if worker not in self._own and worker not in self._for_workers:
                self._tell(worker, [ConnectionsWanted()])

    def _pass_to_node(self, node: int, messages: list[BusMessage]) -> None:
        for begin in range(0, len(messages), PORTION):
            portion = messages[begin : begin + PORTION]
            if self._links.send(node, portion):
                continue
            self._not_sent(portion)
            if self._links.is_up(node) and any(isinstance(message, WorkerConnections) for message in portion):
                # Without a link it is told all when the link is back.
                self._untold.add(node)

    def _pass_to_worker(self, worker: ProcessId, messages: list[BusMessage], now: float) -> None:
        if self._tell(worker, messages):
            return
        for message in messages:
            if isinstance(message, ResponseReturned) or _is_datagram(message):
                # Any of them knows whose call it is, and can send from all addresses.
                if not any(self._tell(other, [message]) for other in self._own if other != worker):
                    self._not_sent([message])
            elif isinstance(message, SendByNode):
                self._not_sent([message])
            else:
                # It is asked again, and told all then.
                self._own.pop(worker, None)
                self._ask_at = min(self._ask_at, now + ASK_SOON_S)

    def _not_sent(self, messages: Sequence[BusMessage]) -> None:
        """Who wanted it sent hears of it; news of connections are told again."""
        for message in messages:
            if isinstance(message, WorkerConnections):
                continue
            self.dropped += 1
            if isinstance(message, SendByNode) and message.branch:
                failed = SendByNodeFailed(message.asker, message.branch)
                if self._is_own(message.asker):
                    self._for_workers.setdefault(message.asker, []).append(failed)
                else:
                    self._for_nodes.setdefault(node_of(message.asker), []).append(failed)


def _is_datagram(message: BusMessage) -> bool:
    return isinstance(message, SendByNode) and not is_stream(message.flow.transport)


def _note(held: dict[int, NamedFlow], message: WorkerConnections) -> None:
    if message.is_anew:
        held.clear()
    for number in message.closed:
        held.pop(number, None)
    for flow in message.opened:
        if len(held) < CONNECTIONS_MAX:
            held[flow.connection] = flow


def _listing(process: ProcessId, held: dict[int, NamedFlow]) -> list[BusMessage]:
    """All of them, in portions."""
    flows = list(held.values())
    portions = [flows[begin : begin + PORTION] for begin in range(0, len(flows), PORTION)] or [[]]
    first = WorkerConnections(process, portions[0], is_anew=True)
    return [first, *(WorkerConnections(process, portion) for portion in portions[1:])]
