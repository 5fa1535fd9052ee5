"""Character classes of SIP and the scanning steps that every header parser shares.

RFC 3261 25.1.

A class is a table of 256 octets, non-zero where the octet belongs to it. Loops over octets cost a
nanosecond each when compiled, so nothing here needs a regular expression.
"""

from __future__ import annotations

from typing import Final


def _table(members: bytes) -> bytes:
    return bytes(1 if octet in members else 0 for octet in range(256))


_ALPHANUM = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_PRINTABLE = bytes(range(33, 127))

TOKEN: Final = _table(_ALPHANUM + b"-.!%*_+`'~")
DIGIT: Final = _table(b"0123456789")
HEX_DIGIT: Final = _table(b"0123456789ABCDEFabcdef")
LOWER_HEX_DIGIT: Final = _table(b"0123456789abcdef")
UNRESERVED: Final = _table(_ALPHANUM + b"-_.!~*'()")
VISIBLE: Final = _table(_PRINTABLE)
SCHEME: Final = _table(_ALPHANUM + b"+-.")
# Underscores are no part of RFC 3261's hostname, but of many names in use.
HOST: Final = _table(_ALPHANUM + b"-._")
IPV6: Final = _table(b"0123456789ABCDEFabcdef:.")
# What may stand in a URI at all, as bits that say what needs a check. Number sign and a few others should be
# escaped; telephones send them bare.
URI_ORDINARY, URI_PERCENT, URI_AT, URI_QUESTION = 1, 2, 4, 8
URI: Final = bytes(
    {ord("%"): URI_PERCENT, ord("@"): URI_AT, ord("?"): URI_QUESTION}.get(octet, URI_ORDINARY) * is_allowed
    for octet, is_allowed in enumerate(_table(bytes(octet for octet in _PRINTABLE if octet not in b'"<>\\^`{|}')))
)
# A generic parameter's unquoted value: token or host, with the "=" and "/" that base64 brings along.
PARAMETER_VALUE: Final = _table(bytes(octet for octet in _PRINTABLE if octet not in b'",;<>?@\\'))
# Words before "<". The grammar says tokens; bare UTF-8 and dots are common and harmless, separators are not.
DISPLAY: Final = _table(
    b" \t" + bytes(octet for octet in _PRINTABLE if octet not in b'",;:<>\\') + bytes(range(128, 256))
)

_LOWER: Final = bytes(range(256)).lower()

# Numbers that are written all the time: status codes, hops, lengths.
_SHORT_MAX: Final = 1000
_SHORT: Final = tuple(b"%d" % value for value in range(_SHORT_MAX))


def is_all(text: bytes, table: bytes) -> bool:
    """Whether every octet of text is in the class. True for empty text."""
    classes = table
    for octet in text:  # noqa: SIM110 - compiled, this loop is a hundred times faster than a generator
        if not classes[octet]:
            return False
    return True


def classes_in(text: bytes, table: bytes) -> int:
    """What the table has for the octets of text, all bits together; 0 as soon as it has 0 for one."""
    classes = table
    found = 0
    for octet in text:
        if not classes[octet]:
            return 0
        found |= classes[octet]
    return found


def is_token(text: bytes) -> bool:
    """RFC 3261 25.1 token: one octet or more."""
    return len(text) > 0 and is_all(text, TOKEN)


def is_one_line(text: bytes) -> bool:
    """Does it hold neither CR nor LF?"""
    for octet in text:  # noqa: SIM110 - see is_all
        if octet == 13 or octet == 10:
            return False
    return True


def skip_space(text: bytes, at: int) -> int:
    """Index of the first octet at or after `at` that is neither SP, HTAB, CR nor LF."""
    octets = text
    size = len(text)
    while at < size:
        octet = octets[at]
        if octet != 32 and octet != 9 and octet != 13 and octet != 10:
            break
        at += 1
    return at


def end_of_class(text: bytes, at: int, table: bytes) -> int:
    """Index of the first octet from `at` on that is not in the class."""
    octets = text
    classes = table
    size = len(text)
    while at < size and classes[octets[at]]:
        at += 1
    return at


def spells(text: bytes, start: int, end: int, word: bytes) -> bool:
    """Is text[start:end] the word, in any case? The word is in lower case."""
    octets = text
    letters = word
    lower = _LOWER
    if end - start != len(word):
        return False
    for index in range(len(word)):  # noqa: SIM110 - see is_all
        if lower[octets[start + index]] != letters[index]:
            return False
    return True


