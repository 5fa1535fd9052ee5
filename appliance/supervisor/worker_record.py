"""The record of one worker, over all its incarnations.

Fed with what happens (`started`, `heard`, `ended`, ...) and read by `view` and `report`. Counters of
incarnations that are gone are kept in the sum, so that a total never steps back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest

from appliance.catalogue.supervision_settings import SupervisionSettings
from appliance.messages.bus_messages import Heartbeat
from appliance.storage.flight_recorder import BANKS
from appliance.supervisor.decisions import WorkerState, WorkerView, restart_delay_s
from appliance.transport.process_id import process_id


class WorkerRecord:
    """One worker. Times are monotonic seconds."""

    def __init__(self, number: int, node: int) -> None:
        self.number = number
        self.process = process_id(node, number)
        self.life = WorkerState.ABSENT
        self.since = 0.0
        self.started_at = 0.0
        self.last_heard = 0.0
        self.restart_at = 0.0
        self.restarts = 0
        self.is_on_the_bus = False
        """Has this incarnation sent a message?"""
        self.last_ending = ""
        self.ended_well = True
        """Did the last one end because we wanted it to?"""
        self.alarms: list[str] = []
        self.gauges: dict[str, int] = {}
        self.turn = 0
        self.is_parked = False
        """Shall it own no slots, by the will of an operator?"""
        self.is_retired = False
        """Is it beyond the number of workers that is wanted?"""
        self._told_at = 0.0
        self._waited_s = 0.0
        self._deaths = 0
        self._was_asked = False
        self._was_killed = False
        self._has_ever_lived = False
        self._starts = 0
        # Incarnations that sent a message: only these get calls, and any other leaves its bank to the next one.
        self._writers = 0
        # How many of them there were before this start of the appliance.
        self._former_writers = 0
        self._counters: list[int] = []
        self._counters_of_the_dead: list[int] = []
        self._traffic: dict[str, int] = {}
        self._traffic_of_the_dead: dict[str, int] = {}

    def go_on_after(self, bank: int) -> None:
        """At the start of the appliance: the start before it has left calls in this bank of the recording."""
        self._writers = self._former_writers = bank + 1

    def started(self, now: float) -> None:
        """A new incarnation runs."""
        self.restarts = self._starts
        self._starts += 1
        self.started_at = self.last_heard = now
        self._waited_s = 0.0
        self.is_on_the_bus = False
        self._was_asked = self._was_killed = False
        self._enter(WorkerState.STARTING, now)

    def heard(self, heartbeat: Heartbeat, now: float, waited_s: float = 0.0) -> bool:
        """Take a heartbeat in; True when it is the one that makes the worker LIVE.

        `waited_s`: seconds for which its process has waited for a processor until now.
        """
        self.last_heard = self._told_at = now
        self._waited_s = waited_s
        self._writers += not self.is_on_the_bus
        self.is_on_the_bus = True
        self._counters = heartbeat.counters
        self._traffic = heartbeat.traffic
        self.gauges = heartbeat.gauges
        self.alarms = heartbeat.alarms
        self.turn = heartbeat.turn
        if self.life != WorkerState.STARTING:
            return False
        self._has_ever_lived = True
        self._enter(WorkerState.LIVE, now)
        return True

    def signed(self, at: float, waited_s: float) -> None:
        """It has shown that it lives, and nothing else; `waited_s` as for `heard`."""
        self.last_heard = at
        self._waited_s = waited_s

    def drained(self, now: float) -> bool:
        """It is drained from now on; False when it is not LIVE and cannot be."""
        if self.life != WorkerState.LIVE:
            return False
        # It may end by itself when it is empty.
        self._was_asked = True
        self._enter(WorkerState.DRAINING, now)
        return True

    def asked_to_stop(self, now: float) -> None:
        """It will end on request: that does not count as a failure."""
        self._was_asked = True
        self._enter(WorkerState.STOPPING, now)

    def killed(self, now: float) -> None:
        """A signal was sent that ends it."""
        self._was_killed = True
        self._enter(WorkerState.STOPPING, now)

    @property
    def was_asked_to_end(self) -> bool:
        """Does this incarnation end because it was asked to, and not by a signal?"""
        return self._was_asked and not self._was_killed

    @property
    def next_bank(self) -> int:
        """The bank of the recording that its next incarnation writes to."""
        return self._writers % BANKS

    def orphaned_banks(self) -> list[int]:
        """Banks of the recording whose writers have ended, and whose calls other workers may adopt."""
        return [writer % BANKS for writer in self._ended_writers() if writer >= self._former_writers]

    def former_banks(self) -> list[int]:
        """The same of writers of the start of the appliance before this one."""
        return [writer % BANKS for writer in self._ended_writers() if writer == self._former_writers - 1]

    def _ended_writers(self) -> list[int]:
        """Those whose banks are not written to by a later one."""
        if self.life == WorkerState.ABSENT or self._was_killed:
            found = [self._writers - 2, self._writers - 1]
        else:
            found = [self._writers - (2 if self.is_on_the_bus else 1)]
        return [writer for writer in found if writer >= 0]

    def ended(self, ending: str, limits: SupervisionSettings, now: float, counters: Sequence[int] = ()) -> None:
        """The process is gone; decides when it may be started again. `counters` are the last it has written down."""
        self._counters = _larger(self._counters, counters)
        self._deaths = 0 if self._was_asked else self._deaths_in_a_row(limits, now) + 1
        self.restart_at = now + (restart_delay_s(self._deaths, limits) if self._deaths else 0.0)
        self.last_ending = ending
        self.ended_well = self._was_asked
        self.is_on_the_bus = False
        self._counters_of_the_dead = sums(self._counters_of_the_dead, self._counters)
        self._counters = []
        self._traffic_of_the_dead, self._traffic = self.traffic(), {}
        self.gauges, self.alarms = {}, []
        self._enter(WorkerState.ABSENT, now)

    def could_not_start(self, reason: str, limits: SupervisionSettings, now: float) -> None:
        """There could be no process."""
        self.started(now)
        self.ended(reason, limits, now)

    def forgive_silence(self, now: float) -> None:
        """The supervisor itself was held up: silence in that time proves nothing."""
        self.last_heard = max(self.last_heard, now)

    def counters(self) -> list[int]:
        """The sum over all incarnations, by counter id."""
        return sums(self._counters_of_the_dead, self._counters)

    def traffic(self) -> dict[str, int]:
        """Messages by name, over all incarnations."""
        return sums_by_name(self._traffic_of_the_dead, self._traffic)

    def view(self, waited_s: float = 0.0) -> WorkerView:
        """What decisions are made of; `waited_s` as for `heard`."""
        return WorkerView(
            number=self.number,
            process=self.process,
            life=self.life,
            since=self.since,
            last_heard=self.last_heard,
            restart_at=self.restart_at,
            transactions=self.gauges.get("transactions", 0),
            deaths=self._deaths,
            has_ever_lived=self._has_ever_lived,
            is_parked=self.is_parked,
            is_retired=self.is_retired,
            waited_s=max(waited_s - self._waited_s, 0.0),
            told_at=self._told_at,
        )

    def _deaths_in_a_row(self, limits: SupervisionSettings, now: float) -> int:
        """Deaths before this one, or none when it lived for longer than the longest pause."""
        return 0 if now - self.started_at > limits.restart_delay_max_ms / 1000 else self._deaths

    def _enter(self, life: WorkerState, now: float) -> None:
        self.life = life
        self.since = now


def _larger(heard: list[int], written: Sequence[int]) -> list[int]:
    """The larger of each counter: counters only grow, and each of the two may lack some."""
    if not written:
        return heard
    return [max(pair) for pair in zip_longest(heard, written, fillvalue=0)]


def sums(some: list[int], others: list[int]) -> list[int]:
    """Counters added up; the lists may be of different lengths."""
    longest = max(len(some), len(others))
    return [
        (some[index] if index < len(some) else 0) + (others[index] if index < len(others) else 0)
        for index in range(longest)
    ]


def registrations_of(records: Sequence[WorkerRecord]) -> int:
    """How many contacts are registered: in one table, of which the workers tell at different times."""
    return max((record.gauges.get("registrations", 0) for record in records), default=0)


def sums_by_name(some: Mapping[str, int], others: Mapping[str, int]) -> dict[str, int]:
    """Counters by name added up."""
    return {name: some.get(name, 0) + others.get(name, 0) for name in (*some, *others)}
