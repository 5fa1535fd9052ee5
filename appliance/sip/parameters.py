"""What header values are made of: parameters, comma-separated lists, quoted strings.

RFC 3261 7.3.1, 25.1.

Values are walked once by index; white space is skipped wherever the grammar has LWS, so folded text needs no
unfolding first. Parameter values keep their quotes; `unquote` takes them off.
"""

from __future__ import annotations

from typing import Final

from appliance.sip.characters import (
    PARAMETER_VALUE,
    TOKEN,
    end_of_quoted,
    index_of,
    lowered,
    part,
    skip_space,
    trimmed,
)
from appliance.sip.errors import MalformedMessage

# Shared by all that have none: parsed parameters are values, which are never changed.
NO_PARAMETERS: Final[dict[bytes, bytes | None]] = {}


def parse_parameters(text: bytes, at: int, where: str) -> dict[bytes, bytes | None]:
    """The *(SEMI generic-param) that starts at index `at` of text and reaches to its end (RFC 3261 25.1).

    Raises MalformedMessage(400) naming `where`.
    """
    octets = text
    size = len(text)
    at = skip_space(text, at)
    if at == size:
        return NO_PARAMETERS
    parameters: dict[bytes, bytes | None] = {}
    tokens = TOKEN
    while at < size:
        if octets[at] != 59:
            raise MalformedMessage(400, "Malformed Parameter in " + where)
        start = skip_space(text, at + 1)
        at = start
        while at < size and tokens[octets[at]]:
            at += 1
        if at == start:
            raise MalformedMessage(400, "Empty Parameter in " + where)
        name = lowered(part(text, start, at))
        if name in parameters:
            raise MalformedMessage(400, "Repeated Parameter in " + where)
        at = skip_space(text, at)
        if at < size and octets[at] == 61:
            start = skip_space(text, at + 1)
            at = _end_of_value(text, start, where)
            parameters[name] = part(text, start, at)
            at = skip_space(text, at)
        else:
            parameters[name] = None
    return parameters


def _end_of_value(text: bytes, start: int, where: str) -> int:
    octets = text
    values = PARAMETER_VALUE
    size = len(text)
    at = start
    if at < size and octets[at] == 34:
        at = end_of_quoted(text, at)
        if at < 0:
            raise MalformedMessage(400, "Unbalanced Quotes in " + where)
        return at
    while at < size and values[octets[at]]:
        at += 1
    if at == start:
        raise MalformedMessage(400, "Malformed Parameter in " + where)
    return at


def next_comma(text: bytes, at: int) -> int:
    """Index of the next comma outside quoted strings and angle brackets, or len(text). Raises MalformedMessage(400)."""
    octets = text
    size = len(text)
    while at < size:
        octet = octets[at]
        if octet == 44:
            return at
        if octet == 34:
            at = end_of_quoted(text, at)
            if at < 0:
                raise MalformedMessage(400, "Unbalanced Quotes")
        elif octet == 60:
            at = index_of(text, 62, at)
            if at < 0:
                raise MalformedMessage(400, "Unbalanced Angle Brackets")
            at += 1
        else:
            at += 1
    return size


def split_list(value: bytes) -> list[bytes]:
    """The trimmed elements of a comma-separated list (RFC 3261 7.3.1), empty ones too; [] for empty text.

    Raises MalformedMessage(400) when quotes or angle brackets do not balance.
    """
    if index_of(value, 44, 0) < 0:
        only = trimmed(value, 0, len(value))
        return [only] if only else []
    elements: list[bytes] = []
    start = 0
    size = len(value)
    while start <= size:
        comma = next_comma(value, start)
        elements.append(trimmed(value, start, comma))
        start = comma + 1
    return elements


def quote(text: bytes) -> bytes:
    """A quoted-string (RFC 3261 25.1): quotes and backslashes escaped."""
    return b'"' + text.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def unquote(text: bytes) -> bytes:
    """What a quoted-string stands for; text without quotes comes back as it is."""
    if len(text) < 2 or text[0] != 34 or text[-1] != 34:
        return text
    text = text[1:-1]
    if b"\\" not in text:
        return text
    parts: list[bytes] = []
    at = text.find(b"\\")
    start = 0
    while at >= 0:
        parts.append(text[start:at])
        start = at + 1
        at = text.find(b"\\", start + 1)
    parts.append(text[start:])
    return b"".join(parts)
