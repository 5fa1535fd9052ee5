"""Digests of address records: two nodes compare them to learn where their registration tables differ.

A digest is made of what two tables have in common once both know the same: everything but the times, which a table
changes itself when a binding ends, and the place in its expiry index. What is forgotten soon is left out, for nodes do
not forget at the same moment. Digests of several records are combined by XOR, in any order.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

from appliance.location.binding_records import aor_of, binding_places
from appliance.sip.siphash import SipHash

_FORGET_AT: Final = Struct("<24xd")  # after series, version and the end
# It is no secret: a digest tells differences, and proves nothing.
_HASH: Final = SipHash(b"signalbox tables")


def digest_of(record: bytes, over_at: float) -> int:
    """64 bits of the bindings that are not forgotten by `over_at` (unix time); 0 where there is none of them.

    Raises RecordError for octets that are not the record of an address.
    """
    digest = 0
    for start, end in binding_places(record):
        forget_at = _FORGET_AT.unpack_from(record, start)[0]
        if forget_at > over_at:
            digest ^= _HASH.of(aor_of(record) + record[start : start + 16] + record[start + 32 : end])
    return digest
