"""Secrets on the command line: hashed before they are stored or sent, and kept out of the history."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from appliance.catalogue.password_hash import hash_of
from appliance.catalogue.setting_declaration import Setting
from appliance.catalogue.value_types import accepts
from cli.catalogue_grammar import VALUE, is_hashed

SALT_LEN = 16
_SECRET_WORD = re.compile(r"\b(secret|password|passphrase)\s+\S", re.IGNORECASE)


def is_secret_line(text: str) -> bool:
    """Does the line hold a password or a secret?"""
    return bool(_SECRET_WORD.search(text))


def hashed_where_secret(setting: Setting, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """The arguments with the hash in place of a secret typed in plain text; a hash stays as it is."""
    value = arguments.get(VALUE)
    if not is_hashed(setting.kind) or value is None or accepts(setting.kind, value):
        return arguments
    return {**arguments, VALUE: hash_of(value, os.urandom(SALT_LEN))}
