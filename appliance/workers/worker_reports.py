"""Reports of a worker to its supervisor: heartbeats with alarms, and figures that are shared by all workers.

A sign of life is a store in memory. Once in so many signs the supervisor is told how the worker is, which costs more
than some calls; more often while it deals out what rate limits let in, and where that is less than once a second.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from appliance import clock
from appliance.catalogue.alarms import ROUTES_UNUSABLE, SUBSCRIBER_DATABASE_FAILING
from appliance.messages.bus_messages import BusMessage, FailuresCounted, Heartbeat, RateDemand
from appliance.messages.table_messages import TableUnsound
from appliance.stack import Stack
from appliance.storage.route_store import RouteFollower
from appliance.workers.handshakes import Handshakes
from appliance.workers.lookup_doors import SubscriberDoor
from appliance.workers.worker_metrics import WorkerMetrics
from appliance.workers.worker_parts import NodeTable

SIGNS_PER_BEAT: Final = 5
SIGNS_PER_DEMAND: Final = 2
BEAT_S: Final = 1.0
# The supervisor hears of the end of a demand as well, until hardly anything is left of what it smooths.
DEMAND_REPORTS: Final = 12


class TurnCount(Protocol):
    """How many turns there were."""

    count: int


class WorkerReports:
    """`tell`: sends a message to the supervisor. `routes`: where route tables come from."""

    def __init__(
        self,
        number: int,
        stack: Stack,
        metrics: WorkerMetrics,
        turns: TurnCount,
        table: NodeTable,
        handshakes: Handshakes,
        subscribers: SubscriberDoor,
        routes: RouteFollower | None,
        tell: Callable[[BusMessage], bool],
    ) -> None:
        self._number = number
        self._stack = stack
        self._metrics = metrics
        self._turns = turns
        self._table = table
        self._handshakes = handshakes
        self._subscribers = subscribers
        self._routes = routes
        self._tell = tell
        self._demands_left = 0
        self._told_fault = ""

    def are_urgent(self) -> bool:
        """Is there something to tell at once? The subscriber database has begun to fail, or works again."""
        return self._told_fault != self._subscribers.fault

    def signs_until_next(self, heartbeat_s: float) -> int:
        """After how many signs of life to send again, one at least."""
        wanted = SIGNS_PER_DEMAND if self._demands_left else SIGNS_PER_BEAT
        return min(wanted, signs_within(BEAT_S, heartbeat_s))

    def send(self, now: float) -> dict[str, int]:
        """Tell all of it; returns the gauges that were told."""
        self._told_fault = self._subscribers.fault
        self._tell_demand()
        self._tell_failures()
        if self._table.fault:
            self._tell(TableUnsound(self._table.directory, self._table.fault))
        counters, gauges = self._metrics.read()
        traffic = self._stack.traffic.by_name()
        self._tell(Heartbeat(self._number, counters, gauges, self._turns.count, self._alarms(now), traffic))
        return gauges

    def _alarms(self, now: float) -> list[str]:
        alarms = self._stack.alarms(now) + self._follow_routes()
        alarms += self._handshakes.alarms(now, clock.wall_time())
        if self._subscribers.fault:
            alarms.append(f"{SUBSCRIBER_DATABASE_FAILING} {self._subscribers.fault}")
        return alarms

    def _follow_routes(self) -> list[str]:
        """Go by the route tables in force; alarms where they cannot be used."""
        if self._routes is None:
            return []
        tables = self._routes.news()
        if tables is not None:
            self._stack.use_routes(tables)
        return [f"{ROUTES_UNUSABLE} {self._routes.fault}"] if self._routes.fault else []

    def _tell_demand(self) -> None:
        demand = self._stack.take_rate_demand()
        if demand:
            self._demands_left = DEMAND_REPORTS
        if self._demands_left:
            self._demands_left -= 1
            self._tell(RateDemand(demand))

    def _tell_failures(self) -> None:
        news = self._stack.authentication_failures.take_news()
        if news:
            # Guesses come to all workers: the others hear of the next ones soon.
            self._demands_left = DEMAND_REPORTS
            self._tell(FailuresCounted(news))


def signs_within(seconds: float, interval_s: float) -> int:
    """How many signs of life there are in a time, one at least."""
    return max(int(seconds / interval_s), 1)
