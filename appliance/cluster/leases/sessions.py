"""Whether a datagram of a member is new and from its present process: recorded datagrams are refused.

Each start of a member has a random boot number, and numbers its datagrams. A boot number that is not known is accepted
only with a proof that its sender lives now: the time of a heartbeat that this member sent a moment ago. So clocks need
not agree, and a recording of an earlier start proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

# A proof is as good as this is short; heartbeats are more frequent.
PROOF_MAX_AGE_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Header:
    """What stands before every heartbeat. `heard`: the newest `sent_at` of the receiver, and of which of its boots."""

    sender: int
    receiver: int
    boot: int
    sequence: int
    heard_boot: int
    heard: float


class Verdict(IntEnum):
    """What to do with a datagram."""

    ACCEPTED = 0
    # From a new process of the member: the one before it is dead.
    ACCEPTED_NEW = 1
    # Repeated, overtaken or recorded.
    OLD = 2
    # From a process that has not proved yet that it is there now.
    UNPROVED = 3


class _Session:
    __slots__ = ("boot", "ended", "heard", "heard_boot", "sent", "sequence")

    def __init__(self) -> None:
        self.boot = 0
        self.ended = 0
        self.sequence = 0
        self.sent = 0
        self.heard_boot = 0
        self.heard = 0.0


class Sessions:
    """The sessions with all other members. `boot`: of this process, random, not 0."""

    def __init__(self, me: int, boot: int, peers: Iterable[int]) -> None:
        self.boot = boot
        self._me = me
        self._sessions = {peer: _Session() for peer in peers}

    def change_peers(self, peers: Iterable[int]) -> None:
        """The other members are these now; sessions with those that remain go on."""
        self._sessions = {peer: self._sessions.get(peer) or _Session() for peer in peers}

    def header_to(self, peer: int) -> Header:
        """For the next datagram to a member."""
        session = self._sessions[peer]
        session.sent += 1
        return Header(self._me, peer, self.boot, session.sent, session.heard_boot, session.heard)

    def receive(self, header: Header, sent_at: float, now: float) -> Verdict:
        """A heartbeat that is authentic, from a member and to this one."""
        session = self._sessions[header.sender]
        if header.boot == session.ended:
            return Verdict.OLD
        if header.boot == session.boot:
            if header.sequence <= session.sequence:
                return Verdict.OLD
            session.sequence, session.heard, session.heard_boot = header.sequence, sent_at, header.boot
            return Verdict.ACCEPTED
        session.heard, session.heard_boot = sent_at, header.boot
        if header.heard_boot != self.boot or not 0 <= now - header.heard <= PROOF_MAX_AGE_S:
            return Verdict.UNPROVED
        had_one = session.boot != 0
        session.boot, session.sequence = header.boot, header.sequence
        return Verdict.ACCEPTED_NEW if had_one else Verdict.ACCEPTED

    def receive_end(self, sender: int, boot: int) -> bool:
        """Word that the process of a member is dead, with this boot number: is it the one that is known?"""
        session = self._sessions[sender]
        if boot == 0 or boot != session.boot:
            return False
        session.ended, session.boot = boot, 0
        return True
