"""Calls that are being set up: copies of them go to the node that would take their virtual address over (design 4).

What this node's calls are is known by their copies alone, the last one of each: so a link that is made anew begins with
all of them, and of a call that changes faster than a slow node takes copies only the last state is sent. A call goes to
one node: the first in order of preference, other than this one, that there is a link to. When links come and go each
node is told all that is for it anew, so none keeps what has no end.

What a node does not take is bounded; the oldest is dropped and counted. With `cluster calls wait` the workers are told
how far their logs have been taken, and wait for that.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

from appliance.catalogue.counters import (
    CALL_COPIES_DROPPED,
    CALL_COPIES_RECEIVED,
    CALL_COPIES_REFUSED,
    CALL_COPIES_SENT,
)
from appliance.catalogue.settings import Settings
from appliance.cluster.replication.address_preferences import preferences
from appliance.cluster.replication.link_user import Links
from appliance.messages.bus_messages import BusMessage
from appliance.messages.call_copies import CallCopy, read_copies, write_copies
from appliance.messages.call_messages import CopiesSent, CopiesTaken
from appliance.messages.membership import Membership

# As many changes as come in that time go in one message: what a message costs is the wake-ups.
READ_EVERY_S: Final = 0.02
# While workers wait for it.
WAITED_EVERY_S: Final = 0.005
# When nothing has come for a while.
IDLE_EVERY_S: Final = 0.05
TIDY_EVERY_S: Final = 10.0
# Of one message, and of all that a node has not acknowledged.
BATCH_LEN_MAX: Final = 1 << 18
BATCHES_MAX: Final = 16
# Once in so many messages is early enough to say what was taken, where no answer waits for it.
TAKEN_EVERY: Final = 4
# Reads of which it is not known yet that another node has all; beyond, the oldest is not waited for.
CHECKPOINTS_MAX: Final = 1024
# Calls of this node, and what waits for one node: the calls that ring for a minute at 1,000 calls a second.
CALLS_MAX: Final = 65536

Preferences = Mapping[int, Sequence[int]]


class CopySource(Protocol):
    """What the workers of this node write (storage/call_log.py)."""

    missed: int

    def read(self) -> list[CallCopy]: ...
    def positions(self) -> dict[int, int]: ...


class CallPage(Protocol):
    """What the workers wait for (storage/replication_page.py)."""

    def note_calls(self, worker: int, octets: int, /) -> None: ...
    def wait_for_calls(self, is_waited: bool, /) -> None: ...


class CopyMemory(Protocol):
    """What the workers of this node take from (storage/copied_calls.py)."""

    refused: int
    expired: int

    def begin(self, node: int, /) -> None: ...
    def keep(self, node: int, copies: Iterable[CallCopy], now: float, /) -> None: ...
    def expire(self, now: float, /) -> None: ...


class _Receiver:
    """A node that gets copies: which calls have changed since, the oldest change first, each with its number."""

    def __init__(self) -> None:
        self.is_anew = True
        self.waiting: dict[bytes, tuple[CallCopy, int]] = {}
        self.sent = 0
        self.taken = 0
        self.queued = 0
        """The number of the last change."""
        self.acknowledged = 0
        """The number of the last change that it has, with all before."""
        self.batches: deque[tuple[int, int]] = deque()
        """Of each batch under way: its number, and that of its last change."""

    def note_taken(self, number: int) -> None:
        """It has the batches up to this number."""
        self.taken = max(self.taken, min(number, self.sent))
        while self.batches and self.batches[0][0] <= self.taken:
            self.acknowledged = max(self.acknowledged, self.batches.popleft()[1])


class CallReplication:
    """The calls of node `me`, and those of others that are kept here.

    `order`: by number of a virtual address, the nodes that may own it, the most preferred first.
    `dropped`: how many copies were not sent because a node was too slow; `damaged`: how many batches could not be read.
    """

    def __init__(
        self, me: int, links: Links, source: CopySource, memory: CopyMemory, order: Preferences, page: CallPage
    ) -> None:
        self.dropped = 0
        self.damaged = 0
        self.sent = 0
        self.received = 0
        self._me = me
        self._links = links
        self._source = source
        self._memory = memory
        self._preferences = order
        self._calls: dict[bytes, CallCopy] = {}
        self._receivers: dict[int, _Receiver] = {}
        self._page = page
        self._is_waited = False
        # What workers have written, and the number of the change up to which each node has to have it.
        self._checkpoints: deque[tuple[dict[int, int], dict[int, int]]] = deque(maxlen=CHECKPOINTS_MAX)
        self._read_at = 0.0
        self._pause_s = READ_EVERY_S
        self._tidy_at = 0.0

    def __len__(self) -> int:
        """Calls of this node that another one could go on with."""
        return len(self._calls)

    @property
    def unacknowledged(self) -> int:
        """Copies that wait for a node to take them."""
        return sum(len(receiver.waiting) for receiver in self._receivers.values())

    def go_by(self, settings: Settings, membership: Membership) -> None:
        """Another configuration, or other members: each call goes to the node that may take it over now."""
        self._is_waited = settings.cluster.calls == "wait"
        self._tell_waiters()
        former, self._preferences = self._preferences, preferences(settings, membership)
        if self._preferences != former:
            self._begin_anew()

    def counts(self) -> dict[int, int]:
        """What is counted here, by counter id."""
        memory = self._memory
        return {
            CALL_COPIES_SENT: self.sent,
            CALL_COPIES_RECEIVED: self.received,
            CALL_COPIES_DROPPED: self.dropped,
            CALL_COPIES_REFUSED: memory.refused + memory.expired,
        }

    # -- as a user of the links ------------------------------------------------------------------------

    def fds(self) -> list[int]:
        """None: the logs of the workers are looked at now and then."""
        return []

    def changed(self) -> None:
        """Workers wait for what they have written."""
        if self._is_waited:
            self._read_at = 0.0

    def takes(self, message: BusMessage) -> bool:
        """Is it about calls?"""
        return isinstance(message, (CopiesSent, CopiesTaken))

    def receive(self, member: int, message: BusMessage, now: float) -> None:
        """What another node says of its calls, or of ours."""
        if isinstance(message, CopiesSent):
            self._receive_copies(member, message, now)
        elif isinstance(message, CopiesTaken) and member in self._receivers:
            receiver = self._receivers[member]
            receiver.note_taken(message.number)
            self._send(member, receiver)
            self._settle()

    def link_up(self, member: int, now: float) -> None:
        """That node knows nothing of our calls."""
        self._receivers[member] = _Receiver()
        self._tell_waiters()
        self._begin_anew()
        self._send(member, self._receivers[member])

    def link_lost(self, member: int, now: float) -> None:
        """What it was to get goes to the next node. What it has sent stays: this node may take its addresses over."""
        if self._receivers.pop(member, None) is not None:
            self._tell_waiters()
            self._begin_anew()
            self._settle()

    def tick(self, now: float) -> float:
        """Read what the workers have written, and pass it on; returns when to be called again."""
        if now >= self._tidy_at:
            self._tidy_at = now + TIDY_EVERY_S
            self._memory.expire(now)
        if now >= self._read_at:
            copies = self._source.read()
            self._pause_s = READ_EVERY_S if copies else min(2 * self._pause_s, IDLE_EVERY_S)
            self._read_at = now + (WAITED_EVERY_S if self._is_waited else self._pause_s)
            self._note(copies)
            if copies and self._is_waited:
                needed = {member: receiver.queued for member, receiver in self._receivers.items()}
                self._checkpoints.append((self._source.positions(), needed))
        for member, receiver in self._receivers.items():
            self._send(member, receiver)
        self._settle()
        return self._read_at

    # -- workers that wait -----------------------------------------------------------------------------

    def _tell_waiters(self) -> None:
        """Is there a node to wait for?"""
        self._page.wait_for_calls(self._is_waited and bool(self._receivers))

    def _settle(self) -> None:
        """Tell the workers how far the other nodes have come."""
        while self._checkpoints:
            positions, needed = self._checkpoints[0]
            if any(self._lacks(member, number) for member, number in needed.items()):
                return
            self._checkpoints.popleft()
            for worker, octets in positions.items():
                self._page.note_calls(worker, octets)

    def _lacks(self, member: int, number: int) -> bool:
        receiver = self._receivers.get(member)
        return receiver is not None and receiver.acknowledged < number

    # -- calls of this node --------------------------------------------------------------------------

    def _note(self, copies: Sequence[CallCopy]) -> None:
        for copy in copies:
            self._calls.pop(copy[0], None)
            if copy[3]:
                self._calls[copy[0]] = copy
                if len(self._calls) > CALLS_MAX:
                    self._drop(self._calls)
        self._pass_on(copies)

    def _heir_of(self, address: int) -> int:
        """The node that would take an address over from this one; 0 when there is none."""
        order = self._preferences.get(address, ())
        return next((node for node in order if node != self._me and node in self._receivers), 0)

    def _begin_anew(self) -> None:
        """Tell each node all that is for it."""
        for receiver in self._receivers.values():
            receiver.is_anew = True
            receiver.waiting.clear()
        self._pass_on(self._calls.values())

    def _pass_on(self, copies: Iterable[CallCopy]) -> None:
        heirs: dict[int, _Receiver | None] = {}
        for copy in copies:
            address = copy[2]
            if address not in heirs:
                heirs[address] = self._receivers.get(self._heir_of(address))
            heir = heirs[address]
            if heir is not None:
                self._await(heir, copy)

    def _await(self, receiver: _Receiver, copy: CallCopy) -> None:
        known = receiver.waiting.get(copy[0])
        if known is None:
            receiver.queued += 1
        # What has changed again keeps its place, and its number.
        receiver.waiting[copy[0]] = copy, receiver.queued if known is None else known[1]
        if len(receiver.waiting) > CALLS_MAX:
            self._drop(receiver.waiting)

    def _drop(self, calls: dict[bytes, Any]) -> None:
        del calls[next(iter(calls))]
        self.dropped += 1

    def _send(self, member: int, receiver: _Receiver) -> None:
        while (receiver.waiting or receiver.is_anew) and receiver.sent - receiver.taken < BATCHES_MAX:
            batch, last = _portion(receiver.waiting, receiver.acknowledged)
            message = CopiesSent(receiver.sent + 1, receiver.is_anew, write_copies(batch))
            if not self._links.send(member, [message]):
                return
            receiver.is_anew = False
            receiver.sent += 1
            receiver.batches.append((receiver.sent, last))
            self.sent += len(batch)
            for copy in batch:
                del receiver.waiting[copy[0]]

    # -- calls of other nodes --------------------------------------------------------------------------

    def _receive_copies(self, member: int, message: CopiesSent, now: float) -> None:
        if message.is_anew:
            self._memory.begin(member)
        try:
            copies = read_copies(message.octets)
        except ValueError:
            self.damaged += 1
            copies = []
        self.received += len(copies)
        self._memory.keep(member, copies, now)
        if self._is_waited or message.number % TAKEN_EVERY == 0:
            self._links.send(member, [CopiesTaken(message.number)])


def _portion(waiting: Mapping[bytes, tuple[CallCopy, int]], last: int) -> tuple[list[CallCopy], int]:
    """The oldest of what waits, as much as one message takes, at least one, where there is one; and the number of the
    last change in it, `last` for none.
    """
    portion: list[CallCopy] = []
    size = 0
    for copy, number in waiting.values():
        size += len(copy[0]) + len(copy[3])
        if portion and size > BATCH_LEN_MAX:
            break
        portion.append(copy)
        last = number
    return portion, last
