"""Who is served next among many that wait."""

from __future__ import annotations

import pytest

from appliance.workers.round_robin import RoundRobin


def taken(queue: RoundRobin[str], count: int) -> list[str]:
    return [queue.take(0.0)[0] for _ in range(count)]


def test_sources_take_turns_however_much_each_brings() -> None:
    queue: RoundRobin[str] = RoundRobin()
    for number in range(1000):
        queue.add(f"flood-{number}", "192.0.2.1", 0.0)
    queue.add("phone", "192.0.2.2", 0.0)
    assert taken(queue, 3) == ["flood-0", "phone", "flood-1"]


def test_within_a_source_the_first_comes_first_and_may_wait_again() -> None:
    queue: RoundRobin[str] = RoundRobin()
    for thing in ("a", "b"):
        queue.add(thing, "source", 0.0)
    queue.add("a", "source", 0.0)
    assert len(queue) == 2
    assert queue.take(0.0)[0] == "a"
    queue.add("a", "source", 0.0)
    assert taken(queue, 2) == ["b", "a"]
    with pytest.raises(KeyError):
        queue.take(0.0)


def test_the_wait_of_a_source_is_for_others_not_for_itself() -> None:
    """Its backlog is its own; what it has to wait for the other sources is what all have to wait."""
    queue: RoundRobin[str] = RoundRobin()
    for number in range(3):
        queue.add(f"flood-{number}", "192.0.2.1", 0.0)
    assert queue.take(1.0) == ("flood-0", 1.0)
    assert queue.take(1.5) == ("flood-1", 0.5)
    queue.add("phone", "192.0.2.2", 1.5)
    assert queue.take(2.0) == ("flood-2", 0.5)
    assert queue.take(2.0) == ("phone", 0.5)


def test_what_is_dropped_waits_no_more() -> None:
    queue: RoundRobin[str] = RoundRobin()
    queue.add("a", "one", 0.0)
    queue.add("b", "one", 0.0)
    queue.add("c", "two", 0.0)
    for thing in ("a", "c", "never there"):
        queue.drop(thing)
    assert "b" in queue and "a" not in queue
    assert taken(queue, 1) == ["b"]
    assert len(queue) == 0
