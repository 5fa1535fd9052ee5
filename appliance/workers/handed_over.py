"""Messages that other workers have handed over and that are not handled yet: a portion for each turn of the loop."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

from appliance.messages.bus_messages import BusMessage, HandedOver
from appliance.transport.process_id import ProcessId

MESSAGES_PER_TURN: Final = 64
OCTETS_PER_TURN: Final = 1 << 17
# More than this does not wait for the first slots.
HELD_MAX: Final = 1024


class HandedOverQueue:
    """Messages in the order of their arrival. Bounded by its owner, who reads no more while `is_full`.

    Siblings hand over before the supervisor has said whose the slots are and which siblings live. By then
    a response could not go back by the sibling that holds the connection. So what arrives waits until `release`.
    """

    def __init__(self) -> None:
        self._is_held = True
        self._waiting: deque[tuple[ProcessId, HandedOver, float]] = deque()
        self._unacknowledged: dict[ProcessId, int] = {}
        self.delay_s = 0.0
        """How long the first message of the last `take` had waited here."""

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_full(self) -> bool:
        """Is there enough for a turn, or as much as may be held?"""
        return len(self._waiting) >= (HELD_MAX if self._is_held else MESSAGES_PER_TURN)

    @property
    def is_ready(self) -> bool:
        """Is there something to take?"""
        return bool(self._waiting) and (not self._is_held or self.is_full)

    def release(self) -> None:
        """Whose the slots are is known."""
        self._is_held = False

    def add(self, sender: ProcessId, message: HandedOver, now: float) -> None:
        """It waits for its turn."""
        self._waiting.append((sender, message, now))

    def take(self, now: float) -> list[tuple[ProcessId, BusMessage]]:
        """What is handled in this turn; nothing while it is held."""
        portion: list[tuple[ProcessId, BusMessage]] = []
        if not self.is_ready:
            self.delay_s = 0.0
            return portion
        octets = 0
        self.delay_s = now - self._waiting[0][2]
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
