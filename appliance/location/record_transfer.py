"""Records of addresses on their way to another node: what of them was made here, and their times by another clock.

The registrations of a node live by its own clock (clock.lifetime_clock), which may be apart from that of another node
by as much as the machines were set since. A record is carried literally between clocks that agree, and is shifted
between others, so that a contact ends at the same moment on all nodes.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

from appliance.location.binding_records import (
    aor_of,
    binding_places,
    decode_address,
    encode_bindings,
)
from appliance.location.record_version import NODE_BITS

_VERSION: Final = Struct("<8xQ")  # after the series
_NODE: Final = (1 << NODE_BITS) - 1


def part_made_by(record: bytes, node: int) -> bytes:
    """The record itself, where all of its bindings were made by a node; the record of a change with those that were;
    b"" for none. Raises RecordError.
    """
    places = binding_places(record)
    made = 0
    for start, _ in places:
        version = _VERSION.unpack_from(record, start)[0]
        made += version & _NODE == node
    if made == len(places):
        return record
    if not made:
        return b""
    bindings = [binding for binding in decode_address(record) if binding.version & _NODE == node]
    return encode_bindings(aor_of(record), bindings)


def shifted(record: bytes, seconds: float) -> bytes:
    """The record of the same bindings by a clock that is so much ahead; tombstones stay tombstones. Raises RecordError.
    """
    bindings = decode_address(record)
    for binding in bindings:
        if binding.expires_at > 0:
            binding.expires_at += seconds
        binding.forget_at += seconds
    return encode_bindings(aor_of(record), bindings)
