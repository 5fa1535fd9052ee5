"""The mirror of messages: what matches, bounded in number and time."""

from __future__ import annotations

from appliance.catalogue.settings import ListenerSettings
from appliance.transport.flow import UDP, Flow, Outgoing
from appliance.workers.message_capture import PER_SECOND_MAX, MessageCapture

LISTENERS = (ListenerSettings(),)
ALICE = Flow(UDP, 0, ("192.0.2.101", 5060))
BOB = Flow(UDP, 0, ("192.0.2.102", 5060))


def message(call_id: str = "one") -> bytes:
    return f"OPTIONS sip:example.com SIP/2.0\r\nFrom: <sip:alice@example.com>\r\nCall-ID: {call_id}\r\n\r\n".encode()


def seen(mirror: MessageCapture) -> list[tuple[str, str, str]]:
    return [(row.direction, row.remote, row.call_id) for row in mirror.take()]


def test_it_shows_what_comes_and_goes() -> None:
    mirror = MessageCapture("", "", 10, 60.0, lambda: LISTENERS)
    mirror.received([(message(), ALICE)], 1.0)
    mirror.sent([Outgoing(b"SIP/2.0 200 OK\r\nCall-ID: one\r\n\r\n", ALICE)], 1.1)
    assert seen(mirror) == [("in", "192.0.2.101:5060", "one"), ("out", "192.0.2.101:5060", "one")]
    assert seen(mirror) == []


def test_it_shows_what_was_asked_for() -> None:
    by_address = MessageCapture("192.0.2.102", "", 10, 60.0, lambda: LISTENERS)
    by_call = MessageCapture("", "two", 10, 60.0, lambda: LISTENERS)
    by_user = MessageCapture("alice@example.com", "", 10, 60.0, lambda: LISTENERS)
    for mirror in (by_address, by_call, by_user):
        mirror.received([(message(), ALICE), (message("two"), BOB), (b"\r\n\r\n", ALICE)], 1.0)
    assert seen(by_address) == [("in", "192.0.2.102:5060", "two")]
    assert seen(by_call) == [("in", "192.0.2.102:5060", "two")]
    assert len(seen(by_user)) == 2


def test_it_is_bounded_in_number_and_time() -> None:
    few = MessageCapture("", "", 3, 60.0, lambda: LISTENERS)
    few.received([(message(), ALICE)] * 5, 1.0)
    assert (len(few.take()), few.missed, few.is_over(0.0)) == (3, 2, True)
    many = MessageCapture("", "", 10_000, 60.0, lambda: LISTENERS)
    many.received([(message(), ALICE)] * (PER_SECOND_MAX + 5), 1.0)
    assert (len(many.take()), many.missed) == (PER_SECOND_MAX, 5)
    many.received([(message(), ALICE)], 2.0)
    assert len(many.take()) == 1
    assert not many.is_over(59.0) and many.is_over(60.0)
