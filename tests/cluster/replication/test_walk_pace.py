"""How fast tables are compared, and whose turn it is."""

from __future__ import annotations

from appliance.cluster.replication.walk_pace import LOOK_S, RATE_FIRST, RATE_MAX, RATE_MIN, WalkPace
from appliance.cluster.replication.walk_turns import SILENCE_S, WalkTurns
from appliance.messages.link_messages import RangeDigest


def question(walk: int = 1) -> RangeDigest:
    return RangeDigest(walk, b"", b"", 0.0, 0, b"")


def after(idle: float, looks: int, pace: WalkPace, begin: float = 0.0) -> float:
    for number in range(looks):
        now = begin + 2 * number * LOOK_S
        assert pace.is_look_due(now)
        pace.note(idle, now)
    return pace.rate


def test_idle_processors_are_used() -> None:
    pace = WalkPace()
    assert after(0.9, 4, pace) > 2 * RATE_FIRST
    assert after(0.9, 100, pace, 10.0) == RATE_MAX


def test_calls_come_first_and_a_comparison_never_stops() -> None:
    pace = WalkPace()
    assert after(0.0, 2, pace) < RATE_FIRST / 2 + 1
    assert after(0.0, 100, pace, 10.0) == RATE_MIN


def test_it_keeps_its_rate_where_it_leaves_enough() -> None:
    assert after(0.15, 100, WalkPace()) == RATE_FIRST


def test_one_comparison_at_a_time() -> None:
    turns, first, second = WalkTurns(), question(), question(2)
    assert turns.may_go_on(1, first, False, 0.0)
    assert not turns.may_go_on(2, second, False, 0.1)
    assert turns.may_go_on(1, first, False, 0.2)
    assert turns.due(0.3) == []
    turns.ended(1)
    assert turns.due(0.4) == [(2, second)]
    assert not turns.may_go_on(1, first, False, 0.5)


def test_who_falls_silent_loses_its_turn() -> None:
    turns = WalkTurns()
    assert turns.may_go_on(1, question(), False, 0.0)
    assert not turns.may_go_on(2, question(2), False, 0.1)
    assert turns.due(SILENCE_S + 0.1) == [(2, question(2))]


def test_tables_that_are_likely_to_be_equal_do_not_wait() -> None:
    turns = WalkTurns()
    assert turns.may_go_on(1, question(), False, 0.0)
    assert turns.may_go_on(2, question(2), True, 0.1)
    assert turns.due(9.0) == []
