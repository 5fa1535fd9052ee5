"""The times at which Python's collector looks for cycles: not while messages wait.

What a call needs is freed by counting references. Left to itself the collector looks at everything that is alive each
time so many objects have been made: 26 ms for 50,000 of them, and none to be freed. All that came meanwhile had to
wait. What faults and closed connections leave behind in cycles can wait: for a moment with few transactions, or, in
a worker that has no such moment, for an hour.

What was looked at once is not looked at again: it lives as long as the tables do.

Only a whole collection empties the interpreter's lists of free tuples: up to 2000 of each length below 20, 5 MB in all.
Each `tuple(...)` of a generator adds to them, so they fill with commits.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Final

# What a transaction keeps alive is looked at in less than 20 us.
FEW_TRANSACTIONS: Final = 500
PAUSE_S: Final = 10.0
# A third of a second, if it has to be; with more transactions the worker might be taken for hung.
MANY_TRANSACTIONS: Final = 20_000
LONGEST_S: Final = 3600.0


def leave_it_to_us() -> None:
    """The collector does not run by itself from now on; what is there stays, and is looked at no more."""
    gc.disable()
    gc.collect()
    gc.freeze()


def collect_new() -> None:
    """Free what was left in cycles since the last time, and the interpreter's free tuples; what lives now stays."""
    gc.collect(1)
    gc.freeze()
    # With nothing to look at, it only empties the lists.
    gc.collect()


class GcSchedule:
    """The collector of a process in which it does not run by itself: called when `tend` finds the moment right."""

    def __init__(self, now: float, collect: Callable[[], None] = collect_new) -> None:
        self._collect = collect
        self._collected_at = now

    def tend(self, transactions: int, now: float) -> None:
        """Collect now if that is due and delays no message."""
        since_s = now - self._collected_at
        is_quiet = since_s >= PAUSE_S and transactions <= FEW_TRANSACTIONS
        if is_quiet or (since_s >= LONGEST_S and transactions <= MANY_TRANSACTIONS):
            self._collected_at = now
            self._collect()
