"""The state of a worker, as its heartbeats report it to the supervisor."""

from __future__ import annotations

from appliance.catalogue.counters import (
    BUS_FULL,
    BUS_MALFORMED,
    BUS_SKIPPED,
    BUS_UNREACHED,
    DROPPED_QUEUE_FULL,
    DROPPED_TRUNCATED,
    LOG_LINES_LOST,
    STORE_FAILED,
    UDP_MESSAGES_RECEIVED,
    UDP_MESSAGES_SENT,
)
from appliance.stack import Stack
from appliance.storage.log_file import lines_lost
from appliance.workers.datagram_sockets import DatagramSockets
from appliance.workers.lookup_doors import SubscriberDoor
from appliance.workers.lookups import Questions
from appliance.workers.streams import Streams
from appliance.workers.worker_parts import MessageBus


class WorkerMetrics:
    """Counters and gauges of all parts of a worker."""

    def __init__(
        self,
        stack: Stack,
        doors: DatagramSockets,
        streams: Streams,
        questions: Questions,
        subscriber_door: SubscriberDoor,
        bus: MessageBus,
    ) -> None:
        self._stack = stack
        self._doors = doors
        self._streams = streams
        self._questions = questions
        self._subscriber_door = subscriber_door
        self._bus = bus
        self._lag_max_s = 0.0

    def note_lag(self, lag_s: float) -> None:
        """How much later than asked the loop called."""
        self._lag_max_s = max(self._lag_max_s, lag_s)

    def read(self) -> tuple[list[int], dict[str, int]]:
        """Counters by id and gauges by name; the longest lag is of the time since the last call."""
        counters = list(self._stack.counters)
        received, sent, truncated, overflowed = self._doors.totals()
        counters[UDP_MESSAGES_RECEIVED] = received
        counters[UDP_MESSAGES_SENT] = sent
        counters[DROPPED_TRUNCATED] += truncated
        counters[DROPPED_QUEUE_FULL] += overflowed
        counters[BUS_FULL] += self._bus.refused
        counters[BUS_MALFORMED] += self._bus.damaged
        counters[BUS_SKIPPED] += self._bus.skipped
        counters[BUS_UNREACHED] += self._bus.stale
        counters[LOG_LINES_LOST] = lines_lost()
        counters[STORE_FAILED] += self._subscriber_door.failures
        gauges = self._stack.gauges()
        gauges["connections"] = len(self._streams)
        gauges["questions"] = self._questions.open_count
        gauges["loop_lag_us"] = int(self._lag_max_s * 1e6)
        self._lag_max_s = 0.0
        return counters, gauges
