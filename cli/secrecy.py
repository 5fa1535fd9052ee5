"""Secrets on the command line: hashed before they get anywhere, and kept out of the history.

Knows nothing of which settings are secrets but by their kind.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from hashlib import scrypt
from typing import Any

from appliance.catalogue.declaration import Setting
from cli.setting_grammar import VALUE, is_hashed

SALT_LEN = 16
COST = 16384
MEMORY_MAX = 64 * 1024 * 1024
_SECRET_WORD = re.compile(r"\b(secret|password)\s+\S", re.IGNORECASE)


def is_secret_line(text: str) -> bool:
    """Does the line hold a password or a secret?"""
    return bool(_SECRET_WORD.search(text))


def hashed_where_secret(setting: Setting, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """The arguments with the hash in place of a secret typed in plain text; a hash stays as it is."""
    value = arguments.get(VALUE)
    if not is_hashed(setting.kind) or not isinstance(value, str) or value.startswith("scrypt:"):
        return arguments
    return {**arguments, VALUE: hash_of(value)}


def hash_of(secret: str) -> str:
    """The scrypt hash of a secret (RFC 7914), with a fresh salt."""
    salt = os.urandom(SALT_LEN)
    derived = scrypt(secret.encode(), salt=salt, n=COST, r=8, p=1, maxmem=MEMORY_MAX, dklen=32)
    return f"scrypt:{COST}:8:1:{salt.hex()}:{derived.hex()}"
