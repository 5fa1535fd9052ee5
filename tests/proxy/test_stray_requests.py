"""ACK and CANCEL that match no transaction, or none that they could have an effect on (RFC 3261 9.2, 16.10, 16.11)."""

from __future__ import annotations

import pytest

from appliance.catalogue import counters
from appliance.stack import Stack
from appliance.transport.flow import UDP, Flow
from tests.flows.wire import Message
from tests.test_stack import ALICE, BOB, NOW, answer_to, register, request, sent, stack

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


def test_a_cancel_of_another_request_than_invite_is_answered_here() -> None:
    """RFC 3261 9.1, 9.2: without effect, and it goes nowhere."""
    one = with_contacts(1)
    data = request("MESSAGE", "sip:alice@example.com")
    one.receive_datagrams([(data, ALICE)], NOW)
    (forwarded,) = sent(one)
    one.receive_datagrams([(of_same_transaction(b"CANCEL", data), ALICE)], NOW)
    assert [(message.method, message.status) for message in sent(one)] == [("CANCEL", 200)]
    one.receive_datagrams([(answer_to(forwarded, "200 OK"), BOB)], NOW)
    assert [(message.method, message.status) for message in sent(one)] == [("MESSAGE", 200)]
