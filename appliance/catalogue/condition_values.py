"""The kinds of values that the condition of a route is made of: callers, customers, methods, media."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from appliance.catalogue.errors import ValueFault
from appliance.catalogue.value_types import Host

_CALLER: Final = re.compile(r"(?=.)\+?[0-9*#]{0,31}")
_USER: Final = re.compile(r"[!-?A-~]{1,64}")
# Methods in use, and the encoding names of RFC 4855.
_TOKEN: Final = re.compile(r"[A-Za-z][A-Za-z0-9.+_-]{0,31}|[0-9]{3,4}[A-Za-z0-9-]{1,28}")


@dataclass(frozen=True, slots=True)
class CallerPrefix:
    """The first digits of a caller's number."""

    placeholder: str = "PREFIX"
    range_text: str = "up to 31 digits, * or #, with + in front of a global number"

    def read(self, words: Sequence[str]) -> str:
        word = " ".join(words)
        if not _CALLER.fullmatch(word):
            raise ValueFault(f'"{word[:60]}" is not the beginning of a number', f"type {self.range_text}")
        return word

    def write(self, value: str) -> list[str]:
        return [value]


@dataclass(frozen=True, slots=True)
class Customer:
    """A domain, or one address in it."""

    placeholder: str = "DOMAIN | USER@DOMAIN"
    range_text: str = "a domain such as example.com, or an address such as alice@example.com"

    def read(self, words: Sequence[str]) -> str:
        word = " ".join(words)
        user, at, domain = word.rpartition("@")
        if at and not _USER.fullmatch(user):
            raise ValueFault(f'"{word[:60]}" is not an address', f"type {self.range_text}")
        return user + at + Host(is_bracketed=True).read([domain])

    def write(self, value: str) -> list[str]:
        return [value]


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a protocol, kept in upper or in lower case."""

    placeholder: str
    range_text: str
    is_upper: bool = False

    def read(self, words: Sequence[str]) -> str:
        word = " ".join(words)
        if not _TOKEN.fullmatch(word):
            raise ValueFault(f'"{word[:60]}" is not {self.placeholder}', f"type {self.range_text}")
        return word.upper() if self.is_upper else word.lower()

    def write(self, value: str) -> list[str]:
        return [value]


METHOD: Final = Token("METHOD", "the method of a request, such as INVITE or MESSAGE", is_upper=True)
MEDIA: Final = Token("CODEC | TYPE", "a codec such as PCMU, or a type of media such as video")
