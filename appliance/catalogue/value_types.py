"""Kinds of value: how each is typed, checked, and printed.

A kind has one rule of what is right: `read`. A value is right when what `write` prints reads back
as the same value, so that text and settings can never disagree (`accepts`).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from appliance.catalogue.errors import ValueFault, alternatives, nearest

# RFC 1123 2.1: labels of letters, digits and hyphens, no hyphen at either end.
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,31}(?:/[A-Za-z0-9_+-]{1,31}){0,2}")
DOMAIN_LEN_MAX = 253


class Kind(Protocol):
    """What a setting's value may be."""

    @property
    def placeholder(self) -> str:
        """What stands for the value in help: `SECONDS`, `udp | tcp`."""

    @property
    def range_text(self) -> str:
        """What is allowed, in words: `60 to 86400 seconds`."""

    def read(self, words: Sequence[str]) -> Any:
        """The value of the words after the keyword. Raises ValueFault."""

    def write(self, value: Any) -> list[str]:
        """The words for the value: `read(write(value)) == value`."""


def accepts(kind: Kind, value: Any) -> bool:
    """Is `value` one that the kind allows?"""
    try:
        return bool(kind.read(kind.write(value)) == value)
    except (ValueError, TypeError, AttributeError):
        return False


def _single(words: Sequence[str], placeholder: str) -> str:
    if not words:
        raise ValueFault("a value is missing", f"type {placeholder} after it")
    if len(words) > 1:
        raise ValueFault(f'"{words[1]}" is not expected here', f"type one value: {placeholder}", 1)
    return words[0]


@dataclass(frozen=True, slots=True)
class Switch:
    """On by its word alone, off by `no` and the word."""

    placeholder: str = ""
    range_text: str = "on or off"

    def read(self, words: Sequence[str]) -> bool:
        if words:
            raise ValueFault(f'"{words[0]}" is not expected here', "type the word alone, or `no` before it")
        return True

    def write(self, value: bool) -> list[str]:
        return []


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number from `least` to `most`; `zero_word`, where there is one, stands for 0."""

    least: int
    most: int
    unit: str = ""
    zero_word: str = ""

    @property
    def placeholder(self) -> str:
        name = self.unit.upper() or "NUMBER"
        return f"{self.zero_word} | {name}" if self.zero_word else name

    @property
    def range_text(self) -> str:
        numbers = f"{self.least} to {self.most}{' ' + self.unit if self.unit else ''}"
        return f"{self.zero_word}, or {numbers}" if self.zero_word else numbers

    def read(self, words: Sequence[str]) -> int:
        word = _single(words, self.placeholder)
        if self.zero_word and word.lower() == self.zero_word:
            return 0
        if not re.fullmatch(r"-?[0-9]{1,18}", word, re.ASCII):
            raise ValueFault(f'"{word}" is not a whole number', f"type {self.range_text}")
        number = int(word)
        if not self.least <= number <= self.most:
            raise ValueFault(f"{number} is out of range", f"type {self.range_text}")
        return number

    def write(self, value: int) -> list[str]:
        return [self.zero_word if self.zero_word and value == 0 else str(value)]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words. `helps`: one for each word. `former`: pairs of an old word and the one it is read as."""

    words: tuple[str, ...]
    helps: tuple[str, ...] = ()
    former: tuple[tuple[str, str], ...] = ()

    @property
    def placeholder(self) -> str:
        return " | ".join(self.words)

    @property
    def range_text(self) -> str:
        return alternatives(self.words)

    def read(self, words: Sequence[str]) -> str:
        word = _single(words, self.placeholder)
        return read_choice(dict(self.former).get(word.lower(), word), self.words)

    def write(self, value: str) -> list[str]:
        return [value]


def helps_of(kind: Kind) -> list[tuple[str, str]]:
    """(word, help) of each value of a choice; [] for any other kind."""
    return list(zip(kind.words, kind.helps, strict=False)) if isinstance(kind, Choice | Choices) else []


