"""The registrations of this node and of the other ones: changes go out as they are made, and come in; tables that may
differ are compared.

Nothing here waits and nothing is kept for a node that does not take it: what was not acknowledged is read from the
change log again. The memory is bounded by what may be under way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from appliance.catalogue.counters import (
    COUNTERS,
    REPLICATION_COMPARISONS,
    REPLICATION_RECORDS_RECEIVED,
    REPLICATION_RECORDS_REFUSED,
    REPLICATION_RECORDS_SENT,
    REPLICATION_RESENT,
)
from appliance.cluster.replication.intake import Intake
from appliance.cluster.replication.link_user import NEVER, Links
from appliance.cluster.replication.log_sender import LogPart, part_after
from appliance.cluster.replication.peer import GREETING_S, Peer
from appliance.cluster.replication.table_walk import RANGE, answer_to, records_wanted
from appliance.cluster.replication.walk_pace import WalkPace
from appliance.cluster.replication.walk_turns import WalkTurns
from appliance.location.record_transfer import shifted
from appliance.messages.bus_messages import BusMessage
from appliance.messages.link_messages import (
    NO_GENERATION,
    Greeting,
    IdleProcessors,
    RangeAnswer,
    RangeDigest,
    RangeRecords,
    RecordsChanged,
    RecordsTaken,
    WalkEnded,
)

BATCH_PAUSE_S: Final = 0.01  # after a batch: what is made meanwhile goes with the next one, and wakes no process
PART_PAUSE_S: Final = 0.001  # after a batch that had no room for all
PASS_OVER_S: Final = 0.1  # what other nodes made is not sent, and no answer waits for it
RETRY_S: Final = 0.01
SEEN_S: Final = 0.5  # after which all workers have looked at the page
CHECK_RATE: Final = 5_000  # addresses a second, while tables are likely to be equal
PACE_BACK_S: Final = 0.02  # what was late may be made good
ANSWER_MAX_S: Final = 10.0
TAKES: Final = (
    Greeting,
    RecordsChanged,
    RecordsTaken,
    RangeDigest,
    RangeAnswer,
    RangeRecords,
    IdleProcessors,
    WalkEnded,
)


class ReplicatedTable(Protocol):
    """The registration table of this node (storage/registrations.py)."""

    @property
    def generation(self) -> int: ...
    @property
    def first_seq(self) -> int: ...
    @property
    def last_seq(self) -> int: ...
    def changes_after(self, seq: int, limit: int, /) -> list[tuple[int, bytes]]: ...
    def records_of(self, aors: list[bytes], /) -> list[bytes | None]: ...
    def raw_page(self, after_key: bytes, limit: int, /) -> list[tuple[bytes, bytes]]: ...
    def load(self, records: list[bytes], is_logged: bool = ..., /) -> int: ...


class Page(Protocol):
    """What workers see (storage/replication_page.py)."""

    def note(self, generation: int, acknowledged: int, is_waited: bool, /) -> None: ...
    def want(self, is_wanted: bool, /) -> None: ...


class RegistrationReplication:
    """The registrations of node `me`. `wall_time`: the clock by which they live. `idle`: the share of this machine's
    processors that had nothing to do lately.
    """

    def __init__(
        self,
        me: int,
        table: ReplicatedTable,
        links: Links,
        page: Page,
        wall_time: Callable[[], float],
        idle: Callable[[], float] = lambda: 1.0,
    ) -> None:
        self.counters = [0] * len(COUNTERS)
        self.peers: dict[int, Peer] = {}
        self._me = me
        self._table = table
        self._generation = table.generation
        self._links = links
        self._page = page
        self._wall_time = wall_time
        self.copies = 1
        """So many other nodes must have a change before it counts as acknowledged; no more than there are links to."""
        self._intake = Intake()
        self._idle = idle
        self._idle_now = 1.0
        self._pace = WalkPace()
        self._turns = WalkTurns()
        self._send_at = 0.0
        self._look_at = 0.0
        self._is_changed = True
        self._is_waited = False
        """Do answers wait for other nodes?"""
        self._waited_until = -NEVER
        self._is_woken = False
        """Does the page ask the workers to wake this process?"""

    def fds(self) -> list[int]:
        """None: the event of the workers is the process's, which calls `changed`."""
        return []

    # -- what happens ----------------------------------------------------------------------------------

    def members_changed(self, now: float) -> None:
        """There are links to other members than before."""
        members = self._links.members
        for gone in self.peers.keys() - set(members):
            self._turns.ended(gone)
        self.peers = {number: self.peers.get(number) or Peer(number, self._me, now) for number in members}

    def table_replaced(self, table: ReplicatedTable, now: float) -> None:
        """The table was made anew: nothing is known of what it has."""
        self._table, self._generation = table, table.generation
        self._intake.clear()
        for peer in self.peers.values():
            peer.forget_taken(now)
            if peer.sender.is_started:
                self._start_log(peer, now)

    def changed(self) -> None:
        """Workers have written to the table."""
        self._is_changed = True

    def link_up(self, member: int, now: float) -> None:
        """A session begins."""
        if peer := self.peers.get(member):
            peer.link_up(now)
            self._is_changed = True

    def link_lost(self, member: int, now: float) -> None:
        """It is over. What the lost node told one of the others only, comparisons find."""
        if peer := self.peers.get(member):
            peer.link_lost(now)
        self._turns.ended(member)
        up = [peer for peer in self.peers.values() if peer.is_up]
        for peer in up:
            peer.walk_at = min(peer.walk_at, now + 1.0)
        if not up:
            self._wake(False)
        self._note_page(now)

    def _wake(self, is_wanted: bool) -> None:
        if is_wanted != self._is_woken:
            self._is_woken = is_wanted
            self._page.want(is_wanted)

    def takes(self, message: BusMessage) -> bool:
        """Is a message of another node for here?"""
        return isinstance(message, TAKES)

    def receive(self, member: int, message: BusMessage, now: float) -> None:
        """A message that it takes. Raises TableUnsound."""
        peer = self.peers.get(member)
        if peer is None or not peer.is_up:
            return
        if isinstance(message, RecordsChanged):
            self._receive_changes(peer, message)
        elif isinstance(message, RecordsTaken):
            self._receive_acknowledgement(peer, message, now)
        elif isinstance(message, Greeting):
            self._receive_greeting(peer, message, now)
        elif isinstance(message, RangeDigest):
            self._receive_question(peer, message, now)
        elif isinstance(message, RangeAnswer):
            self._receive_answer(peer, message, now)
        elif isinstance(message, RangeRecords):
            self._receive_range(peer, message, now)
        elif isinstance(message, IdleProcessors):
            peer.idle_there = message.percent / 100
        elif isinstance(message, WalkEnded):
            self._turns.ended(peer.number)
            peer.other_walk_ended(message.walk, message.is_equal, now)

    def _receive_greeting(self, peer: Peer, greeting: Greeting, now: float) -> None:
        start = peer.greeted(greeting, self._table, self._wall_time(), now)
        if start is not None:
            # The queue of a new session is empty.
            self._links.send(peer.number, [start])
            self._is_changed = True
        elif peer.is_heard and not peer.is_counted:
            self._count(peer, now)
        peer.note_soundness(now)

    def _count(self, peer: Peer, now: float) -> None:
        """From now on its acknowledgements count: not before all that waits for others was made after it began.

        Where nothing waits for others, the workers have to have seen that: they may still hold what waited until then.
        """
        counted = [other.sender.acknowledged for other in self.peers.values() if other.is_counted]
        begins_at = peer.sender.begins_at
        if self._reached(counted) >= begins_at if counted else not begins_at or now - self._waited_until >= SEEN_S:
            peer.is_counted = True
            self._note_page(now)

    def _receive_acknowledgement(self, peer: Peer, taken: RecordsTaken, now: float) -> None:
        self._is_changed = self._is_changed or not peer.sender.window.has_room
        peer.sender.acknowledge(taken.generation, taken.seq)
        self._is_changed = self._is_changed or peer.sender.is_refused
        self._note_page(now)

    def _start_log(self, peer: Peer, now: float) -> None:
        """The other node goes on from here, and has missed something; answers do not wait for it until it has that."""
        peer.sender.start(self._table, NO_GENERATION, 0)
        peer.is_counted = False
        self._note_page(now)
        peer.lose(now)
        self._links.send(peer.number, [peer.start_of_log()])

    def _receive_changes(self, peer: Peer, batch: RecordsChanged) -> None:
        if not peer.expects(batch):
            return
        self.counters[REPLICATION_RECORDS_RECEIVED] += len(batch.records)
        self._intake.add(self._by_own_clock(peer, batch.records), lambda fault: peer.took(batch, fault))

    def _by_own_clock(self, peer: Peer, records: list[bytes]) -> list[bytes]:
        seconds = peer.clock.seconds
        return [shifted(record, seconds) for record in records] if seconds else records

    # -- comparison ------------------------------------------------------------------------------------

    def _receive_question(self, peer: Peer, question: RangeDigest, now: float) -> None:
        peer.sees_walk(question.walk, question.after)
        if self._turns.may_go_on(peer.number, question, peer.is_sound, now):
            self._answer(peer, question, now)

    def _answer(self, peer: Peer, question: RangeDigest, now: float) -> None:
        self._look_at_processors(now)
        answer = answer_to(question, self._table, question.over_at + peer.clock.seconds)
        self._links.send(peer.number, [answer, IdleProcessors(round(100 * self._idle_now))])

    def _look_at_processors(self, now: float) -> None:
        if self._pace.is_look_due(now):
            self._idle_now = self._idle()
            others = [peer.idle_there for peer in self.peers.values() if peer.walk is not None]
            self._pace.note(min([self._idle_now, *others]), now)

    def _receive_answer(self, peer: Peer, answer: RangeAnswer, now: float) -> None:
        walk = peer.walk
        if walk is None or answer.walk != walk.number or not walk.is_asked(answer.after):
            return
        reply = walk.answered(answer, self._table)
        if reply is None:
            self._next_range(peer, now)
            return
        self.counters[REPLICATION_RECORDS_SENT] += len(reply.records)
        self._links.send(peer.number, [reply])

    def _receive_range(self, peer: Peer, message: RangeRecords, now: float) -> None:
        if message.fault:
            peer.last_error = message.fault
        if message.is_answer and (peer.walk is None or peer.walk.number != message.walk):
            return
        self.counters[REPLICATION_RECORDS_RECEIVED] += len(message.records)

        def done(fault: str) -> None:
            peer.last_error = fault or peer.last_error
            if message.is_answer:
                self._next_range(peer, now)
                return
            found = records_wanted(message, self._table)
            self.counters[REPLICATION_RECORDS_SENT] += len(found)
            answer = RangeRecords(message.walk, message.after, found, is_answer=True, fault=fault)
            self._links.send(peer.number, [answer])

        if message.records:
            self._intake.add(self._by_own_clock(peer, message.records), done)
        else:
            done("")

    def _next_range(self, peer: Peer, now: float) -> None:
        """The next question comes when its time has come, not sooner: calls go on meanwhile."""
        walk = peer.walk
        if walk is None:
            return
        peer.question_due = peer.paced_at
        if walk.is_ended and self._links.send(peer.number, [WalkEnded(walk.number, walk.is_equal)]):
            peer.walk_ended(walk.is_equal, now)

    def _tend_walk(self, peer: Peer, now: float) -> float:
        """Ask the next question; returns when to do something again."""
        if peer.is_walk_due(now):
            peer.begin_walk(now)
            peer.question_due = peer.paced_at = now
            self.counters[REPLICATION_COMPARISONS] += 1
        if peer.walk is None:
            return peer.walk_at if peer.walks and peer.is_heard else now + GREETING_S
        if now < peer.question_due:
            return peer.question_due
        if peer.walk.is_ended:
            self._next_range(peer, now)
            return now + RETRY_S
        if not self._links.send(peer.number, [peer.walk.question(self._table, self._wall_time())]):
            return now + RETRY_S
        self._look_at_processors(now)
        if not peer.walk.is_again:
            rate = CHECK_RATE if peer.is_sound else self._pace.rate
            peer.paced_at = max(peer.paced_at, now - PACE_BACK_S) + RANGE / rate
        # A node that does not answer is asked again.
        peer.question_due = now + ANSWER_MAX_S
        return peer.question_due

    # -- what is due -----------------------------------------------------------------------------------

    def tick(self, now: float) -> float:
        """Do what is due; returns when to be called again. Raises TableUnsound."""
        if len(self._intake):
            # What comes in is in the log as well, and is passed over there.
            self._look_at = min(self._look_at, now + PASS_OVER_S)
        due = self._intake.work(self._table, now) or now + GREETING_S
        due = min(due, self._send_changes(now))
        for number, question in self._turns.due(now):
            self._answer(self.peers[number], question, now)
        for peer in self.peers.values():
            if peer.is_up:
                due = min(due, self._tend(peer, now))
        self.counters[REPLICATION_RECORDS_REFUSED] = self._intake.refused
        return due

    def _tend(self, peer: Peer, now: float) -> float:
        if peer.is_greeting_due or now - peer.greeted_at >= GREETING_S:
            greeting = peer.greeting(self._generation, self._wall_time(), now)
            peer.is_greeting_due = not self._links.send(peer.number, [greeting])
            # There is no event for what the persister writes.
            self._is_changed = True
        if peer.is_acknowledgement_due:
            taken = RecordsTaken(peer.taken_generation, peer.taken_seq)
            peer.is_acknowledgement_due = not self._links.send(peer.number, [taken])
        return min(peer.greeted_at + GREETING_S, self._tend_walk(peer, now))

    def _send_changes(self, now: float) -> float:
        """Send what was made since; returns when to look again.

        The first change after a rest leaves at once. While more are made this process looks for them at intervals, and
        the workers do not wake it: what a change costs is mostly the wake-ups, here and on the other nodes.
        """
        self._go_back(now)
        if not self._is_changed and now < self._look_at:
            return self._look_at
        if now < self._send_at:
            return self._send_at
        self._look_at = now + GREETING_S
        has_sent = self._send_parts(now)
        if not has_sent and not self._is_woken and any(peer.sender.is_started for peer in self.peers.values()):
            # Who writes from now on says so. What was written until now has to be looked for.
            self._wake(True)
            has_sent = self._send_parts(now)
        self._note_page(now)
        if not has_sent:
            self._send_at = now
            return self._look_at
        self._is_changed = True
        self._wake(False)
        return self._send_at

    def _go_back(self, now: float) -> None:
        for peer in self.peers.values():
            if peer.sender.is_started and peer.sender.go_back(now):
                self.counters[REPLICATION_RESENT] += 1
                self._is_changed = True
                if peer.sender.is_refused:
                    # The table of the other node was made anew: it has forgotten where it was.
                    self._start_log(peer, now)

    def _send_parts(self, now: float) -> bool:
        """The next part of the log, for each peer; is more to be expected soon?"""
        self._is_changed = False
        self._send_at = now + BATCH_PAUSE_S
        parts: dict[int, LogPart] = {}
        sent = [self._send_part(peer, parts, now) for peer in self.peers.values() if peer.sender.is_started]
        return any(sent)

    def _send_part(self, peer: Peer, parts: dict[int, LogPart], now: float) -> bool:
        """The next part of the log for a peer; peers who are at the same place get the same one. Was there one?"""
        sender = peer.sender
        if sender.has_fallen_out(self._table):
            self._start_log(peer, now)
            return False
        if not sender.window.has_room:
            return False
        part = parts.get(sender.position)
        if part is None:
            part = parts[sender.position] = part_after(self._table, sender.position, self._me)
        if part.seq == part.after:
            return False
        if part.records and not self._links.send(peer.number, [sender.message_of(part)]):
            self._send_at = now + RETRY_S
            return True
        if part.is_full:
            self._send_at = min(self._send_at, now + PART_PAUSE_S)
        sender.sent(part, now)
        self.counters[REPLICATION_RECORDS_SENT] += len(part.records)
        return True

    def _note_page(self, now: float) -> None:
        """Tell the workers how far the other nodes have come."""
        places = [peer.sender.acknowledged for peer in self.peers.values() if peer.is_counted]
        if self._is_waited and not places:
            self._waited_until = now
        self._is_waited = bool(places)
        self._page.note(self._generation, self._reached(places), bool(places))

    def _reached(self, places: Sequence[int]) -> int:
        """How far so many nodes have come as have to; all of them, where there are fewer."""
        ordered = sorted(places, reverse=True)
        return ordered[min(self.copies, len(ordered)) - 1] if ordered else 0

    def is_ready(self, now: float) -> bool:
        """Is this node in sync with each node that it reaches?"""
        return all(peer.is_in_sync or peer.is_away(now) for peer in self.peers.values())

    @property
    def is_done(self) -> bool:
        """Has each node that is reached all that was made here?"""
        last = self._table.last_seq
        return all(peer.sender.acknowledged >= last for peer in self.peers.values() if peer.sender.is_started)
