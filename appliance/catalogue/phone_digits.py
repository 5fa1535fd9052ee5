"""The kinds of values that are digits of telephone numbers or name their scope."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from appliance.catalogue.errors import ValueFault

_CONTEXT: Final = re.compile(r"\+[0-9().-]{1,24}|[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class Digits:
    """Up to `len_max` digits; `is_optional` allows none ("")."""

    len_max: int
    is_optional: bool = False
    placeholder: str = "DIGITS"

    @property
    def range_text(self) -> str:
        return f"up to {self.len_max} digits"

    def read(self, words: Sequence[str]) -> str:
        word = words[0] if len(words) == 1 else " ".join(words)
        if not word and self.is_optional:
            return ""
        if not (word.isascii() and word.isdigit() and len(word) <= self.len_max):
            raise ValueFault(f'"{word}" is not {self.range_text}', f"type {self.range_text}")
        return word

    def write(self, value: str) -> list[str]:
        return [value]


@dataclass(frozen=True, slots=True)
class PhoneContext:
    """A phone-context (RFC 3966 3): a domain, or `+` and the first digits of global numbers."""

    placeholder: str = "CONTEXT"
    range_text: str = "a domain such as example.com, or + and digits such as +1973"

    def read(self, words: Sequence[str]) -> str:
        word = words[0] if len(words) == 1 else " ".join(words)
        if not _CONTEXT.fullmatch(word):
            raise ValueFault(f'"{word}" is not a phone-context', f"type {self.range_text}")
        return word.lower()

    def write(self, value: str) -> list[str]:
        return [value]
