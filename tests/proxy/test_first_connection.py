"""A server with addresses of both families: the request goes by the connection that is open first (RFC 8305, 7984)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.catalogue import counters as catalogue
from appliance.catalogue.settings import ListenerSettings
from appliance.routing.lookup_questions import ConnectionAnswer, HostAnswer, LookupHost, LookupServers, OpenConnection
from appliance.stack import Stack
from appliance.transport.flow import TCP, UDP, Flow, Outgoing
from tests.stack_bench import ALICE, NOW, SETTINGS, request, stack

SIX = ListenerSettings(name="six", address="2001:db8::9", transports=(UDP, TCP), relay="any", authenticate=False)
FOUR = replace(SETTINGS.listeners[0], transports=(UDP, TCP))
BOTH = replace(SETTINGS, listeners=(FOUR, SIX))
TO = "sip:bob@partner.test:5070;transport=tcp"
ADDRESSES = ("192.0.2.60", "2001:db8::60")
V4, V6 = Flow(TCP, 0, ("192.0.2.60", 5070)), Flow(TCP, 1, ("2001:db8::60", 5070))


def call(one: Stack, call_id: str, uri: str = TO) -> None:
    one.receive_datagrams([(request("INVITE", uri, call_id), ALICE)], NOW)


def called(one: Stack, uri: str = TO, addresses: tuple[str, ...] = ADDRESSES) -> None:
    """Alice calls; DNS knows the addresses."""
    call(one, "a", uri)
    for question in one.questions_to_ask():
        assert isinstance(question, LookupHost)
        one.receive_answers([HostAnswer(question.id, addresses, False, 300.0)], NOW)


def asked(one: Stack) -> OpenConnection:
    (question,) = one.questions_to_ask()
    assert isinstance(question, OpenConnection)
    return question


def invites(one: Stack, now: float = NOW) -> list[Outgoing]:
    return [outgoing for outgoing in one.datagrams_to_send(now) if outgoing.data.startswith(b"INVITE ")]


def test_the_request_waits_for_the_first_connection_and_names_the_listener_of_its_family() -> None:
    one = stack(settings=BOTH)
    called(one)
    question = asked(one)
    assert question.hops == (V4, V6)
    assert invites(one) == []
    one.receive_answers([ConnectionAnswer(question.id, V6, (), (V4,))], NOW)
    (outgoing,) = invites(one)
    assert outgoing.flow == V6
    assert b"Via: SIP/2.0/TCP [2001:db8::9]" in outgoing.data
    # The address that was late is tried after the others for a while (RFC 3263 4.3), and seen by operators.
    assert one.counters[catalogue.HOPS_FAILED_OVER] == 1
    assert one.gauges()["unavailable_hops"] == 1
    call(one, "b")
    assert asked(one).hops == (V6, V4)


def test_an_open_connection_is_used_without_a_question() -> None:
    """RFC 3261 18.1.1."""
    one = stack(settings=BOTH)
    one.connections_changed([Flow(TCP, 1, V6.remote, 0, 7)], [])
    called(one)
    assert one.questions_to_ask() == []
    (outgoing,) = invites(one)
    assert outgoing.flow == V6


@pytest.mark.parametrize(
    ("uri", "addresses"),
    [
        (TO, ("192.0.2.60", "192.0.2.61")),
        (TO, ("2001:db8::60",)),
        ("sip:bob@partner.test:5070", ("192.0.2.60", "2001:db8::60")),
    ],
    ids=["one family", "one address", "datagrams"],
)
def test_nothing_is_asked_where_there_is_no_choice(uri: str, addresses: tuple[str, ...]) -> None:
    one = stack(settings=BOTH)
    called(one, uri, addresses)
    assert one.questions_to_ask() == []
    assert len(invites(one)) == 1


def test_a_listener_of_one_family_has_no_choice() -> None:
    one = stack(settings=replace(BOTH, listeners=(FOUR,)))
    called(one)
    assert [outgoing.flow for outgoing in invites(one)] == [V4]


def test_when_no_address_can_be_reached_the_call_fails_and_both_are_noted() -> None:
    """RFC 3261 16.9, 16.7 step 6: a 503 of the last hop becomes a 500."""
    one = stack(settings=BOTH)
    called(one)
    one.receive_answers([ConnectionAnswer(asked(one).id, None, (V4, V6), ())], NOW)
    (answer,) = [outgoing for outgoing in one.datagrams_to_send(NOW) if outgoing.data.startswith(b"SIP/2.0 500 ")]
    assert answer.flow == ALICE
    assert one.gauges()["unavailable_hops"] == 2
    assert one.gauges()["connections_waiting"] == 0


def test_servers_are_not_mixed() -> None:
    """RFC 3263 4.2: the second server is for when the first has failed with all of its addresses."""
    one = stack(settings=BOTH)
    call(one, "a", "sip:bob@partner.test;transport=tcp")
    (question,) = one.questions_to_ask()
    assert isinstance(question, LookupServers)
    records = ("10 1 5070 s1.partner.test.", "20 1 5070 s2.partner.test.")
    one.receive_answers([question.answer_of(records, 300.0)], NOW)
    hosts = {b"s1.partner.test": ("192.0.2.60", "2001:db8::60"), b"s2.partner.test": ("192.0.2.70", "2001:db8::70")}
    for each in one.questions_to_ask():
        assert isinstance(each, LookupHost)
        one.receive_answers([HostAnswer(each.id, hosts[each.host], False, 300.0)], NOW)
    first = asked(one)
    assert first.hops == (V4, V6)
    one.receive_answers([ConnectionAnswer(first.id, None, (V4, V6), ())], NOW)
    second = asked(one)
    assert [hop.remote[0] for hop in second.hops] == ["192.0.2.70", "2001:db8::70"]
    one.receive_answers([ConnectionAnswer(second.id, second.hops[0], (), ())], NOW)
    assert [outgoing.flow for outgoing in invites(one)] == [second.hops[0]]


def test_calls_that_wait_for_the_same_connection_ask_once() -> None:
    one = stack(settings=BOTH)
    called(one)
    call(one, "b")
    question = asked(one)
    assert one.gauges()["connections_waiting"] == 2
    one.receive_answers([ConnectionAnswer(question.id, V4, (), ())], NOW)
    assert [outgoing.flow for outgoing in invites(one)] == [V4, V4]
    assert one.counters[catalogue.HOPS_FAILED_OVER] == 0


def test_a_caller_who_gives_up_meanwhile_is_answered_and_nothing_is_sent() -> None:
    """RFC 3261 9.2, 16.10."""
    one = stack(settings=BOTH)
    called(one)
    question = asked(one)
    cancel = request("CANCEL", TO, "a").replace(b"z9hG4bKaCANCEL", b"z9hG4bKaINVITE")
    one.receive_datagrams([(cancel, ALICE)], NOW)
    starts = [outgoing.data.split(b"\r\n")[0] for outgoing in one.datagrams_to_send(NOW)]
    assert b"SIP/2.0 487 Request Terminated" in starts
    one.receive_answers([ConnectionAnswer(question.id, V4, (), ())], NOW)
    assert invites(one) == []


def test_where_nothing_could_be_tried_the_first_address_is_taken() -> None:
    one = stack(settings=BOTH)
    called(one)
    one.receive_answers([asked(one).unknown()], NOW)
    assert [outgoing.flow for outgoing in invites(one)] == [V4]
