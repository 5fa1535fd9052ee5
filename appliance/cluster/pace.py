"""When the supervisor runs its next cycle: soon while anything happens, rarely once nothing has for a second.

A cycle that finds nothing to do costs as much as some calls. What must not be found out late is the silence of a
worker: so a pause ends when one would become a hang. And no single sleep is as long as a hang, so that one which is
tells that the supervisor itself was held up.

Knows nothing of what wakes the supervisor, and of what it does in a cycle.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from appliance.catalogue.settings import SupervisionSettings
from appliance.cluster.decisions import Life
from appliance.cluster.worker_record import WorkerRecord

CYCLE_S: Final = 0.05
# The longest pause between two cycles, and how soon after the last event it may be so long.
CALM_CYCLE_S: Final = 0.5
RESTLESS_S: Final = 1.0


class Pace:
    """The cycles of a supervisor. Times are monotonic seconds."""

    def __init__(self, now: float) -> None:
        self._due_at = self._last_awake = now
        self._restless_until = now + RESTLESS_S

    def sleep_s(self, limits: SupervisionSettings, now: float) -> float:
        """For how long to wait, at most, for something to happen."""
        # A sleep that lasts longer is one in which the supervisor was itself held up.
        return min(max(self._due_at - now, 0.0), limits.hang_ms / 3000)

    def woke(self, limits: SupervisionSettings, now: float) -> bool:
        """Take note of the end of a sleep; was it so long that the supervisor must have been held up?"""
        was_held_up = (now - self._last_awake) * 1000 > limits.hang_ms / 2
        self._last_awake = now
        return was_held_up

    def disturbed(self, now: float) -> None:
        """Something has happened: a cycle is due at once, and for a while there are many."""
        self._due_at = now
        self._restless_until = now + RESTLESS_S

    def is_due(self, now: float) -> bool:
        """Is it time for a cycle?"""
        return now >= self._due_at

    def cycle_done(
        self, records: Sequence[WorkerRecord], limits: SupervisionSettings, is_stopping: bool, now: float
    ) -> None:
        """A cycle was run, and has left the workers like this: when is the next one due?"""
        self._due_at = now + CYCLE_S
        is_calm = now >= self._restless_until and not is_stopping
        if is_calm and all(record.life == Life.LIVE for record in records):
            hangs_at = min(record.last_heard for record in records) + limits.hang_ms / 1000
            self._due_at = max(now + CYCLE_S, min(now + CALM_CYCLE_S, hangs_at))
