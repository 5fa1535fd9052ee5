"""In which order the entries of a rule are tried: by priority, and among equal ones by weight (as RFC 2782 does).

The choice is a function of a seed, which the caller makes of the Call-ID: a retransmission, or another worker that goes
on with the call, finds the same order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from appliance.routing.route_entry import RouteEntry

_MULTIPLIER: Final = 6364136223846793005
_MASK: Final = (1 << 64) - 1


def in_order(entries: Sequence[RouteEntry], seed: int) -> Sequence[RouteEntry]:
    """All of them, the first one to be tried first."""
    if len(entries) == 1:
        return entries
    waiting = sorted(entries, key=_priority)
    ordered: list[RouteEntry] = []
    while waiting:
        equal = [entry for entry in waiting if entry.priority == waiting[0].priority]
        del waiting[: len(equal)]
        while len(equal) > 1:
            seed = (seed * _MULTIPLIER + 1442695040888963407) & _MASK
            ordered.append(equal.pop(_pick(equal, seed >> 33)))
        ordered += equal
    return ordered


def _priority(entry: RouteEntry) -> int:
    return entry.priority


def _pick(entries: list[RouteEntry], number: int) -> int:
    total = sum(entry.weight for entry in entries)
    if not total:
        return number % len(entries)
    rest = number % total
    for place, entry in enumerate(entries):
        rest -= entry.weight
        if rest < 0:
            return place
    raise AssertionError("a rest is less than the sum")
