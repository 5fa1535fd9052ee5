"""Replies that wait until the sibling workers know what they say (ARCHITECTURE: answers).

A REGISTER is answered once every live worker has its bindings: a call that follows the answer then
finds them wherever it lands. The wait is bounded; past it the reply goes out and is counted late.
"""

from __future__ import annotations

from collections import deque

from appliance.transaction.table import Transactions
from appliance.transaction.transaction import ServerTransaction
from appliance.transport.flow import Flow


class HeldReplies:
    """Replies in the order of their replication numbers."""

    __slots__ = ("_held", "_transactions", "wait_s")

    def __init__(self, transactions: Transactions, wait_s: float) -> None:
        self._transactions = transactions
        self.wait_s = wait_s
        self._held: deque[tuple[int, float, ServerTransaction | None, Flow, int, bytes]] = deque()

    def __len__(self) -> int:
        return len(self._held)

    def hold(
        self, after: int, server: ServerTransaction | None, flow: Flow, status: int, data: bytes, now: float
    ) -> None:
        """Keep a reply until `after` is acknowledged, or for the wait at most; the rest as for Transactions.answer."""
        self._held.append((after, now + self.wait_s, server, flow, status, data))

    def release(self, acknowledged: int, now: float) -> int:
        """Send what is acknowledged up to that number, and what has waited too long: how many of these?"""
        held = self._held
        late_count = 0
        while held and (held[0][0] <= acknowledged or held[0][1] <= now):
            after, _, server, flow, status, data = held.popleft()
            late_count += after > acknowledged
            self._transactions.answer(server, flow, status, data, now)
        return late_count

    def next_deadline(self) -> float | None:
        """When the oldest reply has waited long enough; None when nothing is held."""
        return self._held[0][1] if self._held else None
