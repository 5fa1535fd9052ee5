"""Secrets of operators, kept as scrypt hashes (RFC 7914): `scrypt:N:r:p:SALT:HASH`, salt and hash in hexadecimal.

The cost is part of the text, so that it can rise without making old hashes wrong; it is bounded, so that
no hash can occupy the appliance for a minute.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hmac import compare_digest
from typing import Final

from appliance.catalogue.errors import ValueFault
from appliance.catalogue.redaction import HIDDEN

COST: Final = 16384
BLOCK_SIZE: Final = 8
PARALLEL: Final = 1
COST_MAX: Final = 1 << 17
MEMORY_MAX: Final = 512 * 1024 * 1024
HASH_LEN: Final = 32

_HASH = re.compile(r"scrypt:([0-9]{4,6}):(8):(1):([0-9a-f]{16,64}):([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class SecretHash:
    """A hashed secret; "" for none."""

    placeholder: str = "HASH"
    range_text: str = "scrypt:N:8:1:SALT:HASH, as `hash-secret` makes it"

    def read(self, words: Sequence[str]) -> str:
        if len(words) != 1:
            raise ValueFault("a hash is one word", f"type {self.range_text}", min(len(words), 1))
        word = words[0]
        # Hidden in a draft: configuration/hidden_values.py.
        if word and word != HIDDEN and not _is_hash(word):
            raise ValueFault("invalid hash", f"type {self.range_text}")
        return word

    def write(self, value: str) -> list[str]:
        return [value]


def _is_hash(word: str) -> bool:
    match = _HASH.fullmatch(word)
    if match is None:
        return False
    cost = int(match[1])
    return cost <= COST_MAX and cost & (cost - 1) == 0


def hash_of(secret: str, salt: bytes) -> str:
    """The hash to keep; `salt` is random, 16 octets."""
    return f"scrypt:{COST}:{BLOCK_SIZE}:{PARALLEL}:{salt.hex()}:{_derived(secret, salt, COST).hex()}"


def is_secret(secret: str, kept: str) -> bool:
    """Is it the secret that was hashed? Takes tens of milliseconds, on purpose."""
    match = _HASH.fullmatch(kept)
    if match is None:
        return False
    return compare_digest(_derived(secret, bytes.fromhex(match[4]), int(match[1])), bytes.fromhex(match[5]))


def _derived(secret: str, salt: bytes, cost: int) -> bytes:
    octets = secret.encode("utf-8", "surrogateescape")
    return hashlib.scrypt(
        octets, salt=salt, n=cost, r=BLOCK_SIZE, p=PARALLEL, maxmem=MEMORY_MAX, dklen=HASH_LEN
    )
