"""From and To in the form that nearly all of them have, judged without being taken apart.

RFC 3261 20.10, 25.1: an optional display name, `<sip:user@host:port>` with or without user and port, and no parameter
but a tag. Most processing of a message needs nothing of an address but its tag, and that it is well-formed.
"""

from __future__ import annotations

from typing import Final

from appliance.sip.characters import (
    DISPLAY,
    HOST,
    TOKEN,
    UNRESERVED,
    end_of_class,
    end_of_quoted,
    number_between,
    part,
    skip_space,
)

# Without escapes, and with the "+" of telephone numbers.
_USER: Final = bytes(is_member or octet == 43 for octet, is_member in enumerate(UNRESERVED))


def plain_tag(value: bytes, start: int, size: int) -> bytes | None:
    """The tag of the plain address value[start:size], b"" where it has none; None for what has to be parsed."""
    octets = value
    at = _end_of_display(value, start)
    # "<sip:"
    if at < 0 or size < at + 7 or octets[at] != 60 or octets[at + 1] != 115 or octets[at + 2] != 105:
        return None
    if octets[at + 3] != 112 or octets[at + 4] != 58:
        return None
    at = _end_of_address(value, at + 5, size - 1)
    if at < 0:
        return None
    if at == size:
        return b""
    # ";tag="
    if size < at + 6 or octets[at] != 59 or octets[at + 1] != 116 or octets[at + 2] != 97 or octets[at + 3] != 103:
        return None
    start = at + 5
    if octets[at + 4] != 61 or end_of_class(value, start, TOKEN) < size:
        return None
    return part(value, start, size)


def plain_party(value: bytes, start: int, size: int) -> bytes | None:
    """`user@host` of the plain address that value[start:size] begins with; None for what has to be parsed."""
    octets = value
    at = _end_of_display(value, start)
    # "<sip:"
    if at < 0 or size < at + 7 or octets[at] != 60 or octets[at + 1] != 115 or octets[at + 2] != 105:
        return None
    if octets[at + 3] != 112 or octets[at + 4] != 58:
        return None
    at += 5
    if _end_of_address(value, at, size - 1) < 0:
        return None
    end = end_of_class(value, at, _USER)
    if octets[end] == 64:
        end += 1
    else:
        end = at
    end = end_of_class(value, end, HOST)
    # A dot at the end of a name belongs to its spelling (RFC 1034 3.1).
    return None if octets[end - 1] == 46 else part(value, at, end)


def _end_of_display(value: bytes, at: int) -> int:
    """Where the bracket has to be; -1 where quotes do not balance."""
    if at >= len(value) or value[at] != 34:
        return end_of_class(value, at, DISPLAY)
    at = end_of_quoted(value, at)
    return at if at < 0 else skip_space(value, at)


def _end_of_address(value: bytes, at: int, last: int) -> int:
    """Index after `user@host:port>` that starts at `at` and ends at `last` at the latest; -1 for anything else."""
    octets = value
    end = end_of_class(value, at, _USER)
    if at < end < last and octets[end] == 64:
        at = end + 1
    end = end_of_class(value, at, HOST)
    if end == at or end > last:
        return -1
    if octets[end] == 58:
        at = end + 1
        while end < last and octets[end] != 62:
            end += 1
        port = number_between(value, at, end)
        if port < 1 or port > 65535:
            return -1
    return end + 1 if octets[end] == 62 else -1
