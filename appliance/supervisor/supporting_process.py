"""A process of a node that handles no SIP: kept running, like a worker that owns no slots.

It is started again after a pause that doubles while it keeps dying soon after its start.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from appliance.catalogue.supervision_settings import SupervisionSettings
from appliance.ipc.launch_document import Launch
from appliance.supervisor.decisions import restart_delay_s
from appliance.supervisor.processes import NodeProcess

AnyLaunch = TypeVar("AnyLaunch", bound=Launch)


class SupportingProcess(Generic[AnyLaunch]):
    """Call `tend` in every cycle. `name`: how sentences call it."""

    rights: tuple[int, ...] = ()
    """Capabilities that it has and others have not (privileges.py)."""

    def __init__(self, name: str, launch: AnyLaunch, report: Callable[[str], None]) -> None:
        self.name = name
        self.launch = launch
        """What the next one is started with."""
        self.process: NodeProcess | None = None
        self.started_at = 0.0
        self.restarts = -1
        self.last_ending = ""
        self.deaths = 0
        """How often it has ended soon after its start, without a break."""
        self._report = report
        self._start_at = 0.0

    @property
    def is_running(self) -> bool:
        return self.process is not None

    @property
    def is_down(self) -> bool:
        """Was it started once, and does it not run now?"""
        return self.process is None and self.restarts >= 0

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
            self.process = NodeProcess(self.launch, self.launch.argv(), rights=self.rights)
        except OSError as fault:
            self._died(f"cannot be started: {fault.strerror or fault}", limits, now)
            return
        self.restarts += 1

    def _ended(self, ending: str, limits: SupervisionSettings, is_stopping: bool, now: float) -> None:
        assert self.process is not None
        self.process.close()
        self.process = None
        self.last_ending = ending
        if not is_stopping:
            self._died(ending, limits, now)

    def _died(self, ending: str, limits: SupervisionSettings, now: float) -> None:
        has_lived = now - self.started_at > limits.restart_delay_max_ms / 1000
        self.deaths = 1 if has_lived else self.deaths + 1
        self._start_at = now + restart_delay_s(self.deaths, limits)
        self._report(f"{self.name} is down: {ending}.")
