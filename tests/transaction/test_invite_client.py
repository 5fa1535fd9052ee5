"""The INVITE client transaction: RFC 3261 17.1.1 with RFC 6026 8.4. Timers A, B, D and M."""

from __future__ import annotations

import pytest

from appliance.sip.message import Request
from appliance.sip.names import CONTENT_LENGTH, MAX_FORWARDS, ROUTE, VIA
from appliance.sip.parser import SyntaxLimits, parse
from appliance.sip.writer import write
from appliance.transaction.machines import State
from appliance.transaction.timers import TimerSettings
from appliance.transaction.transaction import cancel_request
from appliance.transport.flow import Flow
from tests.transaction.element import ALL_TIME, TCP_FLOW, UDP_FLOW, Element, request, response

INVITE = request()
FLOWS = pytest.mark.parametrize("flow", [UDP_FLOW, TCP_FLOW], ids=["UDP", "TCP"])


def sent_request(element: Element) -> Request:
    message = parse(element.sent[-1].data, SyntaxLimits())
    assert isinstance(message, Request)
    return message


def test_timer_a_doubles_without_a_cap_until_timer_b() -> None:
    """17.1.1.2: T1, 2*T1, 4*T1 ...: seven requests in all before 64*T1."""
    element = Element()
    element.sends(INVITE)
    element.waits_until(ALL_TIME)
    assert element.log == [(at, "INVITE") for at in (0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5)]
    assert element.heard == [(32.0, "timed out")]
    assert element.ends_within(0.0)


def test_no_timer_a_on_a_reliable_transport_but_timer_b() -> None:
    """17.1.1.2."""
    element = Element(TCP_FLOW)
    element.sends(INVITE)
    element.waits_until(ALL_TIME)
    assert element.log == [(0.0, "INVITE")]
    assert element.heard == [(32.0, "timed out")]


def test_another_t1_scales_the_schedule() -> None:
    """17.1.1.1: nearly all timers scale with T1."""
    element = Element(durations=TimerSettings(t1=0.125))
    element.sends(INVITE)
    element.waits_until(ALL_TIME)
    assert [at for at, _ in element.log] == pytest.approx([0.0, 0.125, 0.375, 0.875, 1.875, 3.875, 7.875])
    assert element.heard == [(8.0, "timed out")]


def test_what_is_repeated_is_what_was_sent() -> None:
    """17.1.1.2: retransmitting is to pass the same message to the same place once more."""
    element = Element()
    client = element.sends(INVITE)
    element.waits_until(2.0)
    assert {outgoing.data for outgoing in element.sent} == {write(INVITE)}
    assert {outgoing.flow for outgoing in element.sent} == {UDP_FLOW}
    assert {outgoing.branch for outgoing in element.sent} == {client.key}


@FLOWS
def test_a_provisional_response_ends_repetition_and_timer_b(flow: Flow) -> None:
    """17.1.1.2: in Proceeding the client waits as long as its user does (timer C is the proxy's)."""
    element = Element(flow)
    client = element.sends(INVITE)
    assert element.gets(response(INVITE, 100))
    assert element.gets(response(INVITE, 180))
    assert element.gets(response(INVITE, 180))
    assert client.state == State.PROCEEDING
    assert element.heard == [(0.0, "100"), (0.0, "180"), (0.0, "180")]
    element.waits_until(ALL_TIME)
    assert len(element.log) == 1
    assert len(element.table.timers) == 0


@pytest.mark.parametrize("after_180", [False, True], ids=["Calling", "Proceeding"])
def test_2xx_is_accepted_and_each_further_one_goes_up_until_timer_m(after_180: bool) -> None:
    """RFC 6026 7.2: from Calling and from Proceeding; no ACK is made here."""
    element = Element()
    client = element.sends(INVITE)
    if after_180:
        element.gets(response(INVITE, 180))
    element.heard.clear()
    element.gets(response(INVITE, 200, b"fork-1"))
    assert client.state == State.ACCEPTED
    element.waits_until(31.0)
    element.gets(response(INVITE, 200, b"fork-1"))
    element.gets(response(INVITE, 200, b"fork-2"))
    assert element.heard == [(0.0, "200"), (31.0, "200"), (31.0, "200")]
    element.waits_until(ALL_TIME)
    assert element.log == [(0.0, "INVITE")]
    assert not element.gets(response(INVITE, 200))
    assert element.ends_within(0.0)


@FLOWS
def test_timer_m_is_64_t1_on_every_transport(flow: Flow) -> None:
    """RFC 6026 8.4."""
    element = Element(flow)
    element.sends(INVITE)
    element.gets(response(INVITE, 200))
    element.waits_until(31.9)
    assert len(element.table) == 1
    assert element.ends_within(0.1)