def read_choice(word: str, choices: Sequence[str], place: int = 0) -> str:
    """The choice that `word` names, in any case or abbreviated as far as it stays unique. Raises ValueFault."""
    lower = word.lower()
    meant = [choice for choice in choices if choice.lower().startswith(lower)]
    whole = [choice for choice in meant if len(choice) == len(word)]
    if whole or len(meant) == 1:
        return (whole or meant)[0]
    if meant:
        raise ValueFault(f'"{word}" is ambiguous: {alternatives(meant)}', "type more letters", place)
    near = nearest(word, choices)
    hint = f'did you mean "{near}"? ' if near else ""
    raise ValueFault(f'"{word}" is unknown', f"{hint}type {alternatives(choices)}", place)


@dataclass(frozen=True, slots=True)
class Choices:
    """One or more of a few words, each at most once, in the order of preference. `values` are what they stand for,
    `helps`: the meaning of each word.
    """

    words: tuple[str, ...]
    values: tuple[Any, ...]
    helps: tuple[str, ...] = ()

    @property
    def placeholder(self) -> str:
        return " | ".join(self.words) + " ..."

    @property
    def range_text(self) -> str:
        return f"one or more of {', '.join(self.words)}"

    def read(self, words: Sequence[str]) -> tuple[Any, ...]:
        if not words:
            raise ValueFault("a value is missing", f"type {self.range_text}")
        chosen = [read_choice(word, self.words, place) for place, word in enumerate(words)]
        for place, word in enumerate(chosen):
            if word in chosen[:place]:
                raise ValueFault(f'"{word}" is present twice', "type it once", place)
        return tuple(self.values[self.words.index(word)] for word in chosen)

    def write(self, value: tuple[Any, ...]) -> list[str]:
        return [self.words[self.values.index(item)] for item in value]


@dataclass(frozen=True, slots=True)
class Name:
    """A name that an operator gives to a thing; `is_optional` allows none ("")."""

    is_optional: bool = False
    placeholder: str = "NAME"
    range_text: str = "up to 32 letters, digits, hyphens, dots and underscores"

    def read(self, words: Sequence[str]) -> str:
        word = _single(words, self.placeholder)
        if not word and self.is_optional:
            return ""
        if not _NAME.fullmatch(word):
            raise ValueFault(f'"{word}" is not a name', f"type {self.range_text}")
        return word

    def write(self, value: str) -> list[str]:
        return [value]


@dataclass(frozen=True, slots=True)
class FilePath:
    """The absolute path of a file; "" for none."""

    placeholder: str = "FILE"
    range_text: str = "an absolute path of up to 255 characters"

    def read(self, words: Sequence[str]) -> str:
        word = _single(words, self.placeholder)
        if word and (not word.startswith("/") or len(word) > 255 or not (word.isascii() and word.isprintable())):
            raise ValueFault(f'"{word}" is not an absolute path', f"type {self.range_text}")
        return word

    def write(self, value: str) -> list[str]:
        return [value]


@dataclass(frozen=True, slots=True)
class Address:
    """An IPv4 or IPv6 address, kept in its canonical form without brackets; `is_optional` allows none ("")."""

    is_optional: bool = False
    placeholder: str = "ADDRESS"
    range_text: str = "an IPv4 or IPv6 address"

    def read(self, words: Sequence[str]) -> str:
        word = _single(words, self.placeholder)
        if not word and self.is_optional:
            return ""
        try:
            return ipaddress.ip_address(without_brackets(word)).compressed
        except ValueError:
            remedy = "type an IPv4 address such as 192.0.2.1 or an IPv6 address such as 2001:db8::1"
            raise ValueFault(f'"{word}" is not an IP address', remedy) from None

    def write(self, value: str) -> list[str]:
        return [value]


def without_brackets(word: str) -> str:
    """`[::1]` as `::1`; anything else as it is."""
    return word[1:-1] if word.startswith("[") and word.endswith("]") else word


@dataclass(frozen=True, slots=True)
class Host:
    """A domain name or an address, in lower case. An IPv6 address is kept with brackets, as it stands in a SIP URI
    (RFC 3261 25.1 `host`), where `is_bracketed`. `is_optional` allows none ("")."""

    is_bracketed: bool = False
    is_optional: bool = False
    placeholder: str = "HOST"
    range_text: str = "a domain name or an IP address"

    def read(self, words: Sequence[str]) -> str:
        word = _single(words, self.placeholder)
        if not word and self.is_optional:
            return ""
        try:
            address = ipaddress.ip_address(without_brackets(word))
        except ValueError:
            return _read_domain(word)
        return f"[{address.compressed}]" if self.is_bracketed and address.version == 6 else address.compressed

    def write(self, value: str) -> list[str]:
        return [value]


