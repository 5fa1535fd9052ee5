"""The INVITE server transaction: RFC 3261 17.2.1 with RFC 6026 8.6. Timers G, H, I and L."""

from __future__ import annotations

import pytest

from appliance.transaction.machines import State
from appliance.transaction.timers import TimerSettings
from appliance.transport.flow import Flow
from tests.transaction.element import ALL_TIME, BOB, TCP_FLOW, UDP_FLOW, Element, request

INVITE = request()
# RFC 3261 17.1.1.3: the ACK to a failure has the branch of the INVITE.
ACK = request(b"ACK", to=BOB + b";tag=b5qt9xl3")
FLOWS = pytest.mark.parametrize("flow", [UDP_FLOW, TCP_FLOW], ids=["UDP", "TCP"])


def test_a_repeated_invite_gets_the_latest_provisional_response() -> None:
    """17.2.1; nothing before the first, which the user sends at once."""
    element = Element()
    server = element.serves(INVITE)
    assert server.state == State.PROCEEDING
    assert element.gets(request())
    assert element.log == []
    for status in (100, 180, 183):
        element.answers(server, status, INVITE)
        element.gets(request())
    assert [word for _, word in element.log] == ["100", "100", "180", "180", "183", "183"]
    assert element.heard == []


def test_proceeding_lasts_as_long_as_the_user_wants() -> None:
    """17.2.1: no timer runs; timer C is the proxy's."""
    element = Element()
    element.answers(element.serves(INVITE), 180, INVITE)
    element.waits_until(ALL_TIME)
    assert len(element.table) == 1
    assert len(element.table.timers) == 0


@FLOWS
def test_2xx_is_sent_once_and_the_invite_absorbed_until_timer_l(flow: Flow) -> None:
    """RFC 6026 7.1: in Accepted a repeated INVITE gets nothing from here, on every transport for 64*T1."""
    element = Element(flow)
    server = element.serves(INVITE)
    element.answers(server, 200, INVITE)
    assert server.state == State.ACCEPTED
    element.waits_until(31.9)
    assert element.gets(request())
    assert element.log == [(0.0, "200")]
    element.waits_until(32.0)
    assert element.heard == [(32.0, "ended")]
    assert not element.gets(request())
    assert element.ends_within(0.0)


def test_further_2xx_of_the_user_pass_in_accepted() -> None:
    """RFC 6026 7.1: those that are repeated, and those of other branches of a fork."""
    element = Element()
    server = element.serves(INVITE)
    for tag in (b"fork-1", b"fork-2", b"fork-1"):
        element.answers(server, 200, INVITE, tag)
    assert [word for _, word in element.log] == ["200", "200", "200"]
    element.answers(server, 180, INVITE)
    element.answers(server, 486, INVITE)
    assert len(element.log) == 3
    assert server.state == State.ACCEPTED


def test_an_ack_in_accepted_goes_to_the_user() -> None:
    """RFC 6026 7.1: an ACK to a 2xx that has the branch of its INVITE is the user's."""
    element = Element()
    server = element.serves(INVITE)
    element.answers(server, 200, INVITE)
    assert element.gets(ACK)
    assert element.heard == [(0.0, "ACK")]
    assert server.state == State.ACCEPTED


def test_an_ack_to_a_2xx_as_it_should_be_matches_nothing() -> None:
    """RFC 3261 13.2.2.4: it is a transaction of its own, with a branch of its own."""
    element = Element()
    element.answers(element.serves(INVITE), 200, INVITE)
    assert not element.gets(request(b"ACK", b"z9hG4bKnew", to=BOB + b";tag=b5qt9xl3"))


