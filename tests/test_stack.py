"""The pure door itself: slots, hand-over, siblings, connections of others, timers (ARCHITECTURE: the pure door)."""

from __future__ import annotations

import pytest

from appliance.catalogue import counters
from appliance.catalogue.limit_settings import LimitSettings
from appliance.catalogue.settings import Settings
from appliance.catalogue.transports import WS
from appliance.messages.bus_messages import (
    CallsMoved,
    HandedOver,
    SendByConnection,
    SendFailed,
    SlotsChanged,
)
from appliance.messages.slots import SlotTable, deal
from appliance.messages.supervisor_requests import ForgetSubscriber
from appliance.routing.lookup_questions import FindSubscriber, HostAnswer, SubscriberAnswer
from appliance.transport.flow import TCP, Flow, Outgoing
from appliance.transport.process_id import process_id
from tests.stack_bench import (
    ALICE,
    BOB,
    NOW,
    SETTINGS,
    Pair,
    answer_to,
    call_id_of,
    register,
    request,
    sent,
    sent_later,
    stack,
)

# -- slots and hand-over ---------------------------------------------------------------------------------


def test_a_lonely_worker_owns_every_call() -> None:
    one = stack()
    one.receive_datagrams([(request("OPTIONS", "sip:192.0.2.1"), ALICE)], NOW)
    assert [message.status for message in sent(one)] == [200]
    assert one.messages_to_send(NOW) == []


def test_a_call_of_a_sibling_is_handed_over_once() -> None:
    """ARCHITECTURE: the bus corrects; the worker that receives a hand-over keeps it."""
    pair = Pair()
    data = request("OPTIONS", "sip:192.0.2.1", call_id_of(1, pair.table))
    pair.workers[0].receive_datagrams([(data, ALICE)], NOW)
    assert sent(pair.workers[0]) == []
    ((target, message),) = pair.workers[0].messages_to_send(NOW)
    assert target == 1 and isinstance(message, HandedOver)
    assert (message.data, message.flow) == (data, ALICE)
    # Its table is newer and says that the call is worker 0's: it answers all the same.
    pair.workers[1].receive_messages([(-1, SlotsChanged(SlotTable(bytes(256), 9), [0, 1]))], NOW)
    pair.workers[1].receive_messages([(0, message)], NOW)
    assert [answer.status for answer in sent(pair.workers[1])] == [200]
    assert not any(isinstance(m, HandedOver) for _, m in pair.workers[1].messages_to_send(NOW))
    assert pair.workers[0].counters[counters.HANDED_OVER] == 1


def test_a_call_that_is_handed_over_to_a_former_owner_goes_back_to_its_owner() -> None:
    """Design 4: its responses come to the owner. Worker 1 knows already that the call is worker 0's, 0 not yet."""
    pair = Pair()
    call_id = call_id_of(1, pair.table)
    news = SlotsChanged(SlotTable(bytes(256), 9), [0, 1])
    pair.workers[1].receive_messages([(-1, news)], NOW)
    pair.workers[0].receive_datagrams([(request("INVITE", "sip:bob@192.0.2.60", call_id), ALICE)], NOW)
    ((_, invite),) = pair.workers[0].messages_to_send(NOW)
    pair.workers[1].receive_messages([(0, invite)], NOW)
    (forwarded,) = [message for message in sent(pair.workers[1]) if message.is_request]
    ((target, moved),) = pair.workers[1].messages_to_send(NOW)
    assert target == 0 and isinstance(moved, CallsMoved)
    pair.workers[0].receive_messages([(-1, news), (1, moved)], NOW)
    pair.workers[0].receive_datagrams([(answer_to(forwarded, "200 OK"), BOB)], NOW)
    assert [message.status for message in sent(pair.workers[0])] == [200]
    assert pair.workers[0].counters[counters.CALLS_ANSWERED] == 1
    assert not [m for m in sent_later(pair.workers[1]) if m.is_request], "worker 1 repeats nothing"


