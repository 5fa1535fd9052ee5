"""The prefixes of route tables as whole numbers, so that a look-up is a binary search.

    +1732     a global number that begins so
    0800      a local number that begins so
    911$      the number 911 and no other one
    any       every number

A key has four bits for each of 16 characters, the first one uppermost, and zeros behind: keys are in the order of their
texts, and a prefix is the upper bits of all that it covers.
"""

from __future__ import annotations

from typing import Final

from appliance.routing.route_entry import RouteFault

CHARACTERS: Final = b"0123456789*#+$"
KEY_LEN: Final = 16
ANY: Final = "any"
_FROM_HEX: Final = bytes.maketrans(b"123456789abcde", CHARACTERS)
# Of what is no character of a number, 0.
_DIGIT_OF: Final = bytes(CHARACTERS.find(octet) + 1 for octet in range(256))
_PLUS: Final = CHARACTERS.index(b"+") + 1
_END: Final = CHARACTERS.index(b"$") + 1


def key_of_prefix(text: str) -> int:
    """The key of a prefix as it is typed. Raises RouteFault."""
    if text == ANY:
        return 0
    octets = text.encode()
    if len(octets) > KEY_LEN:
        raise RouteFault(f'"{text[:40]}" is too long', f"type {KEY_LEN} characters at most")
    key, bits, before = 0, 64, 0
    for octet in octets:
        digit = _DIGIT_OF[octet]
        # `+` is the first character only; `$` is the last one, and not the only one.
        if not digit or before == _END or digit == (_PLUS if before else _END):
            raise _no_prefix(text)
        bits -= 4
        key |= digit << bits
        before = digit
    if not before:
        raise _no_prefix(text)
    return key


def _no_prefix(text: str) -> RouteFault:
    return RouteFault(f'"{text[:40]}" is not a prefix', "type digits, with + for a global number, or `any`")


def key_of_number(number: bytes) -> int:
    """The key of a called number in its normal form; what is behind 16 characters does not decide."""
    key, length, bits = 0, min(len(number), KEY_LEN), 64
    for octet in number[:length]:
        bits -= 4
        digit = _DIGIT_OF[octet]
        key |= digit << bits
    if bits:
        digit = _END
        key |= digit << (bits - 4)
    return key


def text_of_key(key: int) -> str:
    """The prefix as it is typed."""
    return (b"%016x" % key).rstrip(b"0").translate(_FROM_HEX).decode() or ANY


def mask_below(prefix: int) -> int:
    """The bits behind the last character of a prefix."""
    return (1 << ((prefix & -prefix).bit_length() - 1 & ~3)) - 1 if prefix else (1 << 64) - 1


def covers(prefix: int, key: int) -> bool:
    """Does a number, or another prefix, begin with that prefix?"""
    bits = 0
    while bits < 64 and not prefix >> bits & 15:
        bits += 4
    return bits == 64 or key >> bits == prefix >> bits
