"""Digests of records: equal where two tables know the same, whatever each did to the times."""

from __future__ import annotations

import pytest

from appliance.location.binding_records import RecordError, decode_address, encode_address, with_due
from appliance.location.record_digests import digest_of
from tests.location.bindings import BOB, WALL, binding

PHONE = binding()
DESK = binding(b"sip:bob@192.0.2.9", cseq=7)


def test_the_order_of_bindings_and_the_expiry_index_do_not_matter() -> None:
    record = encode_address(BOB, [PHONE, DESK], 1)
    assert digest_of(record, WALL) == digest_of(encode_address(BOB, [DESK, PHONE], 2), WALL)
    assert digest_of(record, WALL) == digest_of(with_due(record, 9), WALL)


def test_a_binding_that_ended_is_the_same_as_before() -> None:
    """Each node makes it a tombstone by itself."""
    record = encode_address(BOB, [PHONE], 1)
    ended = decode_address(record)
    ended[0].expires_at = 0.0
    assert digest_of(encode_address(BOB, ended, 1), WALL) == digest_of(record, WALL)


def test_another_version_or_content_is_another_digest() -> None:
    digests = {
        digest_of(encode_address(BOB, [one], 1), WALL)
        for one in (PHONE, binding(at=WALL + 1), binding(q=500), binding(b"sip:bob@192.0.2.5"), binding(cseq=2))
    }
    assert len(digests) == 5


def test_the_same_contact_of_another_address_is_another_digest() -> None:
    other = b"sip:alice@biloxi.example.com"
    mine, theirs = encode_address(BOB, [binding()], 1), encode_address(other, [binding(aor=other)], 1)
    assert digest_of(mine, WALL) != digest_of(theirs, WALL)


def test_what_is_forgotten_by_then_does_not_count() -> None:
    record = encode_address(BOB, [PHONE], 1)
    assert digest_of(record, PHONE.forget_at) == 0
    both = encode_address(BOB, [PHONE, binding(b"sip:bob@192.0.2.9", lasts_s=7200.0)], 1)
    assert digest_of(both, PHONE.forget_at) == digest_of(
        encode_address(BOB, [binding(b"sip:bob@192.0.2.9", lasts_s=7200.0)], 1), WALL
    )


@pytest.mark.parametrize("octets", [b"", b"\x02", b"\x07" * 60, encode_address(BOB, [PHONE], 1)[:-1]])
def test_other_octets_have_no_digest(octets: bytes) -> None:
    with pytest.raises(RecordError):
        digest_of(octets, WALL)
