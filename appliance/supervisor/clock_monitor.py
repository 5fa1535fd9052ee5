"""Steps of the machine's clock: found, logged, an alarm for an hour; and the clock by which registrations live.

Lifetimes are counted by the boot clock, which no step moves, from the unix time at which the node started. What is
stored is dated by it as well; so how far the clock has been set since is kept in the state folder, and a restart goes
on counting where the node stood.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from appliance import clock
from appliance.catalogue.alarms import CLOCK_STEPPED, Condition

STEP_S: Final = 1.0  # less is how the clock is kept right
ALARM_S: Final = 3600.0
FILE_NAME: Final = "clock-steps"


class ClockWatch:
    """Call `look` now and then. `folder`: the state folder; `report` takes a sentence."""

    def __init__(self, folder: Path, report: Callable[[str], None]) -> None:
        self._path = folder / FILE_NAME
        self._report = report
        self._steps_s = _stored(self._path)
        self._ahead_s = clock.wall_time() - clock.boot_time()
        self.lifetime_offset_s = self._ahead_s - self._steps_s
        """What the clock of registrations is ahead of the boot clock, as long as this node runs."""
        self._sentence = ""
        self._alarm_until = 0.0

    def look(self, wall_time: float, boot_time: float) -> None:
        """Has the clock been set since the last look?"""
        ahead_s = wall_time - boot_time
        step_s = ahead_s - self._ahead_s
        if abs(step_s) < STEP_S:
            return
        self._ahead_s = ahead_s
        self._steps_s += step_s
        self._alarm_until = boot_time + ALARM_S
        direction = "forward" if step_s > 0 else "back"
        self._sentence = f"The clock was set {direction} by {abs(step_s):.1f} s."
        self._report(f"{self._sentence} Registrations keep their lifetimes.")
        # Where it cannot be kept, a restart counts by the new time.
        with suppress(OSError):
            _store(self._path, self._steps_s)

    def conditions(self, boot_time: float) -> Iterator[Condition]:
        """The last step, for an hour."""
        if boot_time < self._alarm_until:
            yield Condition(CLOCK_STEPPED, "clock", self._sentence)


def _stored(path: Path) -> float:
    try:
        return float(path.read_text())
    except (OSError, ValueError):
        return 0.0


def _store(path: Path, steps_s: float) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(f"{steps_s:.3f}\n")
    fresh.rename(path)
