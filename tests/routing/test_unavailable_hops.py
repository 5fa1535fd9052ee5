"""Next hops that asked for a pause (RFC 3261 20.33, 21.5.4)."""

from __future__ import annotations

import pytest

from appliance.routing.unavailable_hops import ASKED_FOR_PAUSE, TIMED_OUT, UNREACHABLE, UnavailableHops
from appliance.transport.flow import TCP, UDP, Flow

NOW = 1000.0
HOP = Flow(UDP, 0, ("192.0.2.9", 5060))


@pytest.mark.parametrize("text", [b"120", b"120 (I am in a meeting)", b"120;duration=3600", b" 120 "])
def test_a_hop_is_left_alone_for_the_time_it_names(text: bytes) -> None:
    hops = UnavailableHops(10, 600.0, 30.0)
    hops.note(HOP, text, NOW)
    assert hops.has(HOP, NOW + 119.0)
    assert not hops.has(Flow(TCP, 0, HOP.remote), NOW)
    assert not hops.has(HOP, NOW + 120.0)
    assert len(hops) == 0


def test_no_hop_can_ask_for_longer_than_the_operator_allows() -> None:
    hops = UnavailableHops(10, 600.0, 30.0)
    hops.note(HOP, b"4000000000", NOW)
    assert hops.has(HOP, NOW + 599.0) and not hops.has(HOP, NOW + 600.0)


@pytest.mark.parametrize("text", [b"0", b"soon", b"-5", b""])
def test_what_names_no_time_is_not_remembered(text: bytes) -> None:
    hops = UnavailableHops(10, 600.0, 30.0)
    hops.note(HOP, text, NOW)
    assert len(hops) == 0


def test_the_table_is_bounded_and_the_oldest_goes() -> None:
    hops = UnavailableHops(2, 600.0, 30.0)
    flows = [Flow(UDP, 0, ("192.0.2.9", port)) for port in (1, 2, 3)]
    for flow in flows:
        hops.note(flow, b"60", NOW)
    assert [hops.has(flow, NOW) for flow in flows] == [False, True, True]


def test_a_hop_that_failed_is_tried_after_the_others_until_it_answers() -> None:
    """RFC 3263 4.3."""
    hops, others = UnavailableHops(10, 600.0, 30.0), [Flow(UDP, 0, ("192.0.2.9", port)) for port in (1, 2)]
    hops.note_failure(HOP, TIMED_OUT, NOW)
    assert not hops.has(HOP, NOW) and hops.is_failing(HOP, NOW)
    assert hops.failing_last([HOP, *others], NOW + 29.0) == [*others, HOP]
    assert hops.failing_last([HOP, *others], NOW + 30.0) == [HOP, *others]
    hops.note_failure(HOP, UNREACHABLE, NOW)
    hops.note_answer(HOP)
    assert hops.failing_last([HOP, *others], NOW) == [HOP, *others]


def test_an_answer_does_not_end_the_pause_that_was_asked_for_and_a_failure_does_not_shorten_it() -> None:
    hops = UnavailableHops(10, 600.0, 30.0)
    hops.note(HOP, b"120", NOW)
    hops.note_answer(HOP)
    hops.note_failure(HOP, TIMED_OUT, NOW)
    assert hops.has(HOP, NOW + 119.0)
    assert list(hops.rows(NOW + 20.0)) == [(UDP, "192.0.2.9", 5060, ASKED_FOR_PAUSE, 100.0)]


def test_without_a_pause_no_failure_is_remembered() -> None:
    hops = UnavailableHops(10, 600.0, 0.0)
    hops.note_failure(HOP, TIMED_OUT, NOW)
    assert len(hops) == 0
