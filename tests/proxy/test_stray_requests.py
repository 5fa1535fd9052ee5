"""ACK and CANCEL that match no transaction, or none that they could have an effect on (RFC 3261 9.2, 16.10, 16.11)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.catalogue import counters
from appliance.stack import Stack
from appliance.transport.flow import UDP, Flow
from tests.flows.wire import Message
from tests.stack_bench import ALICE, BOB, NOW, SETTINGS, answer_to, register, request, sent, stack

STRANGER = Flow(UDP, 0, ("203.0.113.9", 5060))


def with_contacts(count: int) -> Stack:
    """alice is registered with so many contacts."""
    one = stack()
    for number in range(count):
        data = register(f"reg{number}", f"<sip:alice@192.0.2.{60 + number}:5060>")
        one.receive_datagrams([(data, Flow(UDP, 0, (f"192.0.2.{60 + number}", 5060)))], NOW)
    sent(one)
    return one


def of_same_transaction(method: bytes, data: bytes, to_tag: str = "") -> bytes:
    """An ACK or CANCEL with the Via, Call-ID and CSeq number of a request."""
    was = data.split(b" ", 1)[0]
    made = data.replace(was + b" ", method + b" ", 1).replace(b"1 " + was, b"1 " + method)
    to = next(line for line in made.split(b"\r\n") if line.startswith(b"To:"))
    return made.replace(to, to + b";tag=" + to_tag.encode()) if to_tag else made


def tag_of(message: Message) -> str:
    return message.first("To").rpartition("tag=")[2]


def test_a_strangers_ack_goes_to_no_contact() -> None:
    one = with_contacts(10)
    ack = request("ACK", "sip:alice@example.com", "call-9").replace(
        b"To: <sip:alice@example.com>", b"To: <sip:alice@example.com>;tag=x"
    )
    one.receive_datagrams([(ack, STRANGER)], NOW)
    assert sent(one) == []
    assert one.counters[counters.DROPPED_UNROUTABLE] == 1


def test_a_strangers_cancel_is_answered_and_goes_to_no_contact() -> None:
    one = with_contacts(10)
    one.receive_datagrams([(request("CANCEL", "sip:alice@example.com", "call-9"), STRANGER)], NOW)
    assert [(message.method, message.status) for message in sent(one)] == [("CANCEL", 481)]


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (b"Max-Forwards: 70", b"Max-Forwards: many", 400),
        (b"sip:alice@example.com SIP", b"sip:" + b"a" * 2100 + b"@example.com SIP", 414),
        (b"SIP/2.0\r\nVia", b"SIP/3.0\r\nVia", 505),
    ],
)
def test_the_ack_to_a_refusal_of_what_is_malformed_ends_here(old: bytes, new: bytes, status: int) -> None:
    """RFC 3261 17.1.1.3: the To tag of the refusal tells it. The ACK itself is in order, as some write it."""
    one = with_contacts(1)
    invite = request("INVITE", "sip:alice@example.com")
    one.receive_datagrams([(invite.replace(old, new), ALICE)], NOW)
    (refusal,) = sent(one)
    assert refusal.status == status
    one.receive_datagrams([(of_same_transaction(b"ACK", invite, tag_of(refusal)), ALICE)], NOW)
    assert sent(one) == []
    assert one.counters[counters.DROPPED_UNROUTABLE] == 0


@pytest.mark.parametrize(
    ("target", "to_tag", "goes_to"),
    [
        ("sip:alice@198.51.100.7", "b1", ["198.51.100.7"]),
        ("sip:alice@198.51.100.7;x=y", "b1", ["198.51.100.7"]),
        ("sip:alice@198.51.100.8", "b1", []),
        ("sip:alice@198.51.100.7", "b2", []),
    ],
)
def test_the_ack_to_a_2xx_goes_to_its_contact_only(target: str, to_tag: str, goes_to: list[str]) -> None:
    """RFC 3261 13.2.2.4, 26.1: where nothing is relayed an ACK without a token goes where the 2xx said."""
    one = stack(settings=replace(SETTINGS, listeners=(replace(SETTINGS.listeners[0], relay="none"),)))
    one.receive_datagrams([(register(contact="<sip:alice@192.0.2.60:5060>"), BOB)], NOW)
    sent(one)
    invite = request("INVITE", "sip:alice@example.com")
    one.receive_datagrams([(invite, ALICE)], NOW)
    _, forwarded = sent(one)
    answered = answer_to(forwarded, "200 OK").replace(b"CSeq:", b"Contact: <sip:alice@198.51.100.7>\r\nCSeq:")
    answered = answered.replace(b"To: <sip:alice@example.com>", b"To: <sip:alice@example.com>;tag=b1")
    one.receive_datagrams([(answered, BOB)], NOW)
    sent(one)
    ack = of_same_transaction(b"ACK", invite, to_tag)
    ack = ack.replace(b"ACK sip:alice@example.com", b"ACK " + target.encode()).replace(b"branch=", b"branch=z9hG4bKnew")
    one.receive_datagrams([(ack, ALICE)], NOW)
    assert [outgoing.flow.remote[0] for outgoing in one.datagrams_to_send(NOW)] == goes_to


@pytest.mark.parametrize("method", ["MESSAGE", "FROBNICATE"])
@pytest.mark.parametrize("branch", [b"z9hG4bK", b"old"])
def test_a_cancel_of_another_request_than_invite_is_answered_here(method: str, branch: bytes) -> None:
    """RFC 3261 9.1, 9.2: without effect, and it goes nowhere; any method, with or without the cookie."""
    one = with_contacts(1)
    data = request(method, "sip:alice@example.com").replace(b"z9hG4bK", branch)
    one.receive_datagrams([(data, ALICE)], NOW)
    (forwarded,) = sent(one)
    one.receive_datagrams([(of_same_transaction(b"CANCEL", data), ALICE)], NOW)
    assert [(message.method, message.status) for message in sent(one)] == [("CANCEL", 200)]
    one.receive_datagrams([(answer_to(forwarded, "200 OK"), BOB)], NOW)
    assert [(message.method, message.status) for message in sent(one)] == [(method, 200)]
    # RFC 3261 17.2.2: it is known until timer J ends it.
    one.receive_datagrams([(of_same_transaction(b"CANCEL", data), ALICE)], NOW + 1)
    one.handle_timers(NOW + 40)
    sent(one)
    one.receive_datagrams([(of_same_transaction(b"CANCEL", data), ALICE)], NOW + 40)
    assert [(message.method, message.status) for message in sent(one)] == [("CANCEL", 481)]


def test_a_cancel_of_a_request_that_waits_for_the_store_is_answered_as_one_that_is_known() -> None:
    """RFC 3261 9.2: alice has no contact, so the store is asked whether she exists."""
    one = stack()
    data = request("MESSAGE", "sip:alice@example.com")
    one.receive_datagrams([(data, ALICE)], NOW)
    assert len(one.questions_to_ask()) == 1
    one.receive_datagrams([(of_same_transaction(b"CANCEL", data), ALICE)], NOW)
    assert [(message.method, message.status) for message in sent(one)] == [("CANCEL", 200)]
