"""A round through the registration table: even, bounded, and over in its time."""

from __future__ import annotations

from appliance.proxy.table_round import MADE_UP_S, TableRound

STEP_S = 0.1


def seen_in_each_step(one: TableRound, steps: int) -> list[int]:
    """Of addresses with one binding each."""
    found = []
    for step in range(1, steps + 1):
        due = one.due(step * STEP_S)
        for number in range(due):
            one.seen(b"%d-%d" % (step, number), 1)
        found.append(due)
    return found


def test_bindings_are_spread_evenly_and_seen_before_the_end() -> None:
    steps = seen_in_each_step(TableRound(300, 60.0, 500.0, 0.0), 600)
    assert sum(steps) >= 300
    assert set(steps) <= {0, 1}
    assert abs(sum(steps[:300]) - 150) <= 1


def test_the_rate_is_bounded_however_many_there_are() -> None:
    steps = seen_in_each_step(TableRound(1_000_000, 60.0, 500.0, 0.0), 600)
    assert max(steps) <= 51
    assert sum(steps) <= 30_000


def test_what_was_missed_is_not_made_up_for_in_one_burst() -> None:
    assert TableRound(60_000, 60.0, 5000.0, 0.0).due(30.0) <= 1002 * MADE_UP_S
