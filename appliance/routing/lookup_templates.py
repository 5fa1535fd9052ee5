"""What a lookup asks: values put into a filter, a URL or a query, escaped so that they stay values.

A called number is what a stranger has dialled. It has digits, `*`, `#` and `+` only (called_number.py), and each of
these means something somewhere: `*` is any text in a filter of LDAP, `#` and `+` end or change a URL.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

_PLACEHOLDER: Final = re.compile(r"\{([a-z]+)\}")
# RFC 4515 3: what has to be escaped in a value; and all that is not plain, which may be.
_LDAP_PLAIN: Final = re.compile(r"[A-Za-z0-9]")


@dataclass(frozen=True, slots=True)
class LookupValues:
    """What a lookup is asked for (catalogue/lookup_values.py)."""

    number: str
    caller: str = ""
    domain: str = ""

    @property
    def digits(self) -> str:
        """The number without +."""
        return self.number.removeprefix("+")

    def by_name(self) -> dict[str, str]:
        """All of them, by the names of their placeholders."""
        return {"number": self.number, "digits": self.digits, "caller": self.caller, "domain": self.domain}


def filled(template: str, values: LookupValues, escape: Callable[[str], str]) -> str:
    """The template with the values in place of their names."""
    named = values.by_name()
    return _PLACEHOLDER.sub(lambda found: escape(named[found[1]]), template)


def in_ldap_filter(value: str) -> str:
    """RFC 4515 3: a value of an assertion; all but letters and digits as `\\` and two hexadecimal digits an octet."""
    return "".join(
        character if _LDAP_PLAIN.match(character) else "".join(f"\\{octet:02x}" for octet in character.encode())
        for character in value
    )


def in_url(value: str) -> str:
    """RFC 3986 2.3: all but unreserved characters as `%` and two hexadecimal digits an octet."""
    return quote(value, safe="")


def in_whois_query(value: str) -> str:
    """RFC 1835 2.2.2.2: a search string in which every character that may mean something has `\\` before it."""
    return "".join(
        character if character.isascii() and character.isalnum() else f"\\{character}" for character in value
    )