def test_calls_that_are_moved_to_a_former_owner_go_on_to_their_owner() -> None:
    """The slots have moved once more meanwhile."""
    pair = Pair()
    call_id = call_id_of(0, pair.table)
    pair.workers[0].receive_datagrams([(request("INVITE", "sip:bob@192.0.2.60", call_id), ALICE)], NOW)
    pair.workers[0].receive_messages([(-1, SlotsChanged(SlotTable(b"\1" * 256, 9), [0, 1]))], NOW)
    ((_, moved),) = pair.workers[0].messages_to_send(NOW)
    news = SlotsChanged(SlotTable(bytes(256), 10), [0, 1])
    pair.workers[1].receive_messages([(-1, news), (0, moved)], NOW)
    ((target, back),) = pair.workers[1].messages_to_send(NOW)
    assert target == 0 and isinstance(back, CallsMoved)
    # Here the table is the older one: what was sent by a newer one stays.
    pair.workers[0].receive_messages([(1, back)], NOW)
    assert not pair.workers[0].messages_to_send(NOW)


def test_a_message_without_call_id_stays_on_its_worker() -> None:
    pair = Pair()
    pair.workers[0].receive_datagrams([(b"\0\0\0\0", ALICE), (b"INVITE x SIP/2.0\r\n\r\n", ALICE)], NOW)
    assert pair.pump() == []


def test_responses_are_handed_over_like_requests() -> None:
    """Every message of a call carries its Call-ID, so all have one owner."""
    pair = Pair()
    call_id = call_id_of(1, pair.table)
    pair.workers[1].receive_datagrams([(request("INVITE", "sip:bob@192.0.2.60", call_id), ALICE)], NOW)
    (forwarded,) = [message for message in sent(pair.workers[1]) if message.is_request]
    response = answer_to(forwarded, "486 Busy")
    pair.workers[0].receive_datagrams([(response, BOB)], NOW)
    pair.pump()
    assert {message.status or message.method for message in sent(pair.workers[1])} == {"ACK", 486}


# -- connections -------------------------------------------------------------------------------------------

BY_TCP = Flow(TCP, 0, ("192.0.2.102", 40000), 1, 7)


def test_a_message_for_a_sibling_s_connection_goes_to_that_sibling() -> None:
    pair = Pair()
    call_id = call_id_of(0, pair.table)
    pair.workers[1].receive_datagrams([(request("OPTIONS", "sip:192.0.2.1", call_id), BY_TCP)], NOW)
    carried = pair.pump()
    assert [type(message) for _, _, message in carried] == [HandedOver]
    assert sent(pair.workers[0]) == []
    ((target, message),) = pair.workers[0].messages_to_send(NOW)
    assert target == 1 and isinstance(message, SendByConnection)
    pair.workers[1].receive_messages([(0, message)], NOW)
    (outgoing,) = pair.workers[1].datagrams_to_send(NOW)
    assert outgoing.flow == BY_TCP
    # Two workers have had it in hands, and it is one response.
    assert [one.counters[counters.RESPONSES_SENT] for one in pair.workers] == [0, 1]
    assert [one.counters[counters.REQUESTS_SENT] for one in pair.workers] == [0, 0]


def test_a_request_to_the_far_end_of_a_sibling_s_connection_goes_by_it() -> None:
    """RFC 3261 18.1.1: phones on TCP write the port of their connection into Contact; no socket listens there."""
    pair = Pair()
    phone = Flow(TCP, 0, ("192.0.2.60", 40123), 1, 7)
    pair.workers[1].connections_changed([phone], [])
    pair.pump()
    ours = call_id_of(0, pair.table)
    invite = request("INVITE", "sip:bob@192.0.2.60:40123;transport=tcp", ours)
    pair.workers[0].receive_datagrams([(invite, ALICE)], NOW)
    assert [message.status for message in sent(pair.workers[0])] == [100]
    passed_on = [
        message for _, message in pair.workers[0].messages_to_send(NOW) if isinstance(message, SendByConnection)
    ]
    assert [message.outgoing.flow for message in passed_on] == [Flow(TCP, 0, phone.remote, 1, 0)]


