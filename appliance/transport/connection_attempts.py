"""Which address of a server is connected to next, and when (RFC 8305 4, 5; RFC 7984 for SIP): happy eyeballs.

    first address                 next one, of the other family            next one, of the first family
         |--- 250 ms, or a failure -->|--- 250 ms, or a failure -->|--- ...

The attempts go on beside each other. The first that succeeds counts, and the others are given up. The addresses of a
server that has one family alone are not tried so: each replaces the one before it when that has failed (RFC 3263 4.3).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Final

from appliance.transport.flow import Flow

# RFC 8305 5: the Connection Attempt Delay that it recommends.
ATTEMPT_DELAY_S: Final = 0.25
# Connections that one server is sent at a time; its other addresses are tried as any next hop is.
ATTEMPTS_MAX: Final = 4
NEVER: Final = float("inf")


def interleaved(hops: Sequence[Flow]) -> tuple[Flow, ...]:
    """The hops to one server, alternating between the families, as many as are tried together (RFC 8305 4). () where
    all of them have the same family. The first one stays the first.
    """
    same = [hop for hop in hops if is_ipv6(hop) == is_ipv6(hops[0])]
    others = [hop for hop in hops if is_ipv6(hop) != is_ipv6(hops[0])]
    pairs = zip_longest(same, others)
    return tuple([hop for pair in pairs for hop in pair if hop is not None][:ATTEMPTS_MAX]) if others else ()


def is_ipv6(hop: Flow) -> bool:
    """Is that the family of its remote address?"""
    return ":" in hop.remote[0]


class ConnectionAttempts:
    """The attempts at so many addresses, which are numbered in their order from 0. Times are monotonic seconds.

    `next_at`: when `take_due` has the next one; NEVER when all have begun.
    """

    __slots__ = ("_begun", "_count", "_failed", "next_at")

    def __init__(self, count: int, now: float) -> None:
        self._count = count
        self._begun = 0
        self._failed: set[int] = set()
        self.next_at = now

    def take_due(self, now: float) -> int | None:
        """The attempt that is to begin now; None where none is."""
        if now < self.next_at:
            return None
        self._begun += 1
        self.next_at = now + ATTEMPT_DELAY_S if self._begun < self._count else NEVER
        return self._begun - 1

    def failed(self, attempt: int, now: float) -> None:
        """The next one need not wait for its time."""
        self._failed.add(attempt)
        self.next_at = min(self.next_at, now) if self._begun < self._count else NEVER

    @property
    def is_over(self) -> bool:
        """Have all of them failed?"""
        return len(self._failed) == self._count

    def late(self, winner: int) -> list[int]:
        """Those that began before the one that has succeeded, and neither failed nor succeeded."""
        return [attempt for attempt in range(winner) if attempt not in self._failed]
