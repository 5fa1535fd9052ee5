"""The slot table in force: who is told, in which order, and what the kernel steers by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from appliance.messages.bus_messages import Heartbeat, SlotsChanged
from appliance.messages.slots import SlotTable, deal, move
from appliance.supervisor.slot_assignment import SlotAssignment
from appliance.supervisor.worker_record import WorkerRecord

SEED = 7


class World:
    """A bus and sockets that note what is done to them, in order: (what, worker or epoch)."""

    def __init__(self) -> None:
        self.done: list[tuple[str, int]] = []
        self.messages: list[SlotsChanged] = []
        self.log: list[str] = []
        self.deaf: set[int] = set()
        self.refused_now: list[str] = []
        self.refused: list[str] = []

    def send(self, number: int, messages: Sequence[Any]) -> bool:
        if number in self.deaf:
            return False
        self.done.append(("told", number))
        self.messages += messages
        return True

    def steer(self, table: SlotTable, seed: int) -> list[str]:
        assert seed == SEED
        self.done.append(("steered", table.epoch))
        self.refused += self.refused_now
        return self.refused_now

    def refusals(self) -> list[str]:
        return self.refused

    def withdraw(self, number: int) -> None:
        self.done.append(("withdrawn", number))

    def let_the_kernel_choose(self) -> None:
        self.done.append(("left to the kernel", 0))

    def news(self) -> list[tuple[str, int]]:
        """What was done since asked last."""
        done, self.done = self.done, []
        return done


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def slots(world: World) -> SlotAssignment:
    everything: Any = world
    return SlotAssignment(deal(range(2)), SEED, everything, everything, world.log.append)


def records() -> list[WorkerRecord]:
    """Workers 0 and 1 live, worker 2 was never started."""
    workers = [WorkerRecord(number, 0) for number in range(3)]
    for record in workers[:2]:
        record.started(0.0)
        record.heard(Heartbeat(record.number, [], {}, 1), 0.0)
    return workers


def test_new_owners_are_told_before_the_kernel_steers(slots: SlotAssignment, world: World) -> None:
    slots.set_steering(True, records())
    world.news()
    table = move(slots.table, 0, [1])
    slots.put_in_force(SlotTable(table.owners, 5), records())
    assert world.news() == [("told", 0), ("told", 1), ("steered", 5)]
    assert world.messages[-1].table is slots.table
    assert slots.table.epoch == 5
    assert world.log == ["Slots reassigned (worker 0: 0, worker 1: 256, worker 2: 0)."]


def test_who_is_on_the_bus_is_told_once_and_again_when_something_has_changed(
    slots: SlotAssignment, world: World
) -> None:
    workers = records()
    slots.tell(workers)
    slots.tell(workers)
    assert world.news() == [("told", 0), ("told", 1)]
    assert (world.messages[-1].live, world.messages[-1].orphans) == ([0, 1], [])
    workers[0].killed(1.0)
    slots.tell(workers)
    assert world.news() == [("told", 1)]
    assert (world.messages[-1].live, world.messages[-1].orphans) == ([1], [0, 0])


def test_what_the_start_before_has_left_is_told_apart_from_the_dead_of_this_one(
    slots: SlotAssignment, world: World
) -> None:
    workers = [WorkerRecord(number, 0) for number in range(2)]
    workers[1].go_on_after(1)
    workers[0].started(1.0)
    workers[0].heard(Heartbeat(0, [], {}, 1), 1.1)
    slots.tell(workers)
    assert (world.messages[-1].orphans, world.messages[-1].former) == ([], [1, 1])


def test_whom_the_bus_refused_is_told_again(slots: SlotAssignment, world: World) -> None:
    world.deaf = {1}
    slots.tell(records())
    assert world.news() == [("told", 0)]
    world.deaf = set()
    slots.tell(records())
    assert world.news() == [("told", 1)]


def test_the_successor_of_a_dead_worker_is_told_what_that_one_knew(slots: SlotAssignment, world: World) -> None:
    slots.tell(records())
    world.news()
    slots.forget(1)
    slots.forget(2)
    slots.tell(records())
    assert world.news() == [("told", 1)]


def test_nothing_is_steered_unless_it_is_wanted(slots: SlotAssignment, world: World) -> None:
    slots.steer(records())
    assert world.news() == []
    slots.set_steering(True, records())
    slots.set_steering(False, records())
    slots.steer(records())
    assert world.news() == [("steered", slots.table.epoch), ("left to the kernel", 0)]


def test_where_the_kernel_refuses_the_absent_lose_their_sockets_and_it_is_known_as_long_as_it_matters(
    slots: SlotAssignment, world: World
) -> None:
    world.refused_now = ["No."]
    slots.set_steering(True, records())
    assert world.news() == [("steered", slots.table.epoch), ("withdrawn", 2)]
    # A group that refused once is not asked again, so there is no second refusal.
    world.refused_now = []
    slots.steer(records())
    assert slots.refusals == world.log == ["No."]
    slots.set_steering(False, records())
    assert slots.refusals == []