def test_a_failure_of_a_sibling_s_message_is_told_to_it() -> None:
    """RFC 3261 18.4: only the worker that owns the call has the transaction."""
    pair = Pair()
    pair.workers[1].receive_failures([Outgoing(b"", BY_TCP, b"z9hG4bKelsewhere INVITE")], NOW)
    (carried,) = pair.pump()
    assert carried[:2] == (1, 0) and isinstance(carried[2], SendFailed)


def test_a_message_for_the_connection_of_a_dead_worker_fails_at_once() -> None:
    """The connection died with its worker; the contact's address is tried instead (RFC 3261 18.1, 16.9)."""
    pair = Pair()
    contact = "<sip:alice@192.0.2.102:5060;transport=tcp>"
    pair.workers[1].receive_datagrams([(register(call_id_of(1, pair.table), contact), BY_TCP)], NOW)
    assert [message.status for message in sent(pair.workers[1])] == [200]
    survivor = pair.workers[0]
    survivor.receive_messages([(-1, SlotsChanged(deal([0], 2), [0]))], NOW)
    survivor.receive_datagrams([(request("INVITE", "sip:alice@example.com", "after-the-death"), ALICE)], NOW)
    ways = [outgoing.flow for outgoing in survivor.datagrams_to_send(NOW) if outgoing.data.startswith(b"INVITE")]
    assert ways == [Flow(TCP, 0, ("192.0.2.102", 5060))]
    assert not any(isinstance(message, SendByConnection) for _, message in survivor.messages_to_send(NOW))


def test_a_response_for_the_connection_of_a_dead_worker_opens_another() -> None:
    """RFC 3261 18.2.2: to the address the request came from, at the port of its Via."""
    pair = Pair()
    call_id = call_id_of(0, pair.table)
    pair.workers[1].receive_datagrams([(request("OPTIONS", "sip:192.0.2.1", call_id), BY_TCP)], NOW)
    ((_, handed_over),) = pair.workers[1].messages_to_send(NOW)
    survivor = pair.workers[0]
    survivor.receive_messages([(-1, SlotsChanged(deal([0], 2), [0])), (1, handed_over)], NOW)
    assert [outgoing.flow for outgoing in survivor.datagrams_to_send(NOW)] == [Flow(TCP, 0, ("192.0.2.102", 5060))]


def test_a_connection_that_was_closed_is_not_tried() -> None:
    """RFC 3261 18.1: the phone is called at its contact at once, and nothing has to fail first."""
    one = stack()
    contact = "<sip:alice@192.0.2.102:5060;transport=tcp>"
    own = Flow(TCP, 0, BY_TCP.remote, 0, 7)
    one.connections_changed([own], [])
    one.receive_datagrams([(register("reg", contact), own)], NOW)
    one.datagrams_to_send(NOW)
    one.connections_changed([], [own])
    one.receive_datagrams([(request("INVITE", "sip:alice@example.com", "call"), ALICE)], NOW)
    ways = [outgoing.flow for outgoing in one.datagrams_to_send(NOW) if outgoing.data.startswith(b"INVITE")]
    assert ways == [Flow(TCP, 0, ("192.0.2.102", 5060))]


# -- questions, time, malformed messages -------------------------------------------------------------------


def test_a_subscriber_that_the_operator_changed_is_asked_for_again() -> None:
    one = stack()
    for number in range(2):
        one.receive_datagrams([(request("INVITE", "sip:bob@example.com", f"call-{number}"), ALICE)], NOW)
        (question,) = one.questions_to_ask()
        assert isinstance(question, FindSubscriber)
        one.receive_answers([SubscriberAnswer(question.id, True, False)], NOW)
        one.receive_messages([(-1, ForgetSubscriber(b"bob"))], NOW)


def test_an_answer_without_a_question_is_ignored() -> None:
    one = stack()
    one.receive_answers([HostAnswer(99, ("192.0.2.1",), False, 60.0), SubscriberAnswer(98, True, False)], NOW)
    assert one.gauges()["hosts"] == 0


