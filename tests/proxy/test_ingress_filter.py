"""A whole stack that has too much to do: what is turned away, and what is not (RFC 3261 21.5.4, RFC 6357)."""

from __future__ import annotations

import pytest

from appliance.catalogue import counters
from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.sip.header_lines import make_line
from appliance.sip.message import Request, Response
from appliance.sip.names import RECORD_ROUTE
from appliance.sip.parser import UNBOUNDED, parse
from appliance.sip.writer import write_response
from appliance.stack import Stack
from appliance.transport.flow import UDP, Flow
from tests.tables import new_table

FLOW = Flow(UDP, 0, ("127.0.0.1", 5070))
NOW = 100.0


def stack_with_delay(delay_s: float) -> Stack:
    """A stack whose messages have waited for so long, for a second."""
    settings = Settings(domains=("example.com",), listeners=(ListenerSettings(authenticate=False),))
    stack = Stack(settings, 0, b"k" * 32, new_table(), NOW - 1.0, 1_700_000_000.0)
    for step in range(41):
        stack.note_delay(delay_s, NOW - 1.0 + step / 40)
    return stack


@pytest.fixture
def overloaded() -> Stack:
    return stack_with_delay(1.0)


def message(
    method: bytes, *, branch: bytes = b"z9hG4bK1", to_tag: bytes = b"", via: bytes = b"", extra: bytes = b""
) -> bytes:
    return (
        b"%b sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch=%b%b\r\nMax-Forwards: 70\r\n"
        b"From: <sip:a@example.com>;tag=a\r\nTo: <sip:bob@example.com>%b\r\nCall-ID: c\r\nCSeq: 1 %b\r\n%b"
        b"Contact: <sip:a@127.0.0.1:5070>\r\nContent-Length: 0\r\n\r\n"
    ) % (method, branch, via, to_tag and b";tag=" + to_tag, method, extra)


def answers(stack: Stack, data: bytes) -> list[Response]:
    stack.receive_datagrams([(data, FLOW)], NOW)
    sent = [parse(outgoing.data, UNBOUNDED) for outgoing in stack.datagrams_to_send(NOW)]
    assert all(isinstance(found, Response) for found in sent)
    return sent  # type: ignore[return-value]


@pytest.mark.parametrize("extra", [b"", b"Subject: folded\r\n here\r\n"], ids=["at a glance", "parsed"])
@pytest.mark.parametrize("method", [b"INVITE", b"REGISTER", b"OPTIONS", b"MESSAGE"])
def test_new_work_is_turned_away(overloaded: Stack, method: bytes, extra: bytes) -> None:
    (response,) = answers(overloaded, message(method, extra=extra))
    assert response.status == 503
    assert int(response.values(23)[0]) >= 1
    assert response.read_top_via().branch == b"z9hG4bK1"
    assert overloaded.counters[counters.REFUSED_OVERLOAD] == 1
    assert overloaded.counters[counters.REGISTRATIONS_DEFERRED] == (method == b"REGISTER")
    assert overloaded.gauges()["transactions"] == 0


@pytest.mark.parametrize("extra", [b"", b"Subject: folded\r\n here\r\n"], ids=["at a glance", "parsed"])
def test_the_ack_of_a_refusal_ends_here(overloaded: Stack, extra: bytes) -> None:
    """RFC 3261 17.1.1.3, 8.2.7: also when the overload is over."""
    for stack in (overloaded, stack_with_delay(0.0)):
        (response,) = answers(overloaded, message(b"INVITE", extra=extra))
        assert answers(stack, message(b"ACK", to_tag=response.read_to_tag(), extra=extra)) == []
        assert stack.counters[counters.DROPPED_UNROUTABLE] == 0


def test_retransmissions_are_refused_with_the_same_tag(overloaded: Stack) -> None:
    """RFC 3261 8.2.7."""
    tags = {answers(overloaded, message(b"INVITE"))[0].read_to_tag() for _ in range(3)}
    assert len(tags) == 1