def test_accepted_ignores_provisional_and_failing_responses() -> None:
    """RFC 6026 figure 5: only 2xx has an arrow there."""
    element = Element()
    element.sends(INVITE)
    element.gets(response(INVITE, 200))
    element.gets(response(INVITE, 180))
    element.gets(response(INVITE, 486))
    assert element.heard == [(0.0, "200")]
    assert element.log == [(0.0, "INVITE")]
    assert element.table.ignored_count == 2


@pytest.mark.parametrize("after_180", [False, True], ids=["Calling", "Proceeding"])
@pytest.mark.parametrize("status", [301, 486, 503, 699])
def test_a_final_failure_is_acknowledged_and_told_once(status: int, after_180: bool) -> None:
    """17.1.1.2: ACK for the first one and for each that comes again; only the first goes up."""
    element = Element()
    client = element.sends(INVITE)
    if after_180:
        element.gets(response(INVITE, 180))
    element.log.clear()
    element.heard.clear()
    element.gets(response(INVITE, status))
    assert client.state == State.COMPLETED
    element.waits_until(4.0)
    element.gets(response(INVITE, status))
    assert element.log == [(0.0, "ACK"), (4.0, "ACK")]
    assert element.sent[-1].data == element.sent[-2].data
    assert element.heard == [(0.0, str(status))]


def test_timer_d_is_32_s_on_udp() -> None:
    """17.1.1.2."""
    element = Element()
    element.sends(INVITE)
    element.gets(response(INVITE, 486))
    element.waits_until(31.9)
    assert element.gets(response(INVITE, 486))
    assert element.ends_within(0.1)


def test_timer_d_is_nothing_on_a_reliable_transport() -> None:
    """17.1.1.2; the ACK is sent there, too."""
    element = Element(TCP_FLOW)
    element.sends(INVITE)
    element.gets(response(INVITE, 486))
    assert element.log == [(0.0, "INVITE"), (0.0, "ACK")]
    assert element.ends_within(0.0)


def test_completed_ignores_provisional_and_2xx() -> None:
    """17.1.1.2: a 2xx after another final response of the same branch leads nowhere."""
    element = Element()
    element.sends(INVITE)
    element.gets(response(INVITE, 486))
    element.gets(response(INVITE, 183))
    element.gets(response(INVITE, 200))
    assert element.heard == [(0.0, "486")]


def test_transport_error_in_calling() -> None:
    """17.1.4: the user is told, the transaction is gone, and its branch is free."""
    element = Element()
    element.sends(INVITE)
    element.loses(element.sent[0])
    assert element.heard == [(0.0, "transport failed")]
    assert element.ends_within(0.0)
    element.loses(element.sent[0])
    assert len(element.heard) == 1


def test_transport_error_of_the_ack() -> None:
    """Figure 5: in Completed, too."""
    element = Element()
    element.sends(INVITE)
    element.gets(response(INVITE, 486))
    element.loses(element.sent[-1])
    assert element.heard == [(0.0, "486"), (0.0, "transport failed")]
    assert element.ends_within(0.0)


@pytest.mark.parametrize("status", [180, 200])
def test_a_transport_error_that_comes_late_is_ignored(status: int) -> None:
    """The request has arrived, for there is a response."""
    element = Element()
    element.sends(INVITE)
    element.gets(response(INVITE, status))
    element.loses(element.sent[0])
    assert element.heard == [(0.0, str(status))]
    assert len(element.table) == 1


def test_the_ack_of_17_1_1_3() -> None:
    """The example of the section, with a route set and a second Via."""
    invite = request(
        uri=b"sip:bob@biloxi.example.com;transport=udp",
        headers=[
            b"Via: SIP/2.0/UDP phone.atlanta.example.com;branch=z9hG4bKkjshdyff",
            b"Route: <sip:ss1.atlanta.example.com;lr>, <sip:ss2.biloxi.example.com;lr>",
            b"Route: <sip:ss3.biloxi.example.com;lr>",
            b"Require: 100rel",
        ],
    )
    element = Element()
    element.sends(invite)
    element.gets(response(invite, 486, b"99sa0xk"))
    ack = sent_request(element)
    assert ack.method == b"ACK"
    assert ack.uri_text == invite.uri_text
    assert ack.values(VIA) == [invite.read_top_via().text]
    assert ack.values(ROUTE) == invite.values(ROUTE)
    assert ack.count(ROUTE) == 2
    assert ack.first(MAX_FORWARDS) == b"70"
    assert (ack.read_call_id(), ack.read_from_tag()) == (invite.read_call_id(), invite.read_from_tag())
    assert ack.read_to_tag() == b"99sa0xk"
    assert (ack.read_cseq_number(), ack.read_cseq_method()) == (invite.read_cseq_number(), b"ACK")
    assert ack.first(CONTENT_LENGTH) == b"0"
    assert ack.named(b"Require") == []
    assert element.sent[-1].flow == UDP_FLOW


