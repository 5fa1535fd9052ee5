"""The number that names a listener in a registration: the same after a restart, and at another node (RFC 5626 5.1).

A flow by UDP is a NAT's way between the phone and one address and port of ours, so these two are what the number is
made of. The place of a listener in the configuration would change with the others. Flows by connections need none: a
connection belongs to one worker for as long as it lives.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from appliance.catalogue.settings import GONE, ListenerSettings
from appliance.sip.fnv import fnv
from appliance.transport.flow import Flow

# The field of a record has 15 bits. Below this are the places that records of earlier versions have.
_FIRST: Final = 256
_COUNT: Final = 2**15 - _FIRST


class ListenerMarks:
    """The listeners of one configuration. Of two with the same number, once in 30,000 pairs, the first one has it."""

    __slots__ = ("_marks", "_places")

    def __init__(self, listeners: Sequence[ListenerSettings]) -> None:
        self._marks = [mark_of(listener) for listener in listeners]
        self._places: dict[int, int] = {}
        for place, listener in enumerate(listeners):
            if listener.standing != GONE:
                self._places.setdefault(self._marks[place], place)

    def marked(self, flow: Flow) -> Flow:
        """The flow as it is kept in a registration."""
        if flow.is_stream:
            return flow
        return Flow(flow.transport, self._marks[flow.listener], flow.remote)

    def flow_of(self, kept: Flow) -> Flow | None:
        """The flow that was kept; None where there is no such listener here."""
        if kept.is_stream or kept.listener < _FIRST:
            return kept
        place = self._places.get(kept.listener)
        return None if place is None else Flow(kept.transport, place, kept.remote)


def mark_of(listener: ListenerSettings) -> int:
    """The number of a listener."""
    return _FIRST + fnv(f"{listener.address} {listener.port}".encode()) % _COUNT
