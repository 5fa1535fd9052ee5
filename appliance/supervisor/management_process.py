"""The management process of a node: kept running, like a worker that owns no slots.

It serves operators and no calls, so its end costs nothing but a moment without an answer: it is started
again after a pause that doubles while it keeps dying soon.
"""

from __future__ import annotations

from collections.abc import Callable

from appliance.catalogue.settings import SupervisionSettings
from appliance.ipc.launch import ManagementLaunch
from appliance.supervisor.decisions import restart_delay_s
from appliance.supervisor.processes import NodeProcess

NAME = "The management process"


class ManagementRunner:
    """Call `tend` in every cycle."""

    def __init__(self, launch: ManagementLaunch, report: Callable[[str], None]) -> None:
        self.launch = launch
        """What the next one is started with."""
        self.process: NodeProcess | None = None
        self.started_at = 0.0
        self.restarts = -1
        self._report = report
        self._deaths = 0
        self._start_at = 0.0

    @property
    def is_running(self) -> bool:
        return self.process is not None

    def tend(self, limits: SupervisionSettings, is_stopping: bool, now: float) -> None:
        """Take note of its end, and start it when it is time."""
        if self.process is not None and (ending := self.process.ending()):
            self._ended(ending, limits, is_stopping, now)
        if self.process is None and not is_stopping and now >= self._start_at:
            self._start(limits, now)

    def stop(self) -> None:
        """Ask it to end."""
        if self.process is not None:
            self.process.terminate()

    def kill(self) -> None:
        """End it now."""
        if self.process is not None:
            self.process.kill()

    def _start(self, limits: SupervisionSettings, now: float) -> None:
        self.started_at = now
        try:
            self.process = NodeProcess(self.launch, self.launch.argv())
        except OSError as fault:
            self._died(f"cannot be started: {fault.strerror or fault}", limits, now)
            return
        self.restarts += 1

    def _ended(self, ending: str, limits: SupervisionSettings, is_stopping: bool, now: float) -> None:
        assert self.process is not None
        self.process.close()
        self.process = None
        if not is_stopping:
            self._died(ending, limits, now)

    def _died(self, ending: str, limits: SupervisionSettings, now: float) -> None:
        has_lived = now - self.started_at > limits.restart_delay_max_ms / 1000
        self._deaths = 1 if has_lived else self._deaths + 1
        self._start_at = now + restart_delay_s(self._deaths, limits)
        self._report(f"{NAME} is down: {ending}.")
