"""The events that an operator watches: those of a user, bounded in number and time."""

from __future__ import annotations

import pytest

from appliance.catalogue.counters import COUNTERS, EVENTS_DROPPED
from appliance.proxy.events import (
    CallAnswered,
    CallCancelled,
    CallFailed,
    CallStarted,
    ContactChange,
    Event,
    RegistrationChanged,
)
from appliance.transport.flow import TCP, UDP, Flow
from appliance.workers.event_watch import PER_SECOND_MAX, TEXT_LEN_MAX, EventWatch, address_of

SOURCE = Flow(UDP, 0, ("192.0.2.101", 5060))
CALL = (
    b"call-1", b"sip:alice@example.com", b"sip:bob@example.com;user=phone", b"a", b"", b"", b"sip:bob@192.0.2.1",
    SOURCE,
)  # fmt: skip
CONTACT = RegistrationChanged(
    2.0, b"sip:carol@example.com", b"sip:carol@[2001:db8::7]", ContactChange.REFRESHED, 600, b"", 0, b"reg", 1,
    ("2001:db8::7", 5070), b"phone/1", False,
)  # fmt: skip


def watch(user: str = "") -> EventWatch:
    return EventWatch(user, 60.0, [0] * len(COUNTERS))


def kinds(one: EventWatch, *events: Event) -> list[str]:
    one.receive(events)
    return [row.event for row in one.take()]


def test_each_event_is_a_row() -> None:
    one = watch()
    hop = Flow(TCP, 0, ("2001:db8::9", 5060))
    one.receive(
        [
            CallStarted(1.0, *CALL),
            CallAnswered(1.1, *CALL, 200, b"sip:bob@[2001:db8::9]", hop),
            CallFailed(1.2, *CALL, 486, b"Busy Here", False),
            CallCancelled(1.3, *CALL, [b"SIP;cause=200", b"Q.850;cause=16"]),
            CONTACT,
        ]
    )
    started, answered, failed, cancelled, refreshed = one.take()
    assert (started.event, started.from_uri, started.source) == (
        "call-started", "sip:alice@example.com", "udp 192.0.2.101:5060",
    )  # fmt: skip
    assert (answered.status, answered.target, answered.hop) == (
        200, "sip:bob@[2001:db8::9]", "tcp [2001:db8::9]:5060",
    )  # fmt: skip
    assert (failed.event, failed.status, failed.reason) == ("call-failed", 486, "Busy Here")
    assert (cancelled.event, cancelled.reason) == ("call-cancelled", "SIP;cause=200, Q.850;cause=16")
    assert (refreshed.event, refreshed.address, refreshed.contact) == (
        "contact-refreshed", "carol@example.com", "sip:carol@[2001:db8::7]",
    )  # fmt: skip
    assert (refreshed.source, refreshed.expires_s) == ("[2001:db8::7]:5070", 600)
    assert one.take() == []


@pytest.mark.parametrize("user", ["alice@example.com", "BOB@Example.com", "sip:bob@example.com", "alice", "bob"])
def test_it_shows_the_calls_of_a_user(user: str) -> None:
    assert kinds(watch(user), CallStarted(1.0, *CALL), CONTACT) == ["call-started"]


def test_it_shows_the_contacts_of_a_user_and_no_more() -> None:
    assert kinds(watch("carol"), CallStarted(1.0, *CALL), CONTACT) == ["contact-refreshed"]
    assert kinds(watch("alice@example.co"), CallStarted(1.0, *CALL), CONTACT) == []
    assert kinds(watch("ali"), CallStarted(1.0, *CALL), CONTACT) == []


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        (b"sip:Alice:secret@Example.com:5060;transport=tcp?x=y", "alice@example.com"),
        (b"sips:bob@[2001:DB8::1]:5061", "bob@[2001:db8::1]"),
        (b"tel:+4930123456;phone-context=x", "+4930123456"),
        (b"", ""),
        (b"nonsense", ""),
    ],
)
def test_an_address_without_what_does_not_name_the_user(uri: bytes, address: str) -> None:
    assert address_of(uri) == address


def test_it_is_bounded_in_number_length_and_time() -> None:
    one = watch()
    one.receive([CallStarted(1.0, *CALL)] * (PER_SECOND_MAX + 5))
    assert (len(one.take()), one.missed) == (PER_SECOND_MAX, 5)
    one.receive([CallStarted(2.0, b"x" * 60000, *CALL[1:])])
    assert [len(row.call_id) for row in one.take()] == [TEXT_LEN_MAX]
    assert not one.is_over(59.0) and one.is_over(60.0)


def test_what_the_stack_dropped_counts_as_missed() -> None:
    counters = [0] * len(COUNTERS)
    counters[EVENTS_DROPPED] = 7
    one = EventWatch("", 60.0, counters)
    counters[EVENTS_DROPPED] = 10
    assert one.missed == 3
