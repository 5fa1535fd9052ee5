"""Secrets taken out of a text: the one place for all that is shown, logged and archived.

Of a URL the password goes, and every value of the query that is not known to be harmless: libpq takes `?password=`,
`?sslpassword=` and others there. A password may hold `/`, `@` or spaces that are not escaped, so all between the first
colon and the last `@` of the URL is taken for it.
"""

from __future__ import annotations

import re
from itertools import count
from typing import Final

HIDDEN: Final = "<hidden>"
_HIDDEN = re.compile(r"(?:^|[ :=])<hidden(?:-[0-9]+)?>")
_HASH = re.compile(r"scrypt:[0-9a-fA-F:]+")
# Of SNMP: keys of users, and communities.
_SNMP_KEYS = re.compile(r"(\b(?:sha1|sha256) key) [0-9a-fA-F]+ [0-9a-fA-F]+")
_COMMUNITY = re.compile(r"(\bcommunity) (?!`)\S+")
# Quoted to the closing quote, else to the next space.
_URL = re.compile(r'(?<=")[A-Za-z][A-Za-z0-9+.\-]*://[^"\n]*|[A-Za-z][A-Za-z0-9+.\-]*://[^\s"]+')
_VALUE = re.compile(r"([?&])([^=&?]*)=([^&]*)")
_HARMLESS: Final = frozenset(
    ("application_name", "connect_timeout", "host", "port", "sslmode", "target_session_attrs", "timeout")
)


def without_secrets(text: str) -> str:
    """The text with hashes of passwords, keys and communities, and what is secret in URLs, hidden.

    Communities have numbers from the second on: lines that differ shall not look alike.
    """
    numbers = count(1)
    return loggable(_COMMUNITY.sub(lambda found: f"{found[1]} {_numbered(next(numbers))}", text))


def loggable(text: str) -> str:
    """A sentence with hashes, keys and what is secret in URLs hidden, whatever its origin.

    A community cannot be told from other words: lines of a configuration go through `without_secrets` before they
    become part of a sentence.
    """
    return without_url_secrets(_HASH.sub(HIDDEN, _SNMP_KEYS.sub(rf"\1 {HIDDEN} {HIDDEN}", text)))


def _numbered(number: int) -> str:
    return HIDDEN if number == 1 else f"{HIDDEN[:-1]}-{number}>"


def is_hidden(text: str) -> bool:
    """Is there something in it that was hidden?"""
    return _HIDDEN.search(text) is not None


def without_url_secrets(text: str) -> str:
    """The text with what is secret in its URLs hidden."""
    return _URL.sub(lambda found: _hidden(found[0]), text) if "://" in text else text


def _hidden(url: str) -> str:
    scheme, _, rest = url.partition("://")
    before, at, after = rest.rpartition("@")
    user, colon, _ = before.partition(":")
    if at and colon:
        rest = f"{user}:{HIDDEN}@{after}"
    return f"{scheme}://{_VALUE.sub(_hidden_value, rest)}"


def _hidden_value(found: re.Match[str]) -> str:
    mark, name, value = found[1], found[2], found[3]
    return f"{mark}{name}={value if name.lower() in _HARMLESS else HIDDEN}"