def spells_from(text: bytes, size: int, words: bytes, at: int) -> bool:
    """Is text[:size] what stands in words from `at` on, in any case? The words are in lower case."""
    octets = text
    letters = words
    lower = _LOWER
    for index in range(size):  # noqa: SIM110 - see is_all
        if lower[octets[index]] != letters[at + index]:
            return False
    return True


def index_of(text: bytes, octet: int, at: int) -> int:
    """What text.find gives for one octet and at >= 0; faster when compiled, for the short texts of header values."""
    octets = text
    size = len(text)
    while at < size:
        if octets[at] == octet:
            return at
        at += 1
    return -1


def part(text: bytes, start: int, end: int) -> bytes:
    """text[start:end] for 0 <= start and end <= len(text); several times faster than a slice when compiled."""
    if start >= end:
        return b""
    if start < 0 or end > len(text):
        raise IndexError("part of a text reaches over its end")
    octets = text
    return octets[start:end]


def lowered(text: bytes) -> bytes:
    """text.lower(), the same object where nothing changes."""
    for octet in text:
        if 65 <= octet <= 90:
            return text.lower()
    return text


def uppered(text: bytes) -> bytes:
    """text.upper(), the same object where nothing changes."""
    for octet in text:
        if 97 <= octet <= 122:
            return text.upper()
    return text


def trimmed(text: bytes, start: int, end: int) -> bytes:
    """text[start:end] without white space at either side."""
    start = skip_space(text, start)
    while end > start:
        octet = text[end - 1]
        if octet != 32 and octet != 9 and octet != 13 and octet != 10:
            break
        end -= 1
    return part(text, start, end)


def end_of_quoted(text: bytes, at: int) -> int:
    """Index after the closing quote of the quoted string that opens at `at`; -1 when it never closes."""
    octets = text
    size = len(text)
    at += 1
    while at < size:
        octet = octets[at]
        if octet == 34:
            return at + 1
        if octet == 92:
            at += 1
        at += 1
    return -1


def number(text: bytes) -> int:
    """The value of 1*DIGIT, capped at 2**40 (so that no peer makes us do long arithmetic); -1 for anything else."""
    return number_between(text, 0, len(text))


def number_between(text: bytes, start: int, end: int) -> int:
    """number(text[start:end]) for 0 <= start and end <= len(text)."""
    octets = text
    value = 0
    cap = 1 << 40
    for index in range(start, end):
        octet = octets[index]
        if octet < 48 or octet > 57:
            return -1
        if value < cap:
            value = value * 10 + (octet - 48)
    return min(value, cap) if start < end else -1


def digits_of(value: int) -> bytes:
    """A number in decimal; several times faster than b"%d" when compiled."""
    if 0 <= value < _SHORT_MAX:
        return _SHORT[value]
    return f"{value}".encode("ascii")


def hex_of(value: int) -> bytes:
    """A number of 32 bits in eight hexadecimal digits; several times faster than b"%08x" when compiled."""
    return f"{value:08x}".encode("ascii")


def long_hex_of(value: int) -> bytes:
    """The same for 64 bits: sixteen digits."""
    return f"{value:016x}".encode("ascii")


def hex_number(text: bytes, start: int, end: int) -> int:
    """The value of the digits from `start` to before `end`, sixteen at most; all are of LOWER_HEX_DIGIT."""
    octets = text
    value = 0
    for index in range(start, end):
        octet = octets[index]
        value = value << 4 | (octet - 48 if octet < 58 else octet - 87)
    return value


def unescape(text: bytes) -> bytes:
    """Every %HH replaced by its octet, once. Malformed escapes stay as they are."""
    at = text.find(b"%")
    if at < 0:
        return text
    parts = [text[:at]]
    while at >= 0:
        digits = text[at + 1 : at + 3]
        if len(digits) == 2 and is_all(digits, HEX_DIGIT):
            parts.append(bytes.fromhex(digits.decode()))
            start = at + 3
        else:
            parts.append(b"%")
            start = at + 1
        at = text.find(b"%", start)
        parts.append(text[start:at] if at >= 0 else text[start:])
    return b"".join(parts)


def escape(text: bytes, table: bytes) -> bytes:
    """Every octet outside the class written as %HH."""
    if is_all(text, table):
        return text
    return b"".join(bytes((octet,)) if table[octet] else b"%%%02X" % octet for octet in text)


def has_bad_escape(text: bytes) -> bool:
    """Whether some "%" is not followed by two hexadecimal digits (RFC 3261 25.1 escaped)."""
    at = text.find(b"%")
    while at >= 0:
        digits = text[at + 1 : at + 3]
        if len(digits) != 2 or not is_all(digits, HEX_DIGIT):
            return True
        at = text.find(b"%", at + 3)
    return False
