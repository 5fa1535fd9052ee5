"""The last calls to numbers that found no way, for operators: `show routing failures`."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import Final

FAILURES_MAX: Final = 1000
TEXT_LEN_MAX: Final = 200
STEPS_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class RoutingFailure:
    """One call. `wall_time`: unix time. `status` and `reason`: its answer. `steps`: the rules that were passed."""

    wall_time: float
    call_id: str
    source: str
    caller: str
    called: str
    status: int
    reason: str
    steps: list[str]


class RoutingFailures:
    """As many as FAILURES_MAX; then the oldest goes."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: deque[RoutingFailure] = deque(maxlen=FAILURES_MAX)

    def __len__(self) -> int:
        return len(self._kept)

    def note(self, failure: RoutingFailure) -> None:
        """Keep one more."""
        self._kept.append(failure)

    def latest(self, limit: int, offset: int) -> list[RoutingFailure]:
        """So many, the latest first, after `offset` others."""
        return list(islice(reversed(self._kept), offset, offset + limit))


def shortened(octets: bytes) -> str:
    """A text of a message for eyes."""
    return octets[:TEXT_LEN_MAX].decode("utf-8", "replace")
