"""The persister of a node: kept running, and what it says of itself in its heartbeats."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from appliance.catalogue.alarms import ALARMS, PERSISTER_DOWN, STATE_STORE_FAILING, Condition
from appliance.catalogue.supervision_settings import SupervisionSettings
from appliance.ipc.launch import PersisterLaunch
from appliance.messages.bus_messages import Heartbeat
from appliance.supervisor.watched_process import WatchedProcess
from appliance.supervisor.worker_record import sums

SUBJECT: Final = "persister"
_NAMES: Final = frozenset(alarm.name for alarm in ALARMS)


class PersisterProcess(WatchedProcess[PersisterLaunch]):
    """Call `tend` in every cycle."""

    def __init__(self, launch: PersisterLaunch, report: Callable[[str], None]) -> None:
        super().__init__("The persister", launch, report)
        self.gauges: dict[str, int] = {}
        self.alarms: list[str] = []
        self.generation = 0
        """The table that is loaded; 0 before the first."""
        self._counters: list[int] = []
        self._counters_of_the_dead: list[int] = []

    def heard(self, heartbeat: Heartbeat, now: float) -> None:
        """Take a heartbeat in."""
        if self.process is None:
            return
        self.signed(now)
        self._counters = heartbeat.counters
        self.gauges, self.alarms = heartbeat.gauges, heartbeat.alarms
        # 0 as long as it has not loaded one: a predecessor may have.
        self.generation = heartbeat.gauges.get("generation", 0) or self.generation

    def counters(self) -> list[int]:
        """The sum over all incarnations, by counter id."""
        return sums(self._counters_of_the_dead, self._counters)

    def conditions(self) -> Iterator[Condition]:
        """The alarms that are true of it."""
        if self.is_down:
            yield Condition(PERSISTER_DOWN, SUBJECT, f"The persister is being restarted: {self.last_ending}.")
        for alarm in self.alarms:
            name, _, sentence = alarm.partition(" ")
            yield Condition(name, SUBJECT, sentence) if name in _NAMES else Condition(
                STATE_STORE_FAILING, SUBJECT, alarm
            )

    def _ended(self, ending: str, limits: SupervisionSettings, is_stopping: bool, now: float) -> None:
        self._counters_of_the_dead, self._counters = self.counters(), []
        self.gauges, self.alarms = {}, []
        super()._ended(ending, limits, is_stopping, now)
