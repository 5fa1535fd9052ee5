"""Messages for workers that the bus has not reached yet: handed over, or to be sent by their connections.

A worker that has just started owns slots, and accepts connections, before every sibling is connected to it, or even
runs: on a busy machine some workers start seconds after the first one. What goes by a stream is not sent again
(RFC 3261 17.1, 17.2), so it waits for the connection. When a sibling has died, the supervisor says so, and nothing
waits longer.
"""

from __future__ import annotations

from typing import Final

from appliance.messages.bus_messages import BusMessage
from appliance.transport.process_id import ProcessId

RETRY_S: Final = 0.01
WAIT_MAX_S: Final = 10.0
# For one sibling; the newest are dropped, and counted (`bus-unreached`).
MESSAGES_MAX: Final = 512


class UnreachedSiblings:
    """By sibling, what waits for it, in order, and until when (monotonic seconds)."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: dict[ProcessId, tuple[float, list[BusMessage]]] = {}

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def __contains__(self, sibling: ProcessId) -> bool:
        return sibling in self._waiting

    def add(self, sibling: ProcessId, message: BusMessage, now: float) -> bool:
        """Keep a message until the sibling is reached; False when too many wait for it."""
        _, messages = self._waiting.setdefault(sibling, (now + WAIT_MAX_S, []))
        if len(messages) >= MESSAGES_MAX:
            return False
        messages.append(message)
        return True

    def siblings(self) -> list[ProcessId]:
        """Those that something waits for."""
        return list(self._waiting)

    def is_overdue(self, sibling: ProcessId, now: float) -> bool:
        """Has it waited too long?"""
        return now >= self._waiting[sibling][0]

    def messages_for(self, sibling: ProcessId) -> list[BusMessage]:
        """What waits for a sibling."""
        return self._waiting[sibling][1]

    def take(self, sibling: ProcessId) -> list[BusMessage]:
        """Nothing waits for it any more; returns what did."""
        _, messages = self._waiting.pop(sibling, (0.0, []))
        return messages
