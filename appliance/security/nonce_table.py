"""How large the table of nonce counts is (nonce_counts.pyx): buckets of 64 octets, a power of two of them."""

from __future__ import annotations

from typing import Final

BUCKET_LEN: Final = 64
# Of seven: so few buckets are full before the table holds what it is meant for.
USES_MEANT_PER_BUCKET: Final = 4


def memory_len(uses: int) -> int:
    """Octets of the table that is meant for so many live uses."""
    buckets = 1
    while buckets * USES_MEANT_PER_BUCKET < uses:
        buckets *= 2
    return buckets * BUCKET_LEN
