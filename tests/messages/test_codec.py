"""The octets of the bus: every message comes back as it was, and nothing else gets in."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import msgpack  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.messages.bus_messages import (
    BusMessage,
    CallsMoved,
    HandedOver,
    HandedOverTaken,
    Heartbeat,
    SendFailed,
    SlotsChanged,
    Stop,
)
from appliance.messages.codec import CODECS, FORMAT, BusProtocolError, UnknownMessage, decode, decode_of_node, encode
from appliance.messages.field_codecs import codec_of
from appliance.messages.link_messages import (
    Greeting,
    RecordsTaken,
)
from tests.messages.every_message import MESSAGES, TCP_FLOW


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_comes_back_as_it_was(message: BusMessage) -> None:
    octets = encode(message)
    # Not by `==`, for Outgoing has none.
    assert repr(decode(octets)) == repr(message)
    assert encode(decode(octets)) == octets


def test_every_message_is_tried_here() -> None:
    assert {type(message) for message in MESSAGES} == set(CODECS)


def test_every_class_has_a_number_of_its_own() -> None:
    kinds = [message_class.kind for message_class in CODECS]
    assert sorted(kinds) == sorted(set(kinds))


def test_what_no_codec_is_known_for_is_found_when_the_module_is_loaded() -> None:
    with pytest.raises(TypeError, match="cannot travel on the bus"):
        codec_of(set[int])


@dataclass(slots=True)
class Row:
    name: str
    sizes: list[float]
    by_name: dict[str, list[int]]
    note: str | None = None


def test_a_record_within_a_message_is_an_array_of_its_fields() -> None:
    codec = codec_of(list[Row])
    rows = [Row("a", [1.5], {"x": [1]}), Row("b", [], {}, "late")]
    assert codec.write(rows) == [["a", [1.5], {"x": [1]}, None], ["b", [], {}, "late"]]
    assert codec.read(codec.write(rows)) == rows


@pytest.mark.parametrize(
    "values",
    [["a", [], {}], ["a", [1], {}, None], ["a", [], {"x": ["1"]}, None], ["a", [], {}, 5], [b"a", [], {}, None]],
)
def test_a_record_that_does_not_fit_is_refused(values: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        codec_of(Row).read(values)


def test_a_flow_comes_back_as_a_flow() -> None:
    handed_over = decode(encode(HandedOver(b"x", TCP_FLOW)))
    assert isinstance(handed_over, HandedOver)
    assert handed_over.flow == TCP_FLOW and handed_over.flow.remote == ("192.0.2.7", 40001)


@pytest.mark.parametrize(
    "header", [[FORMAT + 1, Stop.kind, Stop.version], [FORMAT, 999, 1], [FORMAT, -1, 1], [FORMAT, Stop.kind, 2, "more"]]
)
def test_a_message_of_another_version_is_told_from_a_damaged_one(header: list[object]) -> None:
    with pytest.raises(UnknownMessage):
        decode(msgpack.packb(header))


@pytest.mark.parametrize("kind", ["13", None, [13], True])
def test_a_kind_that_is_no_number_is_refused(kind: object) -> None:
    with pytest.raises(BusProtocolError, match="no number") as found:
        decode(msgpack.packb([FORMAT, kind, 1]))
    assert not isinstance(found.value, UnknownMessage)


@pytest.mark.parametrize(
    ("message_class", "fields"),
    [
        (Stop, [1]),
        (SendFailed, []),
        (SendFailed, ["text"]),
        (HandedOverTaken, [True]),
        (CallsMoved, [[b"a"], b"1"]),
        (CallsMoved, [["one"], 1]),
        (HandedOver, [b"x", [0, 0, "192.0.2.1", 5060, 0]]),
        (HandedOver, [b"x", [0, 0, b"192.0.2.1", 5060, 0, 0]]),
        (SlotsChanged, [[b"short", 1], []]),
        (Heartbeat, [0, [], {"a": "b"}, 1, []]),
    ],
)
def test_fields_that_do_not_fit_are_refused(message_class: type[BusMessage], fields: list[object]) -> None:
    with pytest.raises(BusProtocolError):
        decode(msgpack.packb([FORMAT, message_class.kind, message_class.version, *fields]))


def test_a_message_of_a_newer_node_is_read_as_far_as_it_is_known() -> None:
    """Version N and N + 1 of a cluster that is being upgraded: what was added stands at the end."""
    fields = [7, 1024, ["more"], {"and": "more"}]
    octets = msgpack.packb([FORMAT, RecordsTaken.kind, RecordsTaken.version + 1, *fields])
    assert decode_of_node(octets) == RecordsTaken(7, 1024)
    with pytest.raises(UnknownMessage):
        decode(octets)


def test_what_an_older_node_does_not_send_has_its_default() -> None:
    octets = msgpack.packb([FORMAT, Greeting.kind, Greeting.version - 1, 1.5, 7])
    assert decode_of_node(octets) == Greeting(1.5, 7)
    with pytest.raises(UnknownMessage):
        decode_of_node(msgpack.packb([FORMAT, Greeting.kind, Greeting.version - 1, 1.5]))


def test_a_message_of_the_same_version_is_read_strictly() -> None:
    with pytest.raises(BusProtocolError):
        decode_of_node(msgpack.packb([FORMAT, RecordsTaken.kind, RecordsTaken.version, 7, 1024, 5]))


def test_an_unknown_message_of_another_node_is_told_from_a_damaged_one() -> None:
    with pytest.raises(UnknownMessage):
        decode_of_node(msgpack.packb([FORMAT, 999, 1, "anything"]))


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
