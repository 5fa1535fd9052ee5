"""Overload: a worker of virtual time with a queue, and more to do than it can do (RFC 6357, RFC 3261 21.5.4)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from heapq import heappop, heappush

import pytest

from appliance.catalogue.overload_settings import OverloadSettings
from appliance.overload.overload_controller import PATIENCE_S, OverloadController

# What a call costs when it comes, and each time that something of it comes later; and what a refusal costs.
BEGIN_S = 0.0016
LATER_S = 0.0008
REFUSAL_S = 0.0002
CAPACITY = 1 / (BEGIN_S + 3 * LATER_S)
BATCH = 16


@dataclass
class Workload:
    """A worker that reads batches off a queue. A call has three more messages, `pause_s` apart."""

    overload_controller: OverloadController = field(default_factory=lambda: OverloadController(OverloadSettings()))
    pause_s: float = 0.0
    now: float = 0.0
    queue: deque[tuple[float, int]] = field(default_factory=deque)
    later: list[tuple[float, int]] = field(default_factory=list)
    done: int = 0
    refused: int = 0
    delay_max: float = 0.0

    def run(self, seconds: float, calls_per_s: float) -> float:
        """Offer calls evenly; returns the calls that were completed each second."""
        begin, done = self.now, self.done
        due = self.now
        while self.now < begin + seconds:
            while calls_per_s and due <= self.now:
                heappush(self.later, (due, 0))
                due += 1 / calls_per_s
            while self.later and self.later[0][0] <= self.now:
                self.queue.append(heappop(self.later))
            if not self.queue:
                self.now = min([self.now + 0.001, *(at for at, _ in self.later[:1])], default=self.now)
                self.now = max(self.now, begin + 1e-9)
                continue
            self.serve()
        return (self.done - done) / seconds

    def serve(self) -> None:
        """One batch."""
        delay = self.now - self.queue[0][0]
        self.delay_max = max(self.delay_max, delay)
        self.overload_controller.observe(delay, self.now)
        read_at = self.now
        for _ in range(min(len(self.queue), BATCH)):
            _, stage = self.queue.popleft()
            if stage == 0 and self.overload_controller.is_refusing and not self.overload_controller.admits(read_at):
                self.refused += 1
                self.now += REFUSAL_S
                continue
            self.now += LATER_S if stage else BEGIN_S
            if stage == 3:
                self.done += 1
            else:
                heappush(self.later, (self.now + self.pause_s, stage + 1))


def test_what_can_be_carried_is_carried() -> None:
    work = Workload()
    assert work.run(20, 0.9 * CAPACITY) > 0.89 * CAPACITY
    assert work.refused == 0
    assert not work.overload_controller.is_refusing
    assert work.overload_controller.overload() == ""


@pytest.mark.parametrize("offered", [1.2, 2.0, 4.0])
@pytest.mark.parametrize("pause_s", [0.0, 0.3, 3.0])
def test_goodput_of_an_overloaded_worker(offered: float, pause_s: float) -> None:
    work = Workload(pause_s=pause_s)
    work.run(12, offered * CAPACITY)
    work.delay_max = 0.0
    # A refusal costs something too: that much less is left for calls.
    left = 1 - (offered - 1) * REFUSAL_S * CAPACITY
    assert work.run(20, offered * CAPACITY) > 0.9 * left * CAPACITY
    # Far below T1, so that there is no retransmission.
    assert work.delay_max < 0.25
    assert work.refused


def test_a_burst_is_no_overload() -> None:
    """A fifth of a second's calls within a twentieth; the queue is soon empty again."""
    work = Workload()
    work.run(2, 0.3 * CAPACITY)
    work.run(0.05, 4 * CAPACITY)
    work.run(2, 0.3 * CAPACITY)
    assert work.delay_max > 2 * OverloadSettings().delay_target_ms / 1000
    assert work.refused == 0


def test_a_worker_that_stood_still_catches_up_without_refusing() -> None:
    """A second without the processor, at a third of the load that can be carried."""
    work = Workload()
    work.run(2, 0.1 * CAPACITY)
    stalled = [(work.now + 0.01 * number, 0) for number in range(100)]
    work.queue.extend(stalled)
    work.now += 1.0
    work.run(2, 0.1 * CAPACITY)
    assert work.delay_max > 0.9
    assert work.refused == 0


def test_it_ends_when_the_load_does() -> None:
    work = Workload()
    work.run(10, 2 * CAPACITY)
    assert work.overload_controller.is_refusing
    assert "503" in work.overload_controller.overload()
    work.run(5, 0.5 * CAPACITY)
    assert not work.overload_controller.is_refusing
    refused = work.refused
    work.run(5, 0.9 * CAPACITY)
    assert work.refused == refused
    assert work.overload_controller.overload() == ""


def test_it_ends_when_nothing_comes_any_more() -> None:
    """No message is there that could be measured."""
    overload_controller = refusing(0.5)
    overload_controller.rest(1.0)
    assert overload_controller.is_refusing
    overload_controller.rest(3.0)
    assert not overload_controller.is_refusing
    assert overload_controller.overload() == ""


def test_late_messages_that_are_long_apart_are_no_overload() -> None:
    overload_controller = OverloadController(OverloadSettings())
    overload_controller.observe(1.0, 0.0)
    overload_controller.rest(5.0)
    overload_controller.observe(1.0, 10.0)
    assert not overload_controller.is_refusing
    overload_controller.observe(1.0, 10.5)
    assert overload_controller.is_refusing


def refusing(share: float, now: float = 0.0) -> OverloadController:
    """An admission that refuses this share."""
    overload_controller = OverloadController(OverloadSettings())
    overload_controller.observe(0.05, now - PATIENCE_S)
    overload_controller.observe(0.05, now)
    assert overload_controller.is_refusing
    overload_controller.share = share
    return overload_controller


def test_a_share_is_dealt_out_evenly() -> None:
    overload_controller = refusing(0.25)
    assert [overload_controller.admits(0.0) for _ in range(8)] == [True, True, True, False] * 2


def test_beyond_the_limit_nothing_new_is_let_in() -> None:
    overload_controller = refusing(0.25)
    overload_controller.observe(1.0, 0.05)
    overload_controller.observe(1.0, 0.1)
    assert not any(overload_controller.admits(0.1) for _ in range(100))


def test_registrations_are_told_different_moments() -> None:
    """RFC 3261 20.33: as many for each second as are let in a second."""
    overload_controller = refusing(0.5)
    for number in range(200):
        overload_controller.admits(number / 100)
        overload_controller.observe(0.05, number / 100)
    moments = [overload_controller.appointment_s(2.0) for _ in range(500)]
    assert moments == sorted(moments)
    assert moments[0] in (1, 2)
    per_second = [moments.count(second) for second in range(3, 8)]
    assert all(30 <= count <= 80 for count in per_second), per_second


def test_no_registration_is_told_to_come_too_late() -> None:
    overload_controller = refusing(1.0)
    moments = [overload_controller.appointment_s(0.0) for _ in range(1000)]
    assert min(moments) >= OverloadSettings().retry_after_min_s
    assert max(moments) <= OverloadSettings().retry_after_max_s
    assert overload_controller.retry_after_s() == OverloadSettings().retry_after_min_s