def test_a_response_goes_where_the_request_came_from(overloaded: Stack) -> None:
    """RFC 3581 4."""
    (response,) = answers(overloaded, message(b"INVITE", via=b";rport"))
    assert (response.read_top_via().received, response.read_top_via().rport) == (b"127.0.0.1", 5070)


def in_dialog(method: bytes, route: bytes) -> bytes:
    """A request of the callee in the dialog that the INVITE of `message` makes."""
    data = message(method, branch=b"z9hG4bKback", to_tag=b"a", extra=b"Route: " + route + b"\r\n")
    data = data.replace(b"From: <sip:a@example.com>;tag=a", b"From: <sip:bob@example.com>;tag=there")
    data = data.replace(b"To: <sip:bob@example.com>;tag=a", b"To: <sip:a@example.com>;tag=a")
    return data.replace(b" sip:bob@example.com SIP/2.0", b" sip:a@127.0.0.1:5070 SIP/2.0")


def forwarded_invite(stack: Stack) -> Request:
    sent = [parse(outgoing.data, UNBOUNDED) for outgoing in stack.datagrams_to_send(NOW)]
    return next(message for message in sent if isinstance(message, Request))


def stack_with_call() -> tuple[Stack, bytes]:
    """A stack that is overloaded after a call was set up, and the Record-Route value of the call."""
    stack = stack_with_delay(0.0)
    stack.receive_datagrams([(message(b"REGISTER"), FLOW), (message(b"INVITE", branch=b"z9hG4bK2"), FLOW)], NOW)
    invite = forwarded_invite(stack)
    overload(stack)
    return stack, invite.values(RECORD_ROUTE)[0]


def overload(stack: Stack) -> None:
    for step in range(41):
        stack.note_delay(1.0, NOW + step / 100)


def forwarded(stack: Stack, data: bytes) -> list[bytes]:
    """The methods of what goes on when a request comes."""
    stack.receive_datagrams([(data, FLOW)], NOW)
    found = [parse(outgoing.data, UNBOUNDED) for outgoing in stack.datagrams_to_send(NOW)]
    return [request.method for request in found if isinstance(request, Request)]


@pytest.mark.parametrize("method", [b"BYE", b"INVITE", b"UPDATE"])
def test_dialogs_are_never_refused(method: bytes) -> None:
    """The token in the Route proves that it is one: that of the answer does."""
    stack = stack_with_delay(0.0)
    stack.receive_datagrams([(message(b"REGISTER"), FLOW), (message(b"INVITE", branch=b"z9hG4bK2"), FLOW)], NOW)
    invite = forwarded_invite(stack)
    assert isinstance(invite, Request)
    recorded = make_line(b"Record-Route", invite.values(RECORD_ROUTE)[0])
    lines = (recorded, make_line(b"Contact", b"<sip:bob@127.0.0.1:5070>"))
    stack.receive_datagrams([(write_response(invite, 200, headers=lines, to_tag=b"there"), FLOW)], NOW)
    answer = parse(stack.datagrams_to_send(NOW)[-1].data, UNBOUNDED)
    overload(stack)
    route = b"Route: " + answer.values(RECORD_ROUTE)[0] + b"\r\n"
    data = message(method, branch=b"z9hG4bK3", to_tag=b"there", extra=route)
    assert forwarded(stack, data.replace(b" sip:bob@example.com SIP", b" sip:bob@127.0.0.1:5070 SIP")) == [method]
    assert stack.counters[counters.REFUSED_OVERLOAD] == 0


def test_the_end_that_was_called_ends_its_call() -> None:
    """Its token does not say that the call was answered, so what begins something by it is turned away as if new."""
    stack, route = stack_with_call()
    assert forwarded(stack, in_dialog(b"BYE", route)) == [b"BYE"]
    assert stack.counters[counters.REFUSED_OVERLOAD] == 0
    assert forwarded(stack, in_dialog(b"INVITE", route).replace(b"bKback", b"bKnext")) == []
    assert stack.counters[counters.REFUSED_OVERLOAD] == 1


