"""What was sent to another node and is not acknowledged yet: bounded, so that a slow node costs a bounded memory."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

OCTETS_MAX: Final = 1 << 20
BATCHES_MAX: Final = 48  # fewer than a link keeps unsent


@dataclass(frozen=True, slots=True)
class Sent:
    """A batch: its last sequence number, its size, when it was sent."""

    seq: int
    octets: int
    at: float


class SendWindow:
    """The batches in the order of their sequence numbers."""

    def __init__(self, octets_max: int = OCTETS_MAX, batches_max: int = BATCHES_MAX) -> None:
        self.octets = 0
        self._octets_max = octets_max
        self._batches_max = batches_max
        self._sent: deque[Sent] = deque()

    def __len__(self) -> int:
        return len(self._sent)

    @property
    def has_room(self) -> bool:
        """May another batch be sent?"""
        return self.octets < self._octets_max and len(self._sent) < self._batches_max

    def sent(self, seq: int, octets: int, now: float) -> None:
        """A batch has left."""
        self._sent.append(Sent(seq, octets, now))
        self.octets += octets

    def acknowledged(self, seq: int) -> int:
        """The other node has all up to here; returns how many batches that are."""
        count = 0
        while self._sent and self._sent[0].seq <= seq:
            self.octets -= self._sent.popleft().octets
            count += 1
        return count

    def waits_since(self) -> float | None:
        """When the oldest batch was sent; None where nothing waits."""
        return self._sent[0].at if self._sent else None

    def clear(self) -> None:
        """Nothing of it will be acknowledged."""
        self._sent.clear()
        self.octets = 0
