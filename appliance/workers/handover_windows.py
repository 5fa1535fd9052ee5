"""How many messages of a connection may wait in another worker: a connection with more is not read meanwhile.

Each worker acknowledges what siblings have handed over to it. Datagrams are not held back: they cannot be, and what is
too much of them is dropped by the bus.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from appliance.transport.flow import Flow
from appliance.transport.process_id import ProcessId

# Messages that may be on their way to one sibling, some milliseconds of its work.
UNACKNOWLEDGED_MAX: Final = 256
# As few as this, and its connections go on.
GO_ON_AT: Final = 128
# So many are acknowledged at once; fewer than GO_ON_AT, so that one who waits is never forgotten.
ACKNOWLEDGED_AT_ONCE: Final = 64
# A sibling that acknowledges nothing for so long is dead, or soon declared so.
HELD_S: Final = 1.0


class _Window:
    """One sibling: messages that it has not acknowledged, the connections held for it, and since when."""

    __slots__ = ("held", "since", "unacknowledged")

    def __init__(self) -> None:
        self.unacknowledged = 0
        self.held: dict[int, Flow] = {}
        self.since = 0.0


class HandoverWindows:
    """The windows of all siblings. The flows that a method returns are to be held, or released."""

    def __init__(self) -> None:
        self._windows: dict[ProcessId, _Window] = {}

    def sent(self, sibling: ProcessId, flows: Sequence[Flow], now: float) -> list[Flow]:
        """Messages of these flows were handed over: which of them are to be held?"""
        window = self._windows.setdefault(sibling, _Window())
        window.unacknowledged += len(flows)
        if window.unacknowledged <= UNACKNOWLEDGED_MAX:
            return []
        if not window.held:
            window.since = now
        held = {flow.connection: flow for flow in flows if flow.connection not in window.held}
        window.held |= held
        return list(held.values())

    def acknowledged(self, sibling: ProcessId, count: int, now: float) -> list[Flow]:
        """The sibling has handled so many: which are released?"""
        window = self._windows.get(sibling)
        if window is None:
            return []
        window.unacknowledged = max(window.unacknowledged - count, 0)
        window.since = now
        if window.unacknowledged > GO_ON_AT:
            return []
        released, window.held = list(window.held.values()), {}
        return released

    def forget(self, sibling: ProcessId) -> list[Flow]:
        """It is dead, or another process by now: which are released?"""
        window = self._windows.pop(sibling, None)
        return [] if window is None else list(window.held.values())

    def overdue(self, now: float) -> list[Flow]:
        """What has been held for too long is released."""
        late = [number for number, window in self._windows.items() if window.held and now - window.since > HELD_S]
        return [flow for number in late for flow in self.forget(number)]