@pytest.mark.parametrize("extra", [b"", b"Subject: folded\r\n here\r\n"], ids=["at a glance", "parsed"])
@pytest.mark.parametrize("route", [b"", b"Route: <sip:127.0.0.1;lr;tk=%b>\r\n" % (b"0" * 40)], ids=["none", "forged"])
def test_a_to_tag_alone_proves_no_dialog(overloaded: Stack, route: bytes, extra: bytes) -> None:
    """RFC 3261 12.2.2: any sender can invent one."""
    (response,) = answers(overloaded, message(b"INVITE", to_tag=b"there", extra=route + extra))
    assert (response.status, response.read_to_tag()) == (503, b"there")
    assert overloaded.counters[counters.REFUSED_OVERLOAD] == 1
    assert overloaded.gauges()["transactions"] == 0


def test_the_token_of_a_call_lets_in_nothing_else() -> None:
    stack, route = stack_with_call()
    other = in_dialog(b"INVITE", route).replace(b" sip:a@127.0.0.1:5070 SIP", b" sip:b@127.0.0.1:5070 SIP")
    (response,) = answers(stack, other)
    assert response.status == 503


def test_what_came_before_the_overload_is_no_news() -> None:
    """RFC 3261 17.2.3: a repeated request gets its answer again."""
    stack = stack_with_delay(0.0)
    first = answers(stack, message(b"REGISTER"))
    assert first[-1].status == 200
    for step in range(41):
        stack.note_delay(1.0, NOW + step / 100)
    assert answers(stack, message(b"REGISTER"))[-1].status == 200
    assert answers(stack, message(b"REGISTER", branch=b"z9hG4bK2"))[-1].status == 503


def test_a_call_that_is_being_set_up_can_be_taken_back() -> None:
    """RFC 3261 16.10, 17.2.3."""
    stack = stack_with_delay(0.0)
    assert answers(stack, message(b"REGISTER"))[-1].status == 200
    stack.receive_datagrams([(message(b"INVITE", branch=b"z9hG4bK2"), FLOW)], NOW)
    assert len(stack.datagrams_to_send(NOW)) == 2
    for step in range(41):
        stack.note_delay(1.0, NOW + step / 100)
    assert answers(stack, message(b"INVITE", branch=b"z9hG4bK2"))[-1].status == 100
    assert answers(stack, message(b"CANCEL", branch=b"z9hG4bK2"))[-1].status == 200
    assert stack.counters[counters.REFUSED_OVERLOAD] == 0


def test_without_overload_nothing_is_refused() -> None:
    stack = stack_with_delay(0.001)
    assert answers(stack, message(b"REGISTER"))[-1].status == 200
    assert stack.alarms(NOW) == []


def test_the_operator_is_told(overloaded: Stack) -> None:
    (sentence,) = overloaded.alarms(NOW)
    assert "503" in sentence


def test_the_operator_is_not_told_of_what_is_over(overloaded: Stack) -> None:
    """Also where no message comes any more, by which it would be seen."""
    overloaded.handle_timers(NOW + 5.0)
    assert overloaded.alarms(NOW) == []


@pytest.mark.parametrize("broken", [b"CSeq: 5\r\n", b"Content-Length: 99\r\n"])
def test_the_refusal_of_a_malformed_request_says_where_it_came_from(broken: bytes) -> None:
    """RFC 3261 18.2.1, RFC 3581 4: of any request."""
    stack = stack_with_delay(0.0)
    data = message(b"OPTIONS", via=b";rport", extra=broken).replace(b" 127.0.0.1:5070;", b" phone.example.com;")
    (refusal,) = answers(stack, data)
    assert refusal.status == 400
    assert refusal.read_top_via().rport == 5070
    assert refusal.read_top_via().received == b"127.0.0.1"
