"""In which order the servers of SRV records are tried (RFC 2782, "Usage rules"): by priority, then by weight.

The choice by weight is a function of a seed, not of chance: a retransmission, and another worker that goes on with a
call, find the same order (RFC 3263 4.4).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import Final

from appliance.routing.server_records import SrvRecord

# Knuth's constants for a linear congruential generator of 64 bits; its upper half is used.
_MULTIPLIER: Final = 6364136223846793005
_INCREMENT: Final = 1442695040888963407
_MASK: Final = (1 << 64) - 1


def in_order(records: Sequence[SrvRecord], seed: int) -> list[SrvRecord]:
    """All of them, the first one to be tried first. `seed`: 64 bits."""
    ordered: list[SrvRecord] = []
    for _, equal in groupby(sorted(records, key=attrgetter("priority")), attrgetter("priority")):
        # "All those with weight 0 are placed at the beginning of the list."
        waiting = sorted(equal, key=attrgetter("weight", "target", "port"))
        while len(waiting) > 1:
            seed = (seed * _MULTIPLIER + _INCREMENT) & _MASK
            ordered.append(waiting.pop(_pick(waiting, seed >> 32)))
        ordered += waiting
    return ordered


def _pick(waiting: list[SrvRecord], number: int) -> int:
    """The place of the first one whose running sum is at least the number, taken between 0 and the sum inclusive."""
    number %= sum(record.weight for record in waiting) + 1
    running = 0
    for place, record in enumerate(waiting):
        running += record.weight
        if running >= number:
            return place
    raise AssertionError("the number is at most the sum")
