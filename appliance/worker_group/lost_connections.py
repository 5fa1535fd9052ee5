"""Stream connections of other nodes that were lost lately: whose phones do not know of it.

A phone that is idle hears nothing when its virtual address goes to another node, and could not be called until it
registers again. The new owner of the address tells it (workers/connection_probes.py); so it has to know for a while
which connections the former owner had.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from appliance.messages.membership import NO_MEMBER
from appliance.transport.flow import Flow
from appliance.transport.process_id import node_of

# Longer than a node needs to take an address over.
KEPT_S: Final = 30.0
# The oldest make room: their phones find it out by themselves.
LOST_MAX: Final = 65_536


class LostConnections:
    """With the listeners at their places here."""

    def __init__(self) -> None:
        self._lost: deque[tuple[float, Flow]] = deque(maxlen=LOST_MAX)

    def __len__(self) -> int:
        return len(self._lost)

    def add(self, flows: Iterable[Flow], now: float) -> None:
        """These were lost, or closed by their node."""
        self._forget_old(now)
        self._lost.extend((now, flow) for flow in flows)

    def of_node(self, node: int, places: Collection[int], now: float) -> Iterator[Flow]:
        """Those that a node, NO_MEMBER for any, has lost lately at listeners at these places."""
        self._forget_old(now)
        for _, flow in self._lost:
            if node in (NO_MEMBER, node_of(flow.process)) and flow.listener in places:
                yield flow

    def _forget_old(self, now: float) -> None:
        while self._lost and self._lost[0][0] < now - KEPT_S:
            self._lost.popleft()
