"""What keeps a UDP flow alive, and is no message: empty lines, and STUN (RFC 5626 3.5, 8).

RFC 5626 4.4.1 has empty lines for streams only, but many phones keep their NAT open by them on UDP.
"""

from __future__ import annotations

from typing import Final

KEEP_ALIVE_LEN_MAX: Final = 4
# RFC 5626 8: the first octet of STUN is less, and that of a SIP message never.
_BEGINNING_OF_TEXT: Final = 4


def is_keep_alive(data: bytes) -> bool:
    """Is a datagram no SIP message, but what keeps a flow alive, or an attempt at it?"""
    if len(data) <= KEEP_ALIVE_LEN_MAX:
        return not data.strip(b"\r\n\0")
    first = data[0]
    return first < _BEGINNING_OF_TEXT
