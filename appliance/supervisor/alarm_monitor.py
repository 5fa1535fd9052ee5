"""What the supervisor monitors besides the state of its workers: alarms, and the rate limits that they share."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

from appliance import clock
from appliance.catalogue.alarms import LISTENER_FAILED, STEERING_REFUSED, Condition
from appliance.catalogue.settings import Settings
from appliance.overload.default_rate_limits import rate_limits_of
from appliance.security.authentication_failures import News
from appliance.storage.log_file import log_conditions
from appliance.supervisor.alarm_conditions import (
    configuration_conditions,
    listener_conditions,
    registration_conditions,
    worker_conditions,
)
from appliance.supervisor.alarm_table import AlarmTable, ReportAlarm
from appliance.supervisor.clock_monitor import ClockWatch
from appliance.supervisor.commit_coordinator import CommitCoordinator
from appliance.supervisor.decisions import WorkerState
from appliance.supervisor.guessing_monitor import FailureWatch
from appliance.supervisor.rate_allocation import REPORT_INTERVAL_S, RateAllocator, Shares
from appliance.supervisor.start_remarks import StartRemarks
from appliance.supervisor.supporting_processes import SupportingProcesses
from appliance.supervisor.worker_record import WorkerRecord


class AlarmMonitor:
    """Call `look` in every cycle."""

    def __init__(
        self, settings: Settings, report: ReportAlarm, folder: Path, supporting: SupportingProcesses
    ) -> None:
        self._report = report
        self._supporting = supporting
        self.alarms = AlarmTable(report)
        self.remarks: StartRemarks | None = None
        self.listener_faults: dict[int, str] = {}
        """By worker: why it could not have its sockets."""
        self.refusals: list[str] = []
        """A sentence for each group of sockets that the kernel does not steer."""
        self.dealer = RateAllocator()
        self.clock = ClockWatch(folder, self._warn)
        self.failures = FailureWatch(settings.lockout, self._warn)
        self._deal_at = 0.0

    def _warn(self, sentence: str) -> None:
        self._report(sentence, logging.WARNING, {})

    def look(
        self, records: Sequence[WorkerRecord], settings: Settings, configuring: CommitCoordinator, now: float
    ) -> None:
        """Raise and clear alarms."""
        boot_time = clock.boot_time()
        self.clock.look(clock.wall_time(), boot_time)
        found = [
            *worker_conditions(records, settings.limits, self.alarms.is_raised),
            *registration_conditions(records, settings.limits, self.alarms.is_raised),
            *configuration_conditions(configuring.head, configuring.fault, clock.local_time_of),
            *(configuring.cluster.conditions() if configuring.cluster else ()),
            *listener_conditions(settings),
            *self.clock.conditions(boot_time),
            *log_conditions(),
            *self.dealer.conditions(rate_limits_of(settings), now),
            *self.failures.conditions(now),
            *(self.remarks.conditions(settings, now) if self.remarks else ()),
            *self._supporting.conditions(settings, now),
            *self._own_conditions({record.number for record in records if not record.is_retired}),
        ]
        self.alarms.update(found, clock.wall_time())

    def _own_conditions(self, wanted: set[int]) -> Iterator[Condition]:
        """`wanted`: the workers that shall run."""
        for worker, text in self.listener_faults.items():
            if worker in wanted:
                yield Condition(LISTENER_FAILED, f"worker {worker}", text)
        for number, text in enumerate(self.refusals, 1):
            yield Condition(STEERING_REFUSED, f"group {number}", text)

    def told_demand(self, worker: int, demand: dict[str, dict[str, list[int]]], now: float) -> None:
        """What was asked of a worker's rate limits."""
        self.dealer.told(worker, demand, now)

    def told_failures(self, news: News, now: float) -> None:
        """Wrong passwords that a worker has counted."""
        self.failures.told(news, now)
        if self._supporting.cluster is not None:
            self._supporting.cluster.counts.tell_failures(news)

    def shares_to_deal(self, records: Sequence[WorkerRecord], settings: Settings, now: float) -> dict[int, Shares]:
        """What each worker may let in of each rate limit from now on; {} as long as nothing has to be sent."""
        self.dealer.forget_stale_nodes(now)
        if now < self._deal_at or not self.dealer.has_news:
            return {}
        self._deal_at = now + REPORT_INTERVAL_S
        self.dealer.has_news = False
        if self._supporting.cluster is not None:
            self._supporting.cluster.counts.tell_demand()
        live = [record.number for record in records if record.life == WorkerState.LIVE]
        return self.dealer.shares(rate_limits_of(settings), live)

