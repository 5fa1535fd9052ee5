"""Responses and CANCELs that come before the call they belong to (design 4).

When slots move between live workers, their calls follow over the bus. What the kernel already gives to the new owner
finds nothing there; it waits a moment for its call. What waits in vain goes on without one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from appliance.proxy.request_context import RequestContext
from appliance.sip.message import Response

# Slots are to have moved within a second, also where the machine is busy.
WAIT_S: Final = 1.0
HELD_MAX: Final = 4096

# A CANCEL is in its request context.
Early = Response | RequestContext


class EarlyMessages:
    """Messages of the last moments, in the order in which they came."""

    __slots__ = ("_expected_until", "_held")

    def __init__(self) -> None:
        self._expected_until = 0.0
        self._held: deque[tuple[float, Early]] = deque()

    def expect(self, now: float) -> None:
        """Calls may arrive from now on."""
        self._expected_until = now + WAIT_S

    def hold(self, message: Early, now: float) -> bool:
        """Let a message wait whose call is not here; False when no call is expected, or too many wait."""
        if now >= self._expected_until or len(self._held) >= HELD_MAX:
            return False
        self._held.append((now + WAIT_S, message))
        return True

    def match(self, receive: Callable[[Early, float], bool], now: float) -> None:
        """Calls have arrived: give them what waited for them; `receive` says of a message whether its call is here."""
        held, self._held = self._held, deque()
        for deadline, message in held:
            if not receive(message, now):
                self._held.append((deadline, message))

    def overdue(self, now: float) -> list[Early]:
        """Takes out what has waited in vain."""
        late = []
        while self._held and self._held[0][0] <= now:
            late.append(self._held.popleft()[1])
        return late

    def next_deadline(self) -> float | None:
        """When the first message has waited long enough; None when nothing waits."""
        return self._held[0][0] if self._held else None
