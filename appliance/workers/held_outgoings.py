"""Messages that wait in a worker until another node has copies of their calls (`cluster calls wait`, design 4).

All that comes after it waits as well, so the order of messages stays. The wait is bounded; it ends at once where there
is no node to wait for. With `cluster calls behind` nothing waits.
"""

from __future__ import annotations

from collections import deque
from typing import Final, Protocol

from appliance.catalogue.counters import CALLS_UNREPLICATED
from appliance.catalogue.settings import Settings
from appliance.messages.bus_messages import BusMessage
from appliance.transport.flow import Outgoing
from appliance.transport.process_id import ProcessId

# Turns that wait; beyond, the oldest goes.
HELD_MAX: Final = 4096
AGAIN_S: Final = 0.001

Leaving = tuple[list[Outgoing], list[tuple[ProcessId, BusMessage]]]


class CallPage(Protocol):
    """Where the replicator says how far another node has come (storage/replication_page.py)."""

    def calls_acknowledged(self, worker: int, /) -> int | None: ...
    def changed(self) -> None: ...


class HeldOutgoings:
    """Of the worker of this number. `is_waiting`: the setting; `wait_s`: how long at most."""

    def __init__(self, worker: int, page: CallPage, counters: list[int]) -> None:
        self.is_waiting = False
        self.wait_s = 0.0
        self._worker = worker
        self._page = page
        self._counters = counters
        self._held: deque[tuple[int, float, Leaving]] = deque()

    def go_by(self, settings: Settings) -> None:
        """Wait as the configuration says."""
        self.is_waiting = settings.cluster.calls == "wait"
        self.wait_s = settings.cluster.replication_wait_ms / 1000

    def __len__(self) -> int:
        """Turns that wait."""
        return len(self._held)

    def through(self, leaving: Leaving, position: int, now: float) -> Leaving:
        """What may leave now. `position`: of the copies of this turn in the call log; 0 when it has none."""
        if self.is_waiting and position:
            self._page.changed()
        if (self.is_waiting and position) or self._held:
            if leaving[0] or leaving[1]:
                self._held.append((position, now + self.wait_s, leaving))
            return self._released(now)
        return leaving

    def _released(self, now: float) -> Leaving:
        outgoings: list[Outgoing] = []
        messages: list[tuple[ProcessId, BusMessage]] = []
        acknowledged = self._page.calls_acknowledged(self._worker) if self.is_waiting else None
        while self._held:
            position, until, leaving = self._held[0]
            if acknowledged is not None and position > acknowledged and len(self._held) <= HELD_MAX:
                if until > now:
                    break
                self._counters[CALLS_UNREPLICATED] += 1
            self._held.popleft()
            outgoings += leaving[0]
            messages += leaving[1]
        return outgoings, messages
