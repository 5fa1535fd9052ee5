"""Changes of bindings as octets: what goes in comes out, and nothing else is taken for a record."""

from __future__ import annotations

import random
import struct
from contextlib import suppress

import pytest

from appliance.location.binding import Binding, BindingChange, new_binding
from appliance.location.binding_records import RecordError, decode_change, encode_change, forget_at_of
from appliance.location.record_version import next_version
from appliance.transport.flow import TCP, Flow
from appliance.transport.process_id import SINGLE_NODE, process_id

WALL = 1_700_000_000.0
AOR = b"sip:bob@example.com"
FIELDS = (
    "aor",
    "key",
    "uri",
    "parameters",
    "q",
    "expires_at",
    "forget_at",
    "call_id",
    "cseq",
    "path",
    "instance",
    "reg_id",
    "flow",
    "source",
    "user_agent",
    "series",
    "version",
)


def binding(uri: bytes = b"sip:bob@192.0.2.4", **changes: object) -> Binding:
    fields: dict[str, object] = {
        "aor": AOR,
        "key": uri,
        "uri": uri,
        "parameters": b";audio",
        "q": 500,
        "expires_at": WALL + 60,
        "forget_at": WALL + 90,
        "call_id": b"c@h",
        "cseq": 2**32 - 1,
        "path": (b"<sip:a;lr>", b"<sip:b;lr>"),
        "instance": b"urn:x",
        "reg_id": 3,
        "flow": Flow(TCP, 1, ("2001:db8::1", 5060), 2, 2**40),
        "source": ("2001:db8::1", 5060),
        "user_agent": b"Phone",
        "series": 1,
        "version": 2**62,
    }
    return new_binding(**(fields | changes))  # type: ignore[arg-type]


def change() -> BindingChange:
    return BindingChange(
        AOR,
        (
            binding(),
            binding(
                b"sip:plain@h", parameters=b"", path=(), instance=b"", reg_id=0, flow=None, source=None, user_agent=b""
            ),
            binding(
                key=b"reg-id=1;urn:x", expires_at=0.0, forget_at=WALL + 1000, flow=None, source=("192.0.2.1", 65535)
            ),
        ),
    )


def test_a_change_comes_back_as_it_was() -> None:
    again = decode_change(encode_change(change()))
    assert again.aor == AOR
    for one, other in zip(again.bindings, change().bindings, strict=True):
        assert [getattr(one, name) for name in FIELDS] == [getattr(other, name) for name in FIELDS]


def test_a_record_says_without_being_opened_when_it_may_be_forgotten() -> None:
    assert forget_at_of(encode_change(change())) == WALL + 1000


def test_a_record_of_a_newer_format_is_refused_by_name() -> None:
    newer = b"\x07" + encode_change(change())[1:]
    for read in (decode_change, forget_at_of):
        with pytest.raises(RecordError, match="format 7"):
            read(newer)


def record_of_format_1(version: int, worker: int) -> bytes:
    """As it was written when the low 8 bits of a version were the number of a worker."""
    head = struct.pack("<BHHd", 1, len(AOR), 1, WALL + 90) + AOR
    fields = struct.pack(
        *("<qqddqIIHHhhhBHHHHHHH", version, version, WALL + 60, WALL + 90, 7, 3, 0, 1000, 5060, TCP, 1, worker),
        *(9, 0, 17, 0, 3, 0, 0, 5),
    )
    return head + fields + b"192.0.2.4" + b"sip:bob@192.0.2.4" + b"c@h" + b"Phone"


def test_records_of_before_nodes_are_read_and_keep_their_order() -> None:
    versions = [int(WALL * 1_000_000) + microsecond << 8 | worker for microsecond in (0, 1) for worker in (0, 3, 255)]
    read = [decode_change(record_of_format_1(version, 2)).bindings[0] for version in versions]
    assert [one.version for one in read] == sorted({one.version for one in read})
    assert [one.made_at() for one in read[::3]] == [WALL, pytest.approx(WALL + 1e-6, abs=1e-7)]
    assert read[0].flow == Flow(TCP, 1, ("192.0.2.4", 5060), process_id(SINGLE_NODE, 2), 7)
    assert (read[0].uri, read[0].call_id, read[0].user_agent) == (b"sip:bob@192.0.2.4", b"c@h", b"Phone")
    assert forget_at_of(record_of_format_1(versions[0], 2)) == WALL + 90


def test_a_record_of_before_nodes_gives_way_to_a_refresh_of_now() -> None:
    old = decode_change(record_of_format_1(int(WALL * 1_000_000) << 8 | 3, 2)).bindings[0]
    assert next_version(WALL, SINGLE_NODE, old.version) > old.version


def test_no_octets_raise_anything_else() -> None:
    record = encode_change(change())
    for end in range(len(record)):
        with pytest.raises(RecordError):
            decode_change(record[:end])
    with pytest.raises(RecordError):
        decode_change(record + b"\0")
    seed = 3
    print("seed", seed)
    rng = random.Random(seed)
    for _ in range(2000):
        spoiled = bytearray(record)
        spoiled[rng.randrange(len(spoiled))] = rng.randrange(256)
        with suppress(RecordError):
            decode_change(bytes(spoiled))
