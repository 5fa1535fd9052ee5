"""The persister of a node: kept running, and what it says of itself in its heartbeats."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from appliance.catalogue.alarms import ALARMS, PERSISTER_DOWN, STATE_STORE_FAILING, Condition
from appliance.catalogue.settings import SupervisionSettings
from appliance.ipc.launch import PersisterLaunch
from appliance.messages.bus_messages import Heartbeat
from appliance.supervisor.supporting_process import SupportingProcess
from appliance.supervisor.worker_record import sums

# No process waits for it, so it may be silent for longer than a worker.
PATIENCE: Final = 5
SUBJECT: Final = "persister"
_NAMES: Final = frozenset(alarm.name for alarm in ALARMS)


class PersisterProcess(SupportingProcess[PersisterLaunch]):
    """Call `tend` in every cycle."""

    def __init__(self, launch: PersisterLaunch, report: Callable[[str], None]) -> None:
        super().__init__("The persister", launch, report)
        self.gauges: dict[str, int] = {}
        self.alarms: list[str] = []
        self.generation = 0
        """The table that is loaded; 0 before the first."""
        self._counters: list[int] = []
        self._counters_of_the_dead: list[int] = []
        self._last_heard = 0.0
        self._waited_s = 0.0
        self._is_heard = False

    def heard(self, heartbeat: Heartbeat, now: float) -> None:
        """Take a heartbeat in."""
        if self.process is None:
            return
        self._last_heard, self._is_heard = now, True
        self._waited_s = self.process.waited_s()
        self._counters = heartbeat.counters
        self.gauges, self.alarms = heartbeat.gauges, heartbeat.alarms
        # 0 as long as it has not loaded one: a predecessor may have.
        self.generation = heartbeat.gauges.get("generation", 0) or self.generation

    def forgive_silence(self, now: float) -> None:
        """The supervisor itself was held up."""
        self._last_heard = max(self._last_heard, now)

    def counters(self) -> list[int]:
        """The sum over all incarnations, by counter id."""
        return sums(self._counters_of_the_dead, self._counters)

    def tend(self, limits: SupervisionSettings, is_stopping: bool, now: float) -> None:
        """Take note of its end, end it when it is silent, start it when it is time."""
        super().tend(limits, is_stopping, now)
        if self.process is not None and self._is_silent(limits, now):
            self._report(f"{self.name} sent no heartbeat for {now - self._last_heard:.1f} s; it is killed.")
            self._last_heard = now
            self.kill()

    def conditions(self) -> Iterator[Condition]:
        """The alarms that are true of it."""
        if self.is_down:
            yield Condition(PERSISTER_DOWN, SUBJECT, f"The persister is being restarted: {self.last_ending}.")
        for alarm in self.alarms:
            name, _, sentence = alarm.partition(" ")
            yield Condition(name, SUBJECT, sentence) if name in _NAMES else Condition(
                STATE_STORE_FAILING, SUBJECT, alarm
            )

    def _is_silent(self, limits: SupervisionSettings, now: float) -> bool:
        assert self.process is not None
        silent_s = now - self._last_heard
        if not self._is_heard:
            return silent_s > limits.start_timeout_s
        longest_s = PATIENCE * limits.hang_ms / 1000
        if silent_s <= longest_s:
            return False
        return silent_s - min(self.process.waited_s() - self._waited_s, PATIENCE * longest_s) > longest_s

    def _start(self, limits: SupervisionSettings, now: float) -> None:
        self._last_heard, self._is_heard = now, False
        super()._start(limits, now)

    def _ended(self, ending: str, limits: SupervisionSettings, is_stopping: bool, now: float) -> None:
        self._counters_of_the_dead, self._counters = self.counters(), []
        self.gauges, self.alarms = {}, []
        super()._ended(ending, limits, is_stopping, now)
