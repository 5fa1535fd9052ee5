"""One comparison at a time, where several nodes compare their tables with that of one that joins or returns.

All of them have the same, and would send it all at once: each record after the first would be received for nothing.
The others wait for their answers; their comparisons find hardly any difference then. Pure.
"""

from __future__ import annotations

from typing import Final

from appliance.messages.link_messages import RangeDigest

# A node that asks nothing for so long has lost its turn.
SILENCE_S: Final = 2.0
NO_MEMBER: Final = 0


class WalkTurns:
    """Who may go on. One question of each other node waits at most."""

    def __init__(self) -> None:
        self._whose = NO_MEMBER
        self._heard_at = 0.0
        self._waiting: dict[int, RangeDigest] = {}

    def may_go_on(self, member: int, question: RangeDigest, is_sound: bool, now: float) -> bool:
        """Is the question to be answered now? Otherwise `due` has it later. `is_sound`: the tables are likely to be
        equal, so there is little to send, and little haste.
        """
        if is_sound:
            return True
        if self._whose not in (NO_MEMBER, member) and now - self._heard_at < SILENCE_S:
            self._waiting[member] = question
            return False
        self._begin(member, now)
        return True

    def due(self, now: float) -> list[tuple[int, RangeDigest]]:
        """(member, its question): whose turn it is now."""
        if not self._waiting or (self._whose != NO_MEMBER and now - self._heard_at < SILENCE_S):
            return []
        member = next(iter(self._waiting))
        question = self._waiting.pop(member)
        self._begin(member, now)
        return [(member, question)]

    def ended(self, member: int) -> None:
        """Its comparison is over, or its link."""
        self._waiting.pop(member, None)
        if self._whose == member:
            self._whose = NO_MEMBER

    def _begin(self, member: int, now: float) -> None:
        self._whose, self._heard_at = member, now
        self._waiting.pop(member, None)
