"""What of a record travels to another node, and what becomes of its times."""

from __future__ import annotations

from appliance.location.binding import Binding
from appliance.location.binding_records import decode_address, encode_address
from appliance.location.record_transfer import part_made_by, shifted
from appliance.location.record_version import next_version
from tests.location.bindings import BOB, WALL, binding


def made_on(node: int, uri: bytes) -> Binding:
    one = binding(uri)
    one.version = next_version(WALL, node, 0)
    return one


def test_a_record_that_was_made_here_travels_as_it_is() -> None:
    record = encode_address(BOB, [made_on(3, b"sip:bob@192.0.2.4"), made_on(3, b"sip:bob@192.0.2.5")], 9)
    assert part_made_by(record, 3) == record


def test_what_another_node_made_does_not_travel() -> None:
    record = encode_address(BOB, [made_on(3, b"sip:bob@192.0.2.4")], 9)
    assert part_made_by(record, 2) == b""


def test_of_two_nodes_each_sends_its_own() -> None:
    record = encode_address(BOB, [made_on(2, b"sip:bob@192.0.2.4"), made_on(3, b"sip:bob@192.0.2.5")], 9)
    assert [each.uri for each in decode_address(part_made_by(record, 2))] == [b"sip:bob@192.0.2.4"]
    assert [each.uri for each in decode_address(part_made_by(record, 3))] == [b"sip:bob@192.0.2.5"]


def test_times_are_shifted_and_a_tombstone_stays_one() -> None:
    record = encode_address(BOB, [binding(), binding(b"sip:bob@192.0.2.5", lasts_s=0.0)], 9)
    live, dead = decode_address(shifted(record, -100.0))
    assert (live.expires_at, live.forget_at) == (WALL + 3500.0, WALL + 3500.0)
    assert dead.expires_at <= 0
    assert dead.forget_at == WALL + 3500.0
