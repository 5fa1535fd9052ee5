"""The lookup server of a node: kept running while the configuration has work for it, and what it says of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from appliance.catalogue.alarms import LOOKUP_SERVER_DOWN, ROUTE_SOURCE_FAILING, Condition
from appliance.catalogue.settings import Settings
from appliance.catalogue.supervision_settings import SupervisionSettings
from appliance.ipc.launch import LookupServerLaunch
from appliance.messages.bus_messages import BusMessage
from appliance.messages.route_table_messages import LookupServerReport, LookupServerSettings, ReadTable, TableReadRow
from appliance.supervisor.watched_process import WatchedProcess
from appliance.supervisor.worker_record import sums

SUBJECT: Final = "lookups"


class LookupProcess(WatchedProcess[LookupServerLaunch]):
    """Call `tend_server` in every cycle."""

    def __init__(self, settings: Settings, launch: LookupServerLaunch, report: Callable[[str], None]) -> None:
        super().__init__("The lookup server", launch, report)
        self.send: Callable[[BusMessage], bool] = lambda message: False
        self.tables: list[TableReadRow] = []
        self.is_wanted = has_work(settings)
        self._text_told = launch.config_text
        self._counters: list[int] = []
        self._counters_of_the_dead: list[int] = []
        self._is_asked_to_end = False

    def put_in_force(self, settings: Settings, text: str) -> None:
        """Go by a new configuration."""
        self.is_wanted = has_work(settings)
        self.launch = replace(self.launch, config_text=text)
        if not self.is_wanted:
            self.stop()

    def tend_server(self, limits: SupervisionSettings, is_stopping: bool, now: float) -> None:
        """Keep it running as long as it is wanted, and tell it the configuration."""
        self.tend(limits, is_stopping or not self.is_wanted, now)
        text = self.launch.config_text
        if self._is_heard and self.is_running and text != self._text_told and self.send(LookupServerSettings(text)):
            self._text_told = text

    def heard(self, report: LookupServerReport, now: float) -> None:
        """Take a report in."""
        if self.process is None:
            return
        self.signed(now)
        self._counters, self.tables = report.counters, report.tables

    def read_now(self, table: str) -> bool:
        """Have a table read, "": all; False when it cannot be told."""
        return self.is_running and self._is_heard and self.send(ReadTable(table))

    def counters(self) -> list[int]:
        """The sum over all incarnations, by counter id."""
        return sums(self._counters_of_the_dead, self._counters)

    def conditions(self) -> Iterator[Condition]:
        """The alarms that are true of it."""
        if self.is_wanted and self.is_down and self.deaths:
            text = f"The lookup server is being restarted: {self.last_ending}."
            yield Condition(LOOKUP_SERVER_DOWN, SUBJECT, text)
        for row in self.tables:
            if row.fault:
                text = f"Route table {row.table} stays as it was. {row.fault}"
                yield Condition(ROUTE_SOURCE_FAILING, f"route-table {row.table}", text)

    def stop(self) -> None:
        """Ask it to end: that is no failure."""
        self._is_asked_to_end = True
        super().stop()

    def _start(self, limits: SupervisionSettings, now: float) -> None:
        self._is_asked_to_end = False
        self._text_told = self.launch.config_text
        super()._start(limits, now)

    def _ended(self, ending: str, limits: SupervisionSettings, is_stopping: bool, now: float) -> None:
        self._counters_of_the_dead, self._counters, self.tables = self.counters(), [], []
        super()._ended(ending, limits, is_stopping or self._is_asked_to_end, now)


def has_work(settings: Settings) -> bool:
    """Does the configuration have work for it?"""
    return any(table.is_read for table in settings.route_tables)