def test_timer_g_doubles_up_to_t2_until_timer_h() -> None:
    """17.2.1: MIN(2*T1, T2) and so on; without an ACK the user hears of it after 64*T1."""
    element = Element()
    server = element.serves(INVITE)
    element.answers(server, 486, INVITE)
    element.waits_until(ALL_TIME)
    assert [at for at, _ in element.log] == [0.0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert element.heard == [(32.0, "ended")]
    assert server.is_unacknowledged
    assert element.ends_within(0.0)


def test_timer_g_with_t1_as_long_as_t2() -> None:
    element = Element(durations=TimerSettings(t1=2.0, t2=2.0))
    element.answers(element.serves(INVITE), 486, INVITE)
    element.waits_until(9.0)
    assert [at for at, _ in element.log] == [0.0, 2.0, 4.0, 6.0, 8.0]


def test_no_timer_g_on_a_reliable_transport_but_timer_h() -> None:
    """17.2.1."""
    element = Element(TCP_FLOW)
    server = element.serves(INVITE)
    element.answers(server, 486, INVITE)
    element.waits_until(ALL_TIME)
    assert element.log == [(0.0, "486")]
    assert element.heard == [(32.0, "ended")]
    assert server.is_unacknowledged


def test_a_repeated_invite_in_completed_gets_the_final_response() -> None:
    """17.2.1."""
    element = Element(TCP_FLOW)
    server = element.serves(INVITE)
    element.answers(server, 486, INVITE)
    element.waits_until(3.0)
    element.gets(request())
    assert element.log == [(0.0, "486"), (3.0, "486")]
    assert element.sent[0].data == element.sent[1].data


def test_an_ack_ends_repetition_and_further_acks_are_absorbed_for_timer_i() -> None:
    """17.2.1: Confirmed, T4 on UDP; an INVITE that is later still gets nothing."""
    element = Element()
    server = element.serves(INVITE)
    element.answers(server, 486, INVITE)
    element.waits_until(1.0)
    assert element.gets(ACK)
    assert server.state == State.CONFIRMED
    assert element.gets(ACK)
    assert element.gets(request())
    element.waits_until(5.9)
    assert len(element.table) == 1
    element.waits_until(6.0)
    assert element.log == [(0.0, "486"), (0.5, "486")]
    assert element.heard == [(6.0, "ended")]
    assert not server.is_unacknowledged
    assert element.ends_within(0.0)


def test_timer_i_is_nothing_on_a_reliable_transport() -> None:
    """17.2.1."""
    element = Element(TCP_FLOW)
    element.answers(element.serves(INVITE), 486, INVITE)
    element.gets(ACK)
    assert element.ends_within(0.0)


def test_an_ack_before_a_final_response_is_ignored() -> None:
    """Figure 7: no arrow from Proceeding."""
    element = Element()
    server = element.serves(INVITE)
    assert element.gets(ACK)
    assert server.state == State.PROCEEDING
    assert element.heard == []


@pytest.mark.parametrize("late", [100, 180, 200, 500])
def test_the_user_cannot_answer_twice(late: int) -> None:
    """17.2.1: Completed has its final response."""
    element = Element(TCP_FLOW)
    server = element.serves(INVITE)
    element.answers(server, 486, INVITE)
    element.answers(server, late, INVITE)
    assert element.log == [(0.0, "486")]
    element.gets(ACK)
    element.waits_until(ALL_TIME)
    element.answers(server, late, INVITE)
    assert element.log == [(0.0, "486")]


@pytest.mark.parametrize(("status", "state"), [(180, State.PROCEEDING), (200, State.ACCEPTED), (486, State.COMPLETED)])
def test_a_transport_error_changes_no_state(status: int, state: State) -> None:
    """RFC 6026 8.8: the INVITE that comes again must be absorbed, not taken for a new one."""
    element = Element()
    server = element.serves(INVITE)
    element.answers(server, status, INVITE)
    element.loses(element.sent[-1])
    assert server.state == state
    assert server.is_undelivered
    assert element.gets(request())


def test_a_response_names_its_transaction_for_failures() -> None:
    """17.2.4."""
    element = Element()
    server = element.serves(INVITE)
    element.answers(server, 180, INVITE)
    assert element.sent[-1].branch == server.key


def test_responses_go_where_the_response_flow_says() -> None:
    """RFC 3261 18.2.2: the way back is found by the Via, and may change."""
    element = Element()
    server = element.serves(INVITE)
    assert server.response_flow == UDP_FLOW
    server.response_flow = Flow(0, 0, ("192.0.2.99", 5080))
    element.answers(server, 180, INVITE)
    assert element.sent[-1].flow.remote == ("192.0.2.99", 5080)


def test_abandoned_without_an_answer() -> None:
    """A user that drops the request ends the transaction."""
    element = Element()
    server = element.serves(INVITE)
    element.table.abandon(server, 1.0)
    assert element.heard == [(1.0, "ended")]
    assert element.ends_within(0.0)


def test_a_finished_transaction_keeps_only_what_is_repeated() -> None:
    element = Element()
    accepted = element.serves(INVITE)
    element.answers(accepted, 200, INVITE)
    assert (accepted.request, accepted.last_response) == (None, b"")
    other = request(branch=b"z9hG4bKother")
    completed = element.serves(other)
    element.answers(completed, 486, other)
    assert completed.request is None
    assert completed.last_response == element.sent[-1].data
    element.gets(request(b"ACK", b"z9hG4bKother", to=BOB + b";tag=b5qt9xl3"))
    assert completed.last_response == b""
