"""What siblings have handed over to this worker and it has not handled yet: a portion for each turn of the loop."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

from appliance.messages.bus_messages import BusMessage, HandedOver
from appliance.transport.process_id import ProcessId

MESSAGES_PER_TURN: Final = 64
OCTETS_PER_TURN: Final = 1 << 17


class HandedOverQueue:
    """Messages in the order of their arrival. Bounded by its owner, who reads no more while `is_full`."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[ProcessId, HandedOver, float]] = deque()
        self._unacknowledged: dict[ProcessId, int] = {}
        self.delay_s = 0.0
        """How long the first message of the last `take` had waited here."""

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_full(self) -> bool:
        """Is there enough for a turn?"""
        return len(self._waiting) >= MESSAGES_PER_TURN

    def add(self, sender: ProcessId, message: HandedOver, now: float) -> None:
        """It waits for its turn."""
        self._waiting.append((sender, message, now))

    def take(self, now: float) -> list[tuple[ProcessId, BusMessage]]:
        """What is handled in this turn."""
        portion: list[tuple[ProcessId, BusMessage]] = []
        octets = 0
        self.delay_s = now - self._waiting[0][2] if self._waiting else 0.0
        while self._waiting and len(portion) < MESSAGES_PER_TURN and octets < OCTETS_PER_TURN:
            sender, message, _ = self._waiting.popleft()
            octets += len(message.data)
            portion.append((sender, message))
            if message.flow.is_stream:
                self._unacknowledged[sender] = self._unacknowledged.get(sender, 0) + 1
        return portion

    def acknowledgements(self, at_once: int) -> Sequence[tuple[ProcessId, int]]:
        """(sibling, messages of streams handled) of each that has so many to be acknowledged."""
        return [(sender, count) for sender, count in self._unacknowledged.items() if count >= at_once]

    def acknowledged(self, sender: ProcessId) -> None:
        """The sibling was told."""
        self._unacknowledged.pop(sender, None)
