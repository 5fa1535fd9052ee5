"""When the supervisor runs its next cycle: soon while anything happens, rarely once nothing has for a second.

A cycle that finds nothing to do costs as much as some calls. What must not be found out late is the silence of a
worker: so the supervisor wakes up when one might have become a hang, and a cycle is due if it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from appliance.catalogue.supervision_settings import SupervisionSettings
from appliance.supervisor.decisions import WorkerState
from appliance.supervisor.worker_record import WorkerRecord

CYCLE_S: Final = 0.05
# The longest pause between two cycles, and how soon after the last event it may be so long.
CALM_CYCLE_S: Final = 1.0
RESTLESS_S: Final = 1.0
NEVER: Final = float("inf")


class CycleScheduler:
    """The cycles of a supervisor. Times are monotonic seconds."""

    def __init__(self, now: float) -> None:
        self._cycle_at = self._awake_at = self._hang_from = now
        self._is_calm = False
        self._restless_until = now + RESTLESS_S

    def sleep_s(self, records: Sequence[WorkerRecord], limits: SupervisionSettings, now: float) -> float:
        """For how long to wait, at most, for something to happen."""
        sleep_s = max(min(self._cycle_at, self._hang_at(records, limits)) - now, 0.0)
        self._awake_at += sleep_s
        return sleep_s

    def woke(self, limits: SupervisionSettings, now: float) -> bool:
        """Note the end of a sleep. True: it, with the work before it, took so long that the supervisor was held up."""
        was_held_up = (now - self._awake_at) * 1000 > limits.hang_ms / 4
        self._awake_at = now
        return was_held_up

    def disturbed(self, now: float) -> None:
        """Something has happened: a cycle is due at once, and for a while there are many."""
        self._cycle_at = now
        self._restless_until = now + RESTLESS_S

    def is_due(self, records: Sequence[WorkerRecord], limits: SupervisionSettings, now: float) -> bool:
        """Is it time for a cycle?"""
        return now >= min(self._cycle_at, self._hang_at(records, limits))

    def cycle_done(self, records: Sequence[WorkerRecord], is_stopping: bool, now: float) -> None:
        """A cycle was run, and has left the workers like this: when is the next one due?"""
        is_quiet = now >= self._restless_until and not is_stopping
        self._is_calm = is_quiet and all(record.life == WorkerState.LIVE for record in records)
        self._cycle_at = now + (CALM_CYCLE_S if self._is_calm else CYCLE_S)
        # One that is silent and excused, for it had no processor, does not make the supervisor spin.
        self._hang_from = now + CYCLE_S

    def _hang_at(self, records: Sequence[WorkerRecord], limits: SupervisionSettings) -> float:
        """When a silence becomes a hang; of no interest while cycles are frequent."""
        if not self._is_calm:
            return NEVER
        return max(self._hang_from, min(record.last_heard for record in records) + limits.hang_ms / 1000)
