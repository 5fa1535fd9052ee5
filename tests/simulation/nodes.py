"""Two nodes of a cluster with one virtual address, which one of them owns; the other one has copies of its calls.

Copies travel in order and take a moment; those that are under way when their sender dies arrive. The nodes have one
registration table, as if replication took no time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from appliance.catalogue.settings import Settings
from appliance.location.dict_table import DictStore
from appliance.messages.call_copies import CallCopy
from appliance.transport.flow import Flow, Outgoing
from tests.simulation.cluster import Cluster
from tests.simulation.schedule import Schedule

NO_NODE = 0
# A lease of a dead owner ends, and another one is given.
OUTAGE_S = 0.65
# Of an owner that gives it up.
SWITCHOVER_S = 0.005
COPY_DELAY_S = (0.0005, 0.02)
LINK_AGAIN_S = 0.5


class NodeGroup:
    """`owner`: the node whose kernel answers for the address. `workers`: of node 1, of node 2."""

    def __init__(
        self,
        settings: Settings,
        workers: Sequence[int],
        schedule: Schedule,
        random: Random,
        send: Callable[[Outgoing], None],
    ) -> None:
        self.owner = NO_NODE
        self.living: dict[int, Cluster] = {}
        self._settings = settings
        self._workers = dict(enumerate(workers, 1))
        self._schedule = schedule
        self._random = random
        self._send = send
        self._store = DictStore()
        self._dead: list[Cluster] = []
        self._starts = 0
        # By the node that has the calls: its copies by their keys, as it has them, and as the other one has them.
        self._own_copies: dict[int, dict[bytes, CallCopy]] = {}
        self._received: dict[int, dict[bytes, CallCopy]] = {}
        self._link_free_at = 0.0
        for node in self._workers:
            self.revive(node)
        self._own(1, NO_NODE)

    # -- life and death ------------------------------------------------------------------------------

    def revive(self, node: int) -> None:
        """It starts, and its link to the other one brings all that the other one has."""
        self._starts += 1
        self._own_copies[node] = {}
        self.living[node] = Cluster(
            self._settings,
            self._workers[node],
            self._schedule,
            self._random,
            lambda outgoing: self._leave(node, outgoing),
            node=node,
            boot=b"start %d" % self._starts,
            store=self._store,
            copy=lambda copies: self._copy(node, copies),
        )
        other = self._other(node)
        self._received[other] = {}
        self._schedule.after(LINK_AGAIN_S, lambda: self._link_up(other))

    def kill_owner(self) -> int:
        """It is gone with all it had, and the other one takes the address over; returns the dead."""
        dead = self.owner
        self.living[dead].end()
        self._dead.append(self.living.pop(dead))
        self.owner = NO_NODE
        self._schedule.after(OUTAGE_S, lambda: self._own(self._other(dead), dead))
        return dead

    def switch_over(self) -> None:
        """The owner gives the address to the other one."""
        former, self.owner = self.owner, NO_NODE
        self.living[former].lose()
        self._schedule.after(SWITCHOVER_S, lambda: self._own(self._other(former), former))

    def _own(self, node: int, former: int) -> None:
        self.owner = node
        self.living[node].own(self._received.get(former, {}).values())
        self._received[former] = {}

    def _other(self, node: int) -> int:
        return next(other for other in self._workers if other != node)

    # -- copies of calls -----------------------------------------------------------------------------

    def _copy(self, node: int, copies: Sequence[CallCopy]) -> None:
        _note(self._own_copies[node], copies)
        self._carry(node, copies)

    def _link_up(self, node: int) -> None:
        if node in self.living and self._other(node) in self.living:
            self._carry(node, list(self._own_copies[node].values()))

    def _carry(self, node: int, copies: Sequence[CallCopy]) -> None:
        receiver = self.living.get(self._other(node))
        due = max(self._schedule.now + self._random.uniform(*COPY_DELAY_S), self._link_free_at)
        self._link_free_at = due
        self._schedule.after(due - self._schedule.now, lambda: self._arrive(node, receiver, copies))

    def _arrive(self, node: int, receiver: Cluster | None, copies: Sequence[CallCopy]) -> None:
        if receiver is None or self.living.get(self._other(node)) is not receiver:
            return
        if receiver.is_owner:
            # They were on their way when the address moved.
            receiver.take_over(copy for copy in copies if copy[3])
        else:
            _note(self._received[node], copies)

    # -- as the network and the world see it -----------------------------------------------------------

    def receive(self, data: bytes, flow: Flow) -> None:
        """A datagram arrives at the address, if there is an owner."""
        if self.owner:
            self.living[self.owner].receive(data, flow)

    def _leave(self, node: int, outgoing: Outgoing) -> None:
        if node == self.owner:
            self._send(outgoing)

    def next_timer(self) -> float:
        """When the next worker wants its timers handled."""
        return min(node.next_timer() for node in self.living.values())

    def handle_timers(self) -> None:
        """The timers of every worker that is due."""
        for node in list(self.living.values()):
            node.handle_timers()

    def counted(self, counter: int) -> int:
        """A counter, over all workers that ever lived."""
        return sum(node.counted(counter) for node in [*self.living.values(), *self._dead])

    def gauges(self, name: str) -> list[int]:
        """One gauge of every worker."""
        return [gauge for node in self.living.values() for gauge in node.gauges(name)]


def _note(known: dict[bytes, CallCopy], copies: Sequence[CallCopy]) -> None:
    for copy in copies:
        if copy[3]:
            known[copy[0]] = copy
        else:
            known.pop(copy[0], None)
