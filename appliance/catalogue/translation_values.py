"""The kinds of values that a translation is made of: rules for numbers, header fields, parameters of a URI."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from appliance.catalogue.errors import ValueFault
from appliance.catalogue.number_rewriting import NumberRewriting

FIELD_LEN_MAX: Final = 200
# RFC 3261 25.1
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9.!%*_+`'~-]{0,63}")
_PARAMETER: Final = re.compile(r"[A-Za-z0-9_.!~*'()+-]{1,32}(?:=[A-Za-z0-9_.!~*'()\[\]/:&+$-]{1,64})?")
# By these the message finds its way, belongs to its dialog, proves its sender, or says what its body is: they have
# rules of their own. The compact forms too (RFC 3261 7.3.3).
OWN_HEADERS: Final = frozenset("cefilmtvxy") | {
    *("authorization", "call-id", "contact", "content-encoding", "content-length", "content-type", "cseq", "from"),
    *("identity", "max-breadth", "max-forwards", "min-se", "path", "proxy-authenticate", "proxy-authorization"),
    *("proxy-require", "record-route", "require", "route", "service-route", "session-expires", "to", "via"),
    "www-authenticate",
}
# The URI's transport and the address of its host are those of the next hop.
OWN_PARAMETERS: Final = frozenset(("lr", "maddr", "method", "transport", "ttl"))


@dataclass(frozen=True, slots=True)
class NumberRule:
    """`EXPRESSION REPLACEMENT`, kept as it is printed with one space between."""

    placeholder: str = "EXPRESSION REPLACEMENT"
    range_text: str = (
        "a regular expression without spaces, and digits, letters, + * # - . _ and \\0 to \\9 (groups) in its place"
    )

    def read(self, words: Sequence[str]) -> str:
        if len(words) != 2:
            raise ValueFault("two words are expected", f'type {self.placeholder}, or "" to remove what matches')
        expression, replacement = words
        if " " in expression or not expression.isascii():
            raise ValueFault("the expression has a space, or is not ASCII", f"type {self.range_text}")
        try:
            NumberRewriting(expression, replacement)
        except ValueError as fault:
            raise ValueFault(str(fault), f"type {self.range_text}") from None
        return f"{expression} {replacement}"

    def write(self, value: str) -> list[str]:
        return value.split(" ", 1)


@dataclass(frozen=True, slots=True)
class HeaderName:
    """The name of a header field that a translation may remove."""

    placeholder: str = "NAME"
    range_text: str = "the name of a header field without rules of its own, such as P-Charging-Vector"

    def read(self, words: Sequence[str]) -> str:
        if len(words) != 1:
            raise ValueFault("one name is expected", f"type {self.range_text}")
        return _header_name(words[0])

    def write(self, value: str) -> list[str]:
        return [value]


@dataclass(frozen=True, slots=True)
class HeaderField:
    """`NAME TEXT`: a header field that a translation adds."""

    placeholder: str = "NAME TEXT"
    range_text: str = f"a header field without rules of its own, and up to {FIELD_LEN_MAX} printable ASCII characters"

    def read(self, words: Sequence[str]) -> str:
        if len(words) < 2:
            raise ValueFault("a name and a text are expected", f"type {self.placeholder}")
        name, text = _header_name(words[0]), " ".join(words[1:])
        if not 0 < len(text) <= FIELD_LEN_MAX or not (text.isascii() and text.isprintable()) or text != text.strip():
            raise ValueFault("invalid text", f"type {self.range_text}", 1)
        return f"{name} {text}"

    def write(self, value: str) -> list[str]:
        return value.split(" ", 1)


@dataclass(frozen=True, slots=True)
class UriParameter:
    """`NAME` or `NAME=VALUE`: a parameter of a SIP URI."""

    placeholder: str = "NAME[=VALUE]"
    range_text: str = "a parameter of a URI such as tgrp=east; transport, maddr, ttl, lr and method are not allowed"

    def read(self, words: Sequence[str]) -> str:
        word = words[0] if len(words) == 1 else ""
        if not _PARAMETER.fullmatch(word) or word.partition("=")[0].lower() in OWN_PARAMETERS:
            raise ValueFault(f'"{" ".join(words)[:60]}" is not a parameter', f"type {self.range_text}")
        return word

    def write(self, value: str) -> list[str]:
        return [value]


@dataclass(frozen=True, slots=True)
class UriParameterName:
    """The name of a parameter of a SIP URI."""

    placeholder: str = "NAME"
    range_text: str = "the name of a parameter of a URI, such as user"

    def read(self, words: Sequence[str]) -> str:
        word = UriParameter().read(words)
        if "=" in word:
            raise ValueFault(f'"{word}" has a value', "type the name only")
        return word.lower()

    def write(self, value: str) -> list[str]:
        return [value]


def _header_name(word: str) -> str:
    if not _NAME.fullmatch(word):
        raise ValueFault(f'"{word[:60]}" is not the name of a header field', "type a name such as X-Route")
    if word.lower() in OWN_HEADERS:
        remedy = "type another name: this one has rules of its own"
        raise ValueFault(f"{word} cannot be changed by a translation", remedy)
    return word
