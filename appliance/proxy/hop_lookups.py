"""The questions that the next hop of one request depends on, asked at once (RFC 3263 4).

The request goes on when all of them have their answers. One that DNS cannot answer need not be its end: another server
of the domain may be known.
"""

from __future__ import annotations

from typing import Final, Protocol

from appliance.proxy.pending_lookups import Asker, PendingLookups
from appliance.routing.lookup_questions import Answer, Question
from appliance.routing.server_location import AnswersNeeded

# How often one request asks about one URI: for NAPTR, for SRV, for hosts; and for what has come of age meanwhile.
ROUNDS_MAX: Final = 6


class HopFinder(Protocol):
    """What looks for its next hop: a branch, or a request that is forwarded without state."""

    def lookups_ended(self, lookups: HopLookups, now: float) -> None:
        """All that was asked is known, but for what failed."""


class HopLookups:
    """What one request asks for its next hop, round by round. `failed`: what DNS could not answer."""

    __slots__ = ("_open_count", "_rounds", "failed", "finder")

    def __init__(self, finder: HopFinder) -> None:
        self.finder = finder
        self.failed: set[Question] = set()
        self._open_count = 0
        # By the URI that they are about.
        self._rounds: dict[bytes, int] = {}

    def ask(self, needed: AnswersNeeded, pending: PendingLookups, asker: Asker) -> bool:
        """Ask what is needed; False when that is not possible now: too many wait, or too much was asked already."""
        self._rounds[needed.of] = self._rounds.get(needed.of, 0) + 1
        if self._rounds[needed.of] > ROUNDS_MAX:
            return False
        self._open_count = len(needed.questions)
        return all(pending.ask(question, AwaitedAnswer(question, self), asker) for question in needed.questions)

    def arrived(self, question: Question, answer: Answer, now: float) -> None:
        """One answer has come."""
        if answer.failed:
            self.failed.add(question)
        self._open_count -= 1
        if self._open_count == 0:
            self.finder.lookups_ended(self, now)


class AwaitedAnswer:
    """Waits for the answer to one of the questions."""

    __slots__ = ("_question", "lookups")

    def __init__(self, question: Question, lookups: HopLookups) -> None:
        self._question = question
        self.lookups = lookups

    def answer_arrived(self, answer: Answer, now: float) -> None:
        """Go on when it is the last one."""
        self.lookups.arrived(self._question, answer, now)
