"""The non-INVITE server transaction: RFC 3261 17.2.2 with RFC 4320 and RFC 6026 8.8. Timer J."""

from __future__ import annotations

import pytest

from appliance.transaction.machines import State
from tests.transaction.element import ALL_TIME, TCP_FLOW, UDP_FLOW, Element, request

OPTIONS = request(b"OPTIONS")


def test_a_repeated_request_in_trying_is_dropped() -> None:
    """17.2.2."""
    element = Element()
    server = element.serves(OPTIONS)
    assert element.gets(request(b"OPTIONS"))
    assert server.state == State.TRYING
    assert element.log == []


@pytest.mark.parametrize("status", [200, 302, 404, 500, 603])
def test_a_final_response_is_sent_again_for_each_repeated_request(status: int) -> None:
    """17.2.2: until timer J, 64*T1 on UDP; whatever else the user sends is discarded."""
    element = Element()
    server = element.serves(OPTIONS)
    element.answers(server, status, OPTIONS)
    assert server.state == State.COMPLETED
    for late in (100, 200, 408, 500):
        element.answers(server, late, OPTIONS)
    element.waits_until(31.9)
    element.gets(request(b"OPTIONS"))
    assert element.log == [(0.0, str(status)), (31.9, str(status))]
    assert element.ends_within(0.2)
    assert not element.gets(request(b"OPTIONS"))


def test_timer_j_is_nothing_on_a_reliable_transport() -> None:
    """17.2.2."""
    element = Element(TCP_FLOW)
    element.answers(element.serves(OPTIONS), 200, OPTIONS)
    assert element.ends_within(0.0)


@pytest.mark.parametrize("flow", [UDP_FLOW, TCP_FLOW], ids=["UDP", "TCP"])
def test_a_100_is_owed_when_timer_e_of_the_peer_has_reached_t2(flow: object) -> None:
    """RFC 4320 4.1: without regard to transport, after 0.5 + 1 + 2 s; repeated for the request until the answer."""
    element = Element(TCP_FLOW if flow is TCP_FLOW else UDP_FLOW)
    server = element.serves(OPTIONS)
    element.waits_until(3.4)
    assert element.log == []
    element.waits_until(7.5)
    assert element.log == [(3.5, "100")]
    assert server.state == State.PROCEEDING
    element.gets(request(b"OPTIONS"))
    element.answers(server, 200, OPTIONS)
    assert element.log == [(3.5, "100"), (7.5, "100"), (7.5, "200")]


def test_the_100_is_made_of_the_request_and_has_no_to_tag() -> None:
    """RFC 3261 8.2.6.1, 8.2.6.2."""
    timestamped = request(b"OPTIONS", headers=[b"Timestamp: 54"])
    element = Element()
    element.serves(timestamped)
    element.waits_until(3.5)
    lines = element.sent[0].data.split(b"\r\n")
    assert lines[0] == b"SIP/2.0 100 Trying"
    assert b"Timestamp: 54" in lines
    assert b"To: Bob <sip:bob@biloxi.example.com>" in lines


def test_no_100_of_the_user_on_udp_before_its_time() -> None:
    """RFC 4320 4.1: it would hurt the recovery of the peer; afterwards it may."""
    element = Element()
    server = element.serves(OPTIONS)
    element.answers(server, 100, OPTIONS)
    assert (server.state, element.log) == (State.TRYING, [])
    element.waits_until(4.0)
    element.answers(server, 100, OPTIONS)
    assert element.log == [(3.5, "100"), (4.0, "100")]


def test_a_100_of_the_user_on_tcp_at_any_time() -> None:
    """RFC 4320 4.1; the one of the machine is not needed then."""
    element = Element(TCP_FLOW)
    server = element.serves(OPTIONS)
    element.answers(server, 100, OPTIONS)
    element.waits_until(10.0)
    assert element.log == [(0.0, "100")]
    assert server.state == State.PROCEEDING


@pytest.mark.parametrize("flow", [UDP_FLOW, TCP_FLOW], ids=["UDP", "TCP"])
def test_no_other_provisional_response(flow: object) -> None:
    """RFC 4320 4.1: never, on no transport."""
    element = Element(TCP_FLOW if flow is TCP_FLOW else UDP_FLOW)
    server = element.serves(OPTIONS)
    element.answers(server, 183, OPTIONS)
    element.waits_until(5.0)
    element.answers(server, 183, OPTIONS)
    assert element.log == [(3.5, "100")]


@pytest.mark.parametrize("after_100", [False, True], ids=["Trying", "Proceeding"])
def test_408_is_not_sent_and_repeated_requests_are_absorbed(after_100: bool) -> None:
    """RFC 4320 4.2."""
    element = Element()
    server = element.serves(OPTIONS)
    if after_100:
        element.waits_until(4.0)
    element.log.clear()
    element.answers(server, 408, OPTIONS)
    assert server.state == State.COMPLETED
    assert element.gets(request(b"OPTIONS"))
    assert element.log == []
    assert element.ends_within(32.0)


@pytest.mark.parametrize("after_100", [False, True], ids=["Trying", "Proceeding"])
def test_abandoned_without_an_answer(after_100: bool) -> None:
    """RFC 4320 4.2: an element that cannot respond in time sends nothing at all."""
    element = Element()
    server = element.serves(OPTIONS)
    if after_100:
        element.waits_until(4.0)
    element.table.abandon(server, element.now)
    assert element.heard[-1][1] == "ended"
    assert element.ends_within(0.0)


def test_a_request_that_its_user_forgot_ends_all_the_same() -> None:
    """RFC 4320 4.2: 64*T1 after the 100 no peer waits any more, and the user is told."""
    element = Element()
    server = element.serves(OPTIONS)
    element.waits_until(ALL_TIME)
    assert element.log == [(3.5, "100")]
    assert element.heard == [(35.5, "ended")]
    element.answers(server, 200, OPTIONS)
    assert element.log == [(3.5, "100")]
    assert element.ends_within(0.0)


@pytest.mark.parametrize(("status", "state"), [(100, State.PROCEEDING), (200, State.COMPLETED)])
def test_a_transport_error_changes_no_state(status: int, state: State) -> None:
    """RFC 6026 8.8, which replaces figure 8's arrows to Terminated."""
    element = Element()
    server = element.serves(OPTIONS)
    element.waits_until(3.5)
    if status != 100:
        element.answers(server, status, OPTIONS)
    element.loses(element.sent[-1])
    assert server.state == state
    assert server.is_undelivered


def test_a_finished_transaction_keeps_the_response_and_not_its_user() -> None:
    """There is nothing more to tell about it."""
    element = Element()
    server = element.serves(OPTIONS)
    element.answers(server, 200, OPTIONS)
    assert (server.request, server.user) == (None, None)
    assert server.last_response == element.sent[-1].data
    element.waits_until(ALL_TIME)
    assert element.heard == []