def test_the_cancel_of_9_1() -> None:
    """Same Request-URI, Call-ID, To, From, CSeq number and Route; one Via, the top one; no tag of the response."""
    invite = request(
        headers=[
            b"Via: SIP/2.0/UDP phone.atlanta.example.com;branch=z9hG4bKkjshdyff",
            b"Route: <sip:ss1.atlanta.example.com;lr>",
            b"Require: 100rel",
            b"Proxy-Require: sec-agree",
        ]
    )
    element = Element()
    client = element.sends(invite)
    element.gets(response(invite, 180))
    cancel = cancel_request(client)
    assert cancel.method == b"CANCEL"
    assert cancel.uri_text == invite.uri_text
    assert cancel.values(VIA) == [invite.read_top_via().text]
    assert cancel.values(ROUTE) == [b"<sip:ss1.atlanta.example.com;lr>"]
    assert (cancel.read_call_id(), cancel.read_from_tag()) == (invite.read_call_id(), invite.read_from_tag())
    assert cancel.read_to_tag() == b""
    assert (cancel.read_cseq_number(), cancel.read_cseq_method()) == (invite.read_cseq_number(), b"CANCEL")
    assert cancel.first(MAX_FORWARDS) == b"70"
    assert cancel.named(b"Require") == cancel.named(b"Proxy-Require") == []


def test_invite_and_its_cancel_are_two_transactions_of_one_branch() -> None:
    """17.1.3: the method in CSeq tells their responses apart."""
    element = Element()
    client = element.sends(INVITE)
    element.gets(response(INVITE, 180))
    cancel = cancel_request(client)
    cancelling = element.sends(cancel)
    element.heard.clear()
    element.gets(response(cancel, 200))
    assert cancelling.state == State.COMPLETED
    assert client.state == State.PROCEEDING
    element.gets(response(INVITE, 487))
    assert client.state == State.COMPLETED
    assert [word for _, word in element.heard] == ["200", "487"]
    assert element.ends_within(32.0)


def test_no_cancel_after_a_final_response() -> None:
    """9.1: it would have no effect."""
    element = Element()
    client = element.sends(INVITE)
    element.gets(response(INVITE, 200))
    with pytest.raises(AssertionError):
        cancel_request(client)


@pytest.mark.parametrize("after_180", [False, True], ids=["Calling", "Proceeding"])
def test_given_up_64_t1_after_its_cancel(after_180: bool) -> None:
    """9.1: the user knows, so it is not told; a response that comes after all is a stray one (RFC 6026 7.3)."""
    element = Element()
    client = element.sends(INVITE)
    if after_180:
        element.gets(response(INVITE, 180))
    element.heard.clear()
    element.table.give_up(client, 1.0)
    assert element.heard == []
    assert not element.gets(response(INVITE, 200))
    assert element.ends_within(0.0)


@pytest.mark.parametrize("status", [200, 486])
def test_giving_up_after_the_final_response_changes_nothing(status: int) -> None:
    """The machine waits its last timer out."""
    element = Element()
    client = element.sends(INVITE)
    element.gets(response(INVITE, status))
    element.table.give_up(client, 1.0)
    assert element.gets(response(INVITE, status))
    assert element.ends_within(32.0)


@pytest.mark.parametrize(("status", "kept"), [(200, b""), (486, b"ACK")])
def test_a_finished_transaction_keeps_only_the_ack(status: int, kept: bytes) -> None:
    """There are a hundred thousand of them at a thousand calls per second."""
    element = Element()
    client = element.sends(INVITE)
    element.gets(response(INVITE, status))
    assert client.request is None
    assert client.data[:3] == kept


def test_the_user_may_start_the_next_attempt_while_it_is_told() -> None:
    """RFC 3263 4.3: fail-over happens inside the call-back."""
    element = Element()

    class FailingOver(Element):
        def timed_out(self, client: object, now: float) -> None:
            element.table.new_client(request(branch=b"z9hG4bKnext"), b"INVITE next", UDP_FLOW, element, now)

    element.table.new_client(INVITE, write(INVITE), UDP_FLOW, FailingOver(), 0.0)
    element.waits_until(32.0)
    assert list(element.table.clients) == [b"z9hG4bKnext|INVITE"]
