"""What this node knows of the registrations of another node: how far each has come in the log of the other one, and
whether both tables are equal.

They are in sync when both have found them equal and have lost no change since. A node that was away, and comes back
while the log still has all that it missed, is in sync at once; else the member with the lower number compares.
"""

from __future__ import annotations

from typing import Final

from appliance.cluster.replication.clock_difference import ClockDifference
from appliance.cluster.replication.log_sender import ChangedTable, LogSender
from appliance.cluster.replication.table_walk import TableWalk
from appliance.messages.link_messages import NO_GENERATION, Greeting, RecordsChanged

GREETING_S: Final = 1.0
AWAY_S: Final = 2.0
WALK_AGAIN_S: Final = 5.0
CHECK_EVERY_S: Final = 600.0
QUESTION_AGAIN_S: Final = 5.0
"""An answer that takes longer is given up: the other node had no room for the question, or begins anew."""


class Peer:
    """Another node, of this number."""

    def __init__(self, number: int, me: int, now: float) -> None:
        self.number = number
        self.sender = LogSender()
        self.is_up = False
        self.is_heard = False
        """Has the other node answered the greeting of this session?"""
        self.is_sound = False
        """Were both tables found equal, and has this node lost no change of either since?"""
        self.is_other_sound = False
        self.is_counted = False
        """Do its acknowledgements count for answers to REGISTER?"""
        self.clock = ClockDifference()
        self.taken_generation = NO_GENERATION
        self.taken_seq = 0
        self._queued_seq = 0
        self.is_acknowledgement_due = False
        self.is_greeting_due = False
        self.greeted_at = 0.0
        self.walk: TableWalk | None = None
        self.walk_at = 0.0
        self.question_due = self.paced_at = 0.0
        self.idle_there = 1.0
        """The share of its processors that was idle, as it said last."""
        self.walked = 0
        self.last_error = ""
        self.down_since = now
        self.unsound_since = 0.0
        self.walks = number > me
        """Does this node compare the tables, and the other one answer?"""
        self._walk_number = 0
        self._other_walk = 0

    @property
    def is_in_sync(self) -> bool:
        """Are both tables equal, but for what is under way?"""
        return self.is_up and self.is_heard and self.is_sound and self.is_other_sound

    def is_away(self, now: float) -> bool:
        """Has it been unreachable for long enough to do without it?"""
        return not self.is_up and now - self.down_since > AWAY_S

    # -- the session -----------------------------------------------------------------------------------

    def link_up(self, now: float) -> None:
        """A session begins."""
        self.is_up, self.is_heard, self.is_counted = True, False, False
        self.sender.stop()
        self.clock = ClockDifference()
        self.walk, self._other_walk = None, 0
        self._queued_seq = self.taken_seq
        self.unsound_since = now
        self.is_greeting_due = True

    def link_lost(self, now: float) -> None:
        """It is over."""
        self.is_up = self.is_heard = self.is_counted = False
        self.sender.stop()
        self.walk = None
        self.down_since = now

    def greeting(self, generation: int, wall_time: float, now: float) -> Greeting:
        """What to say of this node."""
        self.is_greeting_due, self.greeted_at = False, now
        return Greeting(
            wall_time,
            generation,
            self.taken_generation,
            self.taken_seq,
            self.sender.is_started,
            self.is_sound,
        )

    def greeted(self, greeting: Greeting, table: ChangedTable, wall_time: float, now: float) -> RecordsChanged | None:
        """What the other node says of itself; the start of the log for it, where it is the first greeting."""
        self.clock.note(wall_time, greeting.clock)
        if greeting.is_sound and not self.is_other_sound:
            self.is_greeting_due = True
        self.is_other_sound = greeting.is_sound
        self.is_heard = self.is_heard or greeting.is_answer
        if self.sender.is_started:
            return None
        if not self.sender.start(table, greeting.taken_generation, greeting.taken_seq):
            self.lose(now)
        self.is_greeting_due = True
        return self.start_of_log()

    def lose(self, now: float) -> None:
        """Changes were lost here, of this node or of the other one: tables have to be compared, from the beginning."""
        self.is_sound = False
        self.walk, self._other_walk = None, 0
        self.walk_at = self.unsound_since = now
        self.is_greeting_due = True

    def start_of_log(self) -> RecordsChanged:
        """Where the other node goes on in this node's log."""
        position = self.sender.position
        return RecordsChanged(self.sender.generation, position, position, [], True)

    # -- what the other node has changed ---------------------------------------------------------------

    def expects(self, batch: RecordsChanged) -> bool:
        """Does a batch go on where the last one ended? Others are told again how far this node has come."""
        self.is_acknowledgement_due = True
        if batch.is_start:
            self.taken_generation = batch.generation
            self.taken_seq = self._queued_seq = batch.seq
            return False
        if batch.generation != self.taken_generation or not batch.after <= self._queued_seq < batch.seq:
            return False
        self._queued_seq = batch.seq
        return True

    def took(self, batch: RecordsChanged, fault: str) -> None:
        """All of it is in the table; or not, for the reason in `fault`: then it is to come again."""
        self.is_acknowledgement_due = True
        if fault:
            self.last_error = fault
            self._queued_seq = self.taken_seq
        elif batch.generation == self.taken_generation and batch.after <= self.taken_seq:
            self.taken_seq = max(self.taken_seq, batch.seq)

    def forget_taken(self, now: float) -> None:
        """The table of this node was made anew."""
        self.taken_generation, self.taken_seq = NO_GENERATION, 0
        self._queued_seq = 0
        self.lose(now)

    # -- comparison ------------------------------------------------------------------------------------

    def is_walk_due(self, now: float) -> bool:
        """Is it time for this node to compare both tables?"""
        if not self.walks or not self.is_heard or self.walk is not None:
            return False
        return now >= self.walk_at

    def note_soundness(self, now: float) -> None:
        """The other node has said whether it is sound: compare soon where tables may differ."""
        if not (self.is_sound and self.is_other_sound) and self.walk is None:
            self.walk_at = min(self.walk_at, now + WALK_AGAIN_S)

    def begin_walk(self, now: float) -> TableWalk:
        """Compare from the beginning."""
        self._walk_number += 1
        self.walk = TableWalk(self._walk_number)
        self.walk_at = now + CHECK_EVERY_S
        return self.walk

    def sees_walk(self, number: int, after: bytes) -> None:
        """The other node compares a range."""
        if not after:
            self._other_walk = number

    def walk_ended(self, is_equal: bool, now: float) -> None:
        """The comparison that this node has made came to its end."""
        if self.walk is not None:
            self.walked = self.walk.walked
        self.walk = None
        self._found(is_equal, now)

    def other_walk_ended(self, number: int, is_equal: bool, now: float) -> None:
        """The comparison that the other node has made came to its end; what was lost here meanwhile is not in it."""
        if number == self._other_walk:
            self._found(is_equal, now)

    def _found(self, is_equal: bool, now: float) -> None:
        if is_equal != self.is_sound:
            self.is_greeting_due = True
        self.is_sound = is_equal
        if not is_equal:
            self.unsound_since = now
            self.walk_at = now + WALK_AGAIN_S
