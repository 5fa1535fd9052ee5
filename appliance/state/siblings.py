"""What a replica remembers of each other worker, and of the ranges it is fetching.

A sibling costs some numbers and, while it asks for ranges, one iterator: never a queue of records.

Knows nothing of messages, nor of what the numbers are used for (see replication.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Sibling:
    """What is known of one other worker, in both directions."""

    __slots__ = (
        "acked",
        "agreed",
        "asked_at",
        "digests_at",
        "gap_second",
        "has_answered",
        "heard",
        "is_in_sync",
        "is_lagging",
        "lag_until",
        "met_at",
        "must_ack",
        "portions",
        "probe_at",
        "sent",
        "skipped",
        "sound",
        "waiting_since",
        "wanted_ranges",
    )

    def __init__(self, seq: int, now: float, digests_at: float) -> None:
        self.met_at = now
        # Outwards: numbers of our changes.
        self.sent = seq
        self.acked = seq
        self.skipped = False  # something was not sent for want of credit
        self.waiting_since = now
        self.probe_at = 0.0
        self.is_in_sync = False
        self.is_lagging = False
        self.lag_until = 0  # the number whose acknowledgement ends the lag
        # Inwards: numbers of its changes. `heard` is the last that came, `sound` the last before which none is missing.
        self.heard = 0
        self.sound = 0
        self.gap_second = 0
        self.must_ack = False
        # Digests and ranges.
        self.agreed = False
        self.has_answered = False
        self.asked_at = now
        self.digests_at = digests_at
        self.wanted_ranges: list[int] = []  # what it asked us for and has not got
        self.portions: Iterator[bytes] | None = None

    @property
    def has_gap(self) -> bool:
        return self.sound < self.heard


class Pull:
    """Ranges being fetched from one sibling."""

    __slots__ = ("asked", "progress_at", "ranges", "source")

    def __init__(self, source: int, ranges: list[int], now: float) -> None:
        self.source = source
        self.ranges = ranges
        self.asked: set[int] = set()
        self.progress_at = now
