"""A subscriber, and what can go wrong with a database of them.

A subscriber is a user name, a realm (his domain, or the one realm of all domains) and two HA1 values
(RFC 7616 3.4.2); passwords are not kept.

Apart from the database itself (subscribers.py), so that who only names a subscriber need not load what that takes.
Knows nothing of SQL.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.sip.digest import ha1

FILE_NAME: Final = "subscribers.sqlite3"
FAULTS_MAX: Final = 100

# RFC 3261 25.1 `user` without escapes: what a phone can send as it is typed.
_USERNAME = re.compile(r"[A-Za-z0-9\-_.!~*'()&=+$,;?/]{1,64}")
# RFC 3261 25.1 `quoted-string` without escapes.
_REALM = re.compile(r"[ !#-\[\]-~]{1,128}")
_HEX = re.compile(r"[0-9a-fA-F]+")
PASSWORD_LEN_MAX: Final = 128


class StoreError(Exception):
    """The database cannot answer now. The message is one sentence for the operator, without passwords."""


class ImportFault(ValueError):
    """Rows of a file that cannot be imported: (line, what is wrong), at most FAULTS_MAX. Nothing was imported."""

    def __init__(self, faults: Sequence[tuple[int, str]]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(f"line {line}: {problem}" for line, problem in faults))


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A row. HA1 values are lower-case hexadecimal; `created` is unix time in seconds."""

    username: str
    realm: str
    ha1_md5: bytes
    ha1_sha256: bytes
    created: int


def new_subscriber(username: str, realm: str, password: str, wall_time: float) -> Subscriber:
    """A subscriber with his HA1 values. Raises ValueError with a sentence when a part of it cannot be used."""
    if not _USERNAME.fullmatch(username):
        raise ValueError(f'"{username}" is not a user name: use up to 64 letters, digits and -_.!~*\'()&=+$,;?/')
    if not _REALM.fullmatch(realm):
        raise ValueError(f'"{realm}" is not a domain')
    if not password or len(password) > PASSWORD_LEN_MAX or not password.isprintable():
        raise ValueError(f"the password of {username} must have 1 to {PASSWORD_LEN_MAX} printable characters")
    parts = username.encode(), realm.encode(), password.encode()
    return Subscriber(username, realm, ha1(b"MD5", *parts), ha1(b"SHA-256", *parts), int(wall_time))


def hashed_subscriber(username: str, realm: str, ha1_md5: str, ha1_sha256: str, wall_time: float) -> Subscriber:
    """A subscriber by HA1 values, as they were exported; "" for one that is not known. Raises ValueError."""
    if not _USERNAME.fullmatch(username):
        raise ValueError(f'"{username}" is not a user name: use up to 64 letters, digits and -_.!~*\'()&=+$,;?/')
    if not _REALM.fullmatch(realm):
        raise ValueError(f'"{realm}" is not a domain')
    for value, length in ((ha1_md5, 32), (ha1_sha256, 64)):
        if value and (len(value) != length or not _HEX.fullmatch(value)):
            raise ValueError(f"the hashes of {username} must be {length} hexadecimal digits, as they were exported")
    return Subscriber(username, realm, ha1_md5.lower().encode(), ha1_sha256.lower().encode(), int(wall_time))


def database_path(state_dir: Path) -> Path:
    """The SQLite file of a state folder, which is used where no URL is configured."""
    return (state_dir / FILE_NAME).absolute()