@dataclass(frozen=True, slots=True)
class NetworkOrDomain:
    """An IP network, or a domain name with all below it. An address alone is the network that has only it."""

    placeholder: str = "NETWORK | DOMAIN"
    range_text: str = "a network such as 10.0.0.0/8 or 2001:db8::/32, or a domain name"

    def read(self, words: Sequence[str]) -> str:
        word = _single(words, self.placeholder)
        try:
            return str(ipaddress.ip_network(without_brackets(word)))
        except ValueError:
            if "/" in word or ":" in word:
                raise ValueFault(f'"{word}" is not a network', f"type {self.range_text}") from None
            return _read_domain(word)

    def write(self, value: str) -> list[str]:
        return [value]


def _read_domain(word: str) -> str:
    name = word.lower().removesuffix(".")
    labels = name.split(".")
    if len(name) > DOMAIN_LEN_MAX or not all(_LABEL.fullmatch(label) for label in labels):
        remedy = "type a domain name such as example.com, or an IP address"
        raise ValueFault(f'"{word}" is not a domain name', remedy)
    # RFC 3261 25.1 toplabel: without this rule 192.0.2.300 would be a name.
    if not labels[-1][0].isalpha():
        raise ValueFault(f'"{word}" is neither an address nor a domain name', "type all four numbers from 0 to 255")
    return name


@dataclass(frozen=True, slots=True)
class Text:
    """Printable text; it stands in double quotes when it has spaces."""

    len_max: int
    placeholder: str = "TEXT"

    @property
    def range_text(self) -> str:
        return f"up to {self.len_max} printable ASCII characters"

    def read(self, words: Sequence[str]) -> str:
        word = _single(words, self.placeholder)
        if len(word) > self.len_max or not (word.isascii() and (word.isprintable())):
            raise ValueFault("invalid text", f"type {self.range_text}")
        return word

    def write(self, value: str) -> list[str]:
        return [value]


@dataclass(frozen=True, slots=True)
class Remark:
    """Printable text of one or more words."""

    len_max: int
    placeholder: str = "TEXT"

    @property
    def range_text(self) -> str:
        return f"up to {self.len_max} printable ASCII characters"

    def read(self, words: Sequence[str]) -> str:
        if not words:
            raise ValueFault("a value is missing", f"type {self.placeholder} after it")
        text = " ".join(words)
        if len(text) > self.len_max or not (text.isascii() and text.isprintable()):
            raise ValueFault("invalid text", f"type {self.range_text}")
        return text

    def write(self, value: str) -> list[str]:
        return [value]


@dataclass(frozen=True, slots=True)
class TimeZone:
    """The name of a time zone as the IANA database has it; "" for that of the machine."""

    placeholder: str = "ZONE"
    range_text: str = "the name of a time zone, such as Europe/Berlin or UTC"

    def read(self, words: Sequence[str]) -> str:
        word = _single(words, self.placeholder)
        if word and not _ZONE.fullmatch(word):
            raise ValueFault(f'"{word}" is not the name of a time zone', f"type {self.range_text}")
        return word

    def write(self, value: str) -> list[str]:
        return [value]


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """Where the subscribers are: "" for the SQLite file in the state folder."""

    placeholder: str = "URL"
    range_text: str = "sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE"

    def read(self, words: Sequence[str]) -> str:
        word = _single(words, self.placeholder)
        if not word:
            return ""
        if not word.isprintable() or not _is_database(word):
            raise ValueFault("unsupported database URL", f"type {self.range_text}")
        return word

    def write(self, value: str) -> list[str]:
        return [value]


def _is_database(word: str) -> bool:
    try:
        parts = urlsplit(word)
        is_host_right = parts.port is None or bool(parts.hostname)
    except ValueError:
        return False
    if parts.scheme == "sqlite":
        return word.startswith("sqlite:///") and len(parts.path) > 1
    return parts.scheme == "postgresql" and word.startswith("postgresql://") and is_host_right
