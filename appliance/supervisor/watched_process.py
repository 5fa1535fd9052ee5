"""A process of a node without SIP that reports regularly: it is ended when no report comes for too long.

Time for which it wanted a processor and had none does not count, up to a bound.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from appliance.catalogue.supervision_settings import SupervisionSettings
from appliance.supervisor.supporting_process import AnyLaunch, SupportingProcess

# No process waits for it, so it may be silent for longer than a worker.
PATIENCE: Final = 5


class WatchedProcess(SupportingProcess[AnyLaunch]):
    """Call `tend` in every cycle, and `signed` with each report."""

    silence_min_s = 0.0
    """It may be silent for so long whatever the limits say."""

    def __init__(self, name: str, launch: AnyLaunch, report: Callable[[str], None]) -> None:
        super().__init__(name, launch, report)
        self._last_heard = 0.0
        self._waited_s = 0.0
        self._is_heard = False

    def signed(self, now: float) -> None:
        """It has reported."""
        if self.process is not None:
            self._last_heard, self._is_heard = now, True
            self._waited_s = self.process.waited_s()

    def forgive_silence(self, now: float) -> None:
        """The supervisor itself was held up."""
        self._last_heard = max(self._last_heard, now)

    def tend(self, limits: SupervisionSettings, is_stopping: bool, now: float) -> None:
        """Take note of its end, end it when it is silent, start it when it is time."""
        super().tend(limits, is_stopping, now)
        if self.process is not None and self._is_silent(limits, now):
            self._report(f"{self.name} sent no heartbeat for {now - self._last_heard:.1f} s; it is killed.")
            self._last_heard = now
            self.kill()

    def _is_silent(self, limits: SupervisionSettings, now: float) -> bool:
        assert self.process is not None
        silent_s = now - self._last_heard
        longest_s = max(PATIENCE * limits.hang_ms / 1000, self.silence_min_s)
        if not self._is_heard:
            longest_s = float(limits.start_timeout_s)
        if silent_s <= longest_s:
            return False
        return silent_s - min(self.process.waited_s() - self._waited_s, PATIENCE * longest_s) > longest_s

    def _start(self, limits: SupervisionSettings, now: float) -> None:
        self._last_heard, self._waited_s, self._is_heard = now, 0.0, False
        super()._start(limits, now)