def test_the_wall_clock_may_be_set() -> None:
    """Bindings end by unix time, timers do not notice."""
    one = stack()
    one.receive_datagrams([(register(), ALICE)], NOW)
    assert [message.status for message in sent(one)] == [200]
    one.set_wall_time(1_700_000_000.0 + 7300, NOW)
    assert one.next_timer() <= NOW + 1.0
    one.receive_datagrams([(request("INVITE", "sip:alice@example.com"), BOB)], NOW)
    assert not any(message.uri == "sip:alice@192.0.2.101:5060" for message in sent(one) if message.is_request)


@pytest.mark.parametrize("data", [b"hello", b"SIP/2.0 200 OK\r\n\r\n", b"ACK sip:b SIP/2.0\r\n\r\n"])
def test_what_cannot_be_answered_is_dropped(data: bytes) -> None:
    one = stack()
    one.receive_datagrams([(data, ALICE)], NOW)
    assert sent(one) == []
    assert one.counters[counters.DROPPED_MALFORMED] == 1


@pytest.mark.parametrize("data", [b"", b"\r\n", b"\r\n\r\n", b"\0\0\0\0"])
def test_empty_lines_by_udp_are_keep_alives(data: bytes) -> None:
    """Many phones keep their NAT open so (RFC 5626 3.5 has another way for datagrams)."""
    one = stack()
    one.receive_datagrams([(data, ALICE)], NOW)
    assert sent(one) == []
    assert one.counters[counters.KEEPALIVES_RECEIVED] == 1
    assert one.counters[counters.DROPPED_MALFORMED] == 0


def test_a_stun_request_by_udp_is_answered_and_garbage_is_not() -> None:
    """RFC 5626 8: the flow that it came by gets the answer."""
    one = stack()
    asked = bytes.fromhex("000100002112a442b7e7a701bc34d686fa87dfae")
    one.receive_datagrams([(asked, ALICE), (asked[:-1], ALICE), (b"\x00" * 30, ALICE)], NOW)
    (answer,) = one.datagrams_to_send(NOW)
    assert answer.flow == ALICE
    assert answer.data.startswith(b"\x01\x01") and answer.data[8:20] == asked[8:]
    assert one.counters[counters.KEEPALIVES_RECEIVED] == 1
    assert one.counters[counters.DROPPED_MALFORMED] == 2


def test_a_stun_request_by_web_socket_is_malformed() -> None:
    """RFC 5626 4.4: STUN is for datagrams. An answer would prove a stranger's connection (connection_sources.py)."""
    one = stack()
    asked = bytes.fromhex("000100002112a442b7e7a701bc34d686fa87dfae")
    browser = Flow(WS, 0, ("192.0.2.50", 50000), process_id(1, 0), 7)
    one.receive_datagrams([(asked, browser), (b"\0\0", browser)], NOW)
    assert one.counters[counters.KEEPALIVES_RECEIVED] == 0
    assert one.counters[counters.DROPPED_MALFORMED] == 2


def test_a_stack_at_rest_wants_its_timers_a_moment_later_not_now() -> None:
    assert NOW < stack().next_timer() <= NOW + 1.0


def test_the_tables_are_bounded_by_the_settings() -> None:
    """A flood of calls that no phone answers costs what the limit says and no more (design 5)."""
    limits = LimitSettings(transactions_max=10)
    one = stack(settings=Settings(domains=("example.com",), listeners=SETTINGS.listeners, limits=limits))
    for number in range(100):
        one.receive_datagrams([(request("INVITE", "sip:bob@192.0.2.60", f"flood-{number}"), ALICE)], NOW)
    assert one.gauges()["transactions"] <= 10
    refused = [message for message in sent(one) if message.status == 503]
    assert refused and all(message.first("Retry-After") for message in refused)
    assert one.counters[counters.REFUSED_TABLE_FULL] >= 90
