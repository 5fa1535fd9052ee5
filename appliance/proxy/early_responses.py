"""Responses that come before the call they belong to (design 4).

When slots move between live workers, their calls follow over the bus. A response that the kernel already gives to the
new owner finds nothing there; it waits a moment for its call. What waits in vain goes on as any stray response.

Knows nothing of slots, and of how calls arrive.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from appliance.sip.message import Response
from appliance.transaction.table import Transactions

# Slots are to have moved within a second, also where the machine is busy.
WAIT_S: Final = 1.0
HELD_MAX: Final = 4096


class EarlyResponses:
    """Responses of the last moments, in the order in which they came."""

    __slots__ = ("_expected_until", "_held")

    def __init__(self) -> None:
        self._expected_until = 0.0
        self._held: deque[tuple[float, Response]] = deque()

    def expect(self, now: float) -> None:
        """Calls may arrive from now on."""
        self._expected_until = now + WAIT_S

    def hold(self, response: Response, now: float) -> bool:
        """Let a response wait that matches no transaction; False when no call is expected, or too many wait."""
        if now >= self._expected_until or len(self._held) >= HELD_MAX:
            return False
        self._held.append((now + WAIT_S, response))
        return True

    def match(self, transactions: Transactions, now: float) -> None:
        """Calls have arrived: give them the responses that waited for them."""
        held, self._held = self._held, deque()
        for deadline, response in held:
            client = transactions.client_for(response)
            if client is None:
                self._held.append((deadline, response))
            else:
                transactions.receive_response(client, response, now)

    def overdue(self, now: float) -> list[Response]:
        """Takes out what has waited in vain."""
        late = []
        while self._held and self._held[0][0] <= now:
            late.append(self._held.popleft()[1])
        return late

    def next_deadline(self) -> float | None:
        """When the first response has waited long enough; None when nothing waits."""
        return self._held[0][0] if self._held else None
