"""The octets of the bus: every message comes back as it was, and nothing else gets in."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import fields

import msgpack  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.messages import bus_messages as messages
from appliance.messages.bus_messages import (
    BindingAck,
    BindingChanges,
    BusMessage,
    CallsMoved,
    ConnectionsChanged,
    Drain,
    ForgetSubscriber,
    HandedOver,
    HandedOverTaken,
    Heartbeat,
    InSync,
    Kind,
    OperatorCommand,
    PeerStarted,
    Query,
    QueryAnswer,
    RangeDigests,
    RangeRecords,
    RangeRequest,
    RestartWorker,
    SendByConnection,
    SendFailed,
    SlotsChanged,
    StatusReply,
    StatusRequest,
    Stop,
)
from appliance.messages.codec import FIELDS, FORMAT_VERSION, BusProtocolError, decode, encode
from appliance.messages.slots import deal
from appliance.transport.flow import TCP, UDP, Flow, Outgoing

UDP_FLOW = Flow(UDP, 0, ("2001:db8::1", 5060), -1, 0)
TCP_FLOW = Flow(TCP, 1, ("192.0.2.7", 40001), 1, 77)

MESSAGES: list[BusMessage] = [
    HandedOver(b"INVITE sip:bob@example.com SIP/2.0\r\n\xff\x00", UDP_FLOW, 2),
    SendByConnection(Outgoing(b"SIP/2.0 200 OK\r\n", TCP_FLOW, b"z9hG4bK1")),
    SendFailed(b"z9hG4bK1"),
    PeerStarted(),
    ConnectionsChanged([TCP_FLOW, TCP_FLOW], [UDP_FLOW]),
    Heartbeat(1, [0, 5, 2**40], {"transactions": 12}, 99, True, ["Replication lags."]),
    SlotsChanged(deal([0, 1, 2]), [0, 2]),
    SlotsChanged(deal([0]), [0], [1, 0, 2, 1]),
    CallsMoved([b"one", b"another"], 7),
    Drain(),
    Stop(),
    InSync(),
    StatusRequest(),
    StatusReply({"workers": [{"number": 0, "state": "live", "cpu": 0.5}], "alarms": []}),
    ForgetSubscriber(b"alice"),
    RestartWorker(3),
    OperatorCommand("commit", {"text": "domain example.com\n", "base": 3}),
    Query(7, "registrations", {"limit": 100}),
    QueryAnswer(7, {"total": 2, "rows": [{"aor": "alice@example.com"}]}),
    BindingChanges(2**40, [b"one", b"", b"\x00\xff"]),
    BindingAck(2**40 + 2),
    HandedOverTaken(64),
    RangeDigests([0, 2**64 - 1]),
    RangeRequest([3, 250]),
    RangeRecords(3, [b"record"], True),
]
CLASSES = [
    found
    for found in vars(messages).values()
    if isinstance(found, type) and issubclass(found, BusMessage) and found is not BusMessage
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_comes_back_as_it_was(message: BusMessage) -> None:
    octets = encode(message)
    # Not by `==`, for Outgoing has none.
    assert repr(decode(octets)) == repr(message)
    assert encode(decode(octets)) == octets


def test_every_kind_is_tried_here() -> None:
    assert {message.kind for message in MESSAGES} == set(Kind)


def test_every_class_has_a_row_and_a_kind_of_its_own() -> None:
    assert set(FIELDS) == set(CLASSES)
    assert sorted(message_class.kind for message_class in CLASSES) == sorted(Kind)


@pytest.mark.parametrize("message_class", CLASSES)
def test_a_row_names_the_fields_of_its_class_in_their_order(message_class: type[BusMessage]) -> None:
    assert list(FIELDS[message_class]) == [field.name for field in fields(message_class)]  # type: ignore[arg-type]


def test_a_flow_comes_back_as_a_flow() -> None:
    handed_over = decode(encode(HandedOver(b"x", TCP_FLOW)))
    assert isinstance(handed_over, HandedOver)
    assert handed_over.flow == TCP_FLOW and handed_over.flow.remote == ("192.0.2.7", 40001)


def test_another_version_is_refused() -> None:
    with pytest.raises(BusProtocolError, match="format 2"):
        decode(msgpack.packb([FORMAT_VERSION + 1, int(Kind.STOP)]))


@pytest.mark.parametrize("kind", [999, -1, "13", None, [13], True])
def test_an_unknown_kind_is_refused(kind: object) -> None:
    with pytest.raises(BusProtocolError, match="unknown kind"):
        decode(msgpack.packb([FORMAT_VERSION, kind]))


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (Kind.STOP, [1]),
        (Kind.SEND_FAILED, []),
        (Kind.SEND_FAILED, ["text"]),
        (Kind.BINDING_ACK, [True]),
        (Kind.RANGE_RECORDS, [1, [b"a"], 1]),
        (Kind.RANGE_REQUEST, [["one"]]),
        (Kind.HANDED_OVER, [b"x", [0, 0, "192.0.2.1", 5060, 0]]),
        (Kind.HANDED_OVER, [b"x", [0, 0, b"192.0.2.1", 5060, 0, 0]]),
        (Kind.SLOTS_CHANGED, [[b"short", 1], []]),
        (Kind.HEARTBEAT, [0, [], {"a": "b"}, 1, False, []]),
    ],
)
def test_fields_that_do_not_fit_are_refused(kind: Kind, fields: list[object]) -> None:
    with pytest.raises(BusProtocolError):
        decode(msgpack.packb([FORMAT_VERSION, int(kind), *fields]))


@given(st.binary(max_size=200))
def test_no_octets_raise_anything_else(octets: bytes) -> None:
    with suppress(BusProtocolError):
        decode(octets)


@given(st.sampled_from(MESSAGES), st.integers(0, 400), st.integers(0, 255))
def test_a_damaged_message_raises_nothing_else(message: BusMessage, place: int, octet: int) -> None:
    octets = bytearray(encode(message))
    octets[place % len(octets)] = octet
    with suppress(BusProtocolError):
        decode(bytes(octets))
