"""SipHash-2-4: a keyed function of a short text, 64 bits (Aumasson and Bernstein, 2012).

Without the key a value can be neither predicted nor forged. For texts of the size of a Via it costs a tenth of what
a cryptographic hash does, most of which is its beginning and its end.
"""

from __future__ import annotations

from typing import Final

_WORD: Final = 0xFFFFFFFFFFFFFFFF
# What the state begins with: "somepseudorandomlygeneratedbytes" in the paper.
_BEGIN_0: Final = 0x736F6D6570736575
_BEGIN_1: Final = 0x646F72616E646F6D
_BEGIN_2: Final = 0x6C7967656E657261
_BEGIN_3: Final = 0x7465646279746573
_FINAL: Final = 0xFF


class SipHash:
    """The function of one key of 16 octets. Raises ValueError for another length."""

    __slots__ = ("_high", "_low")

    def __init__(self, key: bytes) -> None:
        if len(key) != 16:
            raise ValueError(f"a key of {len(key)} octets")
        self._low = int.from_bytes(key[:8], "little")
        self._high = int.from_bytes(key[8:], "little")

    def of(self, text: bytes) -> int:
        """The value of a text, 0..2**64-1."""
        v0 = self._low ^ _BEGIN_0
        v1 = self._high ^ _BEGIN_1
        v2 = self._low ^ _BEGIN_2
        v3 = self._high ^ _BEGIN_3
        size = len(text)
        blocks = size // 8 + 1
        for block in range(blocks + 1):
            word = _word_at(text, 8 * block, size)
            rounds = 2
            if block == blocks:
                v2 ^= _FINAL
                rounds = 4
            v3 ^= word
            for _ in range(rounds):
                v0 = (v0 + v1) & _WORD
                v1 = (v1 << 13 & _WORD | v1 >> 51) ^ v0
                v0 = v0 << 32 & _WORD | v0 >> 32
                v2 = (v2 + v3) & _WORD
                v3 = (v3 << 16 & _WORD | v3 >> 48) ^ v2
                v0 = (v0 + v3) & _WORD
                v3 = (v3 << 21 & _WORD | v3 >> 43) ^ v0
                v2 = (v2 + v1) & _WORD
                v1 = (v1 << 17 & _WORD | v1 >> 47) ^ v2
                v2 = v2 << 32 & _WORD | v2 >> 32
            v0 ^= word
        return v0 ^ v1 ^ v2 ^ v3


def _word_at(text: bytes, at: int, size: int) -> int:
    """Eight octets, the lowest first; the last word ends with the length, and after it there is 0."""
    if at > size:
        return 0
    octets = text
    end = at + 8
    word = 0
    if end > size:
        end = size
        word = size & 0xFF
        word <<= 8 * (7 - (end - at))
    while end > at:
        end -= 1
        word = word << 8 | octets[end]
    return word
