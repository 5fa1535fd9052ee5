"""The session of a link between two nodes: both ends agree that nothing of it was lost, or begin anew.

A connection that breaks loses what was on its way without a word, and one that was frozen delivers it late. So each end
numbers its sessions, and its batches within one; a batch also says which session of its receiver the sender has heard.
The link is up when each end has heard the present session of the other one. A batch of another session, or for another
one, is dropped; where a number is missing both begin anew.

Pure: node_links.py has the sockets.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Flag
from struct import Struct
from typing import Final

SILENCE_S: Final = 1.0
"""A link that has brought nothing for so long is lost."""
KEEPALIVE_S: Final = 0.2
"""An end that has sent nothing for so long sends a batch without messages."""
GREETED_S: Final = 1.0
"""Both ends have heard each other by then."""
FORMER_MAX: Final = 16
NO_SESSION: Final = 0
# Format, session of the sender, session of the receiver that the sender has heard, number of the batch.
_ENVELOPE: Final = Struct("!BQQQ")
ENVELOPE_LEN: Final = _ENVELOPE.size
_FORMAT: Final = 1


class EnvelopeError(ValueError):
    """Octets that do not begin like a batch of this version."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What stands before the messages of a batch."""

    session: int
    heard: int
    number: int

    def octets(self) -> bytes:
        return _ENVELOPE.pack(_FORMAT, self.session, self.heard, self.number)

    @classmethod
    def read(cls, octets: bytes) -> Envelope:
        """Raises EnvelopeError."""
        if len(octets) < ENVELOPE_LEN or octets[0] != _FORMAT:
            raise EnvelopeError(f"{len(octets)} octets, no batch of format {_FORMAT}")
        return cls(*_ENVELOPE.unpack_from(octets)[1:])


class Verdict(Flag):
    """What a batch means. Nothing: its messages are dropped."""

    DROP = 0
    LOST = 1
    """What was up until now is lost."""
    AGAIN = 2
    """Begin a session anew: the other node has forgotten this one."""
    UP = 4
    """The link is up from here on."""
    TAKE = 8
    """Its messages count."""


class LinkSession:
    """This node's end of the link to one other node."""

    __slots__ = (
        "_began_at",
        "_expected",
        "_former",
        "_next",
        "heard",
        "heard_at",
        "is_connected",
        "is_up",
        "own",
        "said_at",
    )

    def __init__(self) -> None:
        self.own = NO_SESSION
        self.heard = NO_SESSION
        self.is_connected = False
        """Has the connection to the other node proved its key, and not broken since?"""
        self.is_up = False
        self.heard_at = 0.0
        self.said_at = 0.0
        self._began_at = 0.0
        self._next = 0
        self._expected = 0
        self._former: deque[int] = deque(maxlen=FORMER_MAX)

    def connected(self, session: int, now: float) -> bool:
        """There is a new connection to the other node: begin the session of this number. Was the link up before?"""
        self.is_connected = True
        return self._begin(session, now)

    def disconnected(self) -> bool:
        """The connection broke. Was the link up?"""
        was_up, self.is_up = self.is_up, False
        self.is_connected = False
        self.own = NO_SESSION
        return was_up

    def begin_again(self, session: int, now: float) -> bool:
        """Something was lost, or the other node is silent. Was the link up?"""
        return self._begin(session, now)

    def _begin(self, session: int, now: float) -> bool:
        was_up, self.is_up = self.is_up, False
        self.own, self._next = session, 0
        self._began_at = now
        self.said_at = now - KEEPALIVE_S
        return was_up

    def envelope(self, now: float) -> Envelope:
        """For the next batch."""
        self._next += 1
        self.said_at = now
        return Envelope(self.own, self.heard, self._next)

    def not_sent(self) -> None:
        """The batch of the last envelope did not leave."""
        self._next -= 1

    def arrived(self, batch: Envelope, now: float) -> Verdict:
        """What a batch of the other node means here."""
        if batch.session in self._former:
            return Verdict.DROP
        if batch.session != self.heard:
            return self._new_session(batch, now)
        if batch.number != self._expected:
            # A batch is missing: nothing more of this session counts, and the other node will hear so.
            self._forget_heard()
            return self._lost()
        self._expected += 1
        self.heard_at = now
        return self._meaning(batch)

    def _new_session(self, batch: Envelope, now: float) -> Verdict:
        if batch.number != 1:
            # Its beginning was lost, or went to the predecessor of this process.
            return Verdict.DROP
        lost = self._lost()
        self._forget_heard()
        self.heard, self._expected = batch.session, 2
        self.heard_at = now
        # To be answered at once.
        self.said_at = now - KEEPALIVE_S
        return lost | self._meaning(batch)

    def _meaning(self, batch: Envelope) -> Verdict:
        if self.own == NO_SESSION:
            return Verdict.DROP
        if batch.heard != self.own:
            return Verdict.LOST | Verdict.AGAIN if self._lost() else Verdict.DROP
        if self.is_up:
            return Verdict.TAKE
        self.is_up = True
        return Verdict.UP | Verdict.TAKE

    def _forget_heard(self) -> None:
        if self.heard != NO_SESSION:
            self._former.append(self.heard)
        self.heard = NO_SESSION

    def _lost(self) -> Verdict:
        was_up, self.is_up = self.is_up, False
        return Verdict.LOST if was_up else Verdict.DROP

    # -- time ------------------------------------------------------------------------------------------

    def is_overdue(self, now: float) -> bool:
        """Is it time to give the session up? Also one that does not come up: the other end may have forgotten it."""
        if not self.is_connected:
            return False
        return now - self.heard_at > SILENCE_S if self.is_up else now - self._began_at > GREETED_S

    def is_word_due(self, now: float) -> bool:
        """Is it time for a batch without messages?"""
        return self.is_connected and now - self.said_at >= KEEPALIVE_S
