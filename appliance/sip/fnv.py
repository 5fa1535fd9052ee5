"""FNV-1a: a checksum of a short text, 32 bits (Fowler, Noll and Vo), made without a table.

It has no key: it distinguishes texts, and proves nothing.
"""

from __future__ import annotations

from typing import Final

BEGIN: Final = 2166136261
_PRIME: Final = 16777619
_MASK: Final = 0xFFFFFFFF


def fnv(text: bytes, begin: int = BEGIN) -> int:
    """The checksum, 0..2**32-1. begin: that of a text which comes before this one."""
    folded, prime, mask = begin, _PRIME, _MASK
    for octet in text:
        folded = ((folded ^ octet) * prime) & mask
    return folded
