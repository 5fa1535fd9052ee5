"""The kinds of values that a lookup is made of: its servers, and what they are asked.

    {number}    the number to route by, in normal form: +49301234567, or 4711
    {digits}    the same without +
    {caller}    the caller's number; empty where he has none
    {domain}    the domain of the Request-URI

A statement of SQL has them as `:number` and so on: the database gets them apart from the statement. Everywhere else
they are escaped as the protocol has it (routing/lookup_templates.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from appliance.catalogue.errors import ValueFault

PLACEHOLDERS: Final = ("number", "digits", "caller", "domain")
SQL, HTTP, LDAP, WHOIS = "sql", "http", "ldap", "whois++"
PROTOCOL_OF_SCHEME: Final = {
    "sqlite": SQL,
    "postgresql": SQL,
    "http": HTTP,
    "https": HTTP,
    "ldap": LDAP,
    "ldaps": LDAP,
    "whois++": WHOIS,
}
TEXT_LEN_MAX: Final = 500
_BRACES: Final = re.compile(r"\{([^{}]*)\}|([{}])")
# Not a cast (`::text`), and not a colon that is escaped.
_PARAMETER: Final = re.compile(r"(?<![:\w\\]):([A-Za-z_]\w*)")
_READING: Final = re.compile(r"(?:select|with|values)\b", re.IGNORECASE)
_ATTRIBUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9;_-]{0,63}")


def scheme_of(url: str) -> str:
    """The scheme of a server's URL, in lower case."""
    return url.partition("://")[0].lower()


def protocol_of(servers: Sequence[str]) -> str:
    """How the servers are asked; "" where there is none, or they differ."""
    found = {PROTOCOL_OF_SCHEME.get(scheme_of(server), "") for server in servers}
    return found.pop() if len(found) == 1 else ""


def placeholders_in(text: str) -> set[str]:
    """The names in braces in a template."""
    return {found[1] for found in _BRACES.finditer(text) if found[1]}


def parameters_in(statement: str) -> set[str]:
    """The names of the parameters of a statement of SQL."""
    return set(_PARAMETER.findall(statement))


def _check_template(text: str) -> None:
    for found in _BRACES.finditer(text):
        if found[1] not in PLACEHOLDERS:
            raise ValueFault(f"{found[0]} is not known", f"type {' '.join(f'{{{name}}}' for name in PLACEHOLDERS)}")


def _text(words: Sequence[str], placeholder: str) -> str:
    text = " ".join(words)
    if not 0 < len(text) <= TEXT_LEN_MAX or not (text.isascii() and text.isprintable()):
        raise ValueFault("a text is expected", f"type {placeholder}: up to {TEXT_LEN_MAX} printable ASCII characters")
    return text


@dataclass(frozen=True, slots=True)
class LookupServer:
    """The URL of a server; that of HTTP may have placeholders."""

    placeholder: str = "URL"
    range_text: str = (
        "sqlite:///FILE, postgresql://USER:PASSWORD@HOST/DATABASE, http://HOST/PATH?number={number}, https://..., "
        "ldap://HOST, ldaps://HOST or whois++://HOST"
    )

    def read(self, words: Sequence[str]) -> str:
        word = words[0] if len(words) == 1 else ""
        protocol = PROTOCOL_OF_SCHEME.get(scheme_of(word), "")
        if "://" not in word or not protocol or len(word) > TEXT_LEN_MAX or not _is_url(word, protocol):
            raise ValueFault(f'"{" ".join(words)[:80]}" is not the URL of a server', f"type {self.range_text}")
        if protocol == HTTP:
            _check_template(word)
        return word

    def write(self, value: str) -> list[str]:
        return [value]


def _is_url(word: str, protocol: str) -> bool:
    if not (word.isascii() and word.isprintable()) or " " in word:
        return False
    try:
        parts = urlsplit(word)
        has_host = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    if scheme_of(word) == "sqlite":
        return word.startswith("sqlite:///") and len(parts.path) > 1
    if protocol == SQL:
        return has_host
    has_placeholder = "{" in parts.netloc
    is_bare = protocol == HTTP or not (parts.path.strip("/") or parts.query or parts.fragment or parts.username)
    return has_host and is_bare and not has_placeholder


@dataclass(frozen=True, slots=True)
class SqlStatement:
    """A statement that reads, with parameters."""

    placeholder: str = "STATEMENT"
    range_text: str = (
        "a SELECT with :number, :digits, :caller or :domain, whose first column is an action of a route table"
    )

    def read(self, words: Sequence[str]) -> str:
        text = _text(words, self.placeholder) if words != ("",) and words != [""] else ""
        unknown = parameters_in(text) - set(PLACEHOLDERS)
        if text and (unknown or not _READING.match(text) or not parameters_in(text)):
            which = f":{min(unknown)} is not known" if unknown else "it does not read by a parameter"
            raise ValueFault(which, f"type {self.range_text}")
        return text

    def write(self, value: str) -> list[str]:
        return [value]


@dataclass(frozen=True, slots=True)
class RowsStatement:
    """A statement that reads the rows of a table, or none ("")."""

    placeholder: str = "STATEMENT"
    range_text: str = "a SELECT without parameters, whose columns are prefix, action and others of a route table"

    def read(self, words: Sequence[str]) -> str:
        if list(words) == [""]:
            return ""
        text = _text(words, self.placeholder)
        if parameters_in(text) or not _READING.match(text):
            which = "it has a parameter" if parameters_in(text) else "it does not begin with SELECT"
            raise ValueFault(which, f"type {self.range_text}")
        return text

    def write(self, value: str) -> list[str]:
        return [value]


@dataclass(frozen=True, slots=True)
class LookupTemplate:
    """A text with placeholders, or none ("")."""

    placeholder: str = "TEXT"
    range_text: str = "a text with {number}, {digits}, {caller} or {domain}"

    def read(self, words: Sequence[str]) -> str:
        if list(words) == [""]:
            return ""
        text = _text(words, self.placeholder)
        _check_template(text)
        return text

    def write(self, value: str) -> list[str]:
        return [value]


@dataclass(frozen=True, slots=True)
class AttributeName:
    """The name of an attribute of a directory."""

    placeholder: str = "NAME"
    range_text: str = "the name of an attribute, such as SIPIdentitySIPURI"

    def read(self, words: Sequence[str]) -> str:
        word = words[0] if len(words) == 1 else ""
        if not _ATTRIBUTE.fullmatch(word):
            raise ValueFault(f'"{" ".join(words)[:60]}" is not an attribute', f"type {self.range_text}")
        return word

    def write(self, value: str) -> list[str]:
        return [value]
