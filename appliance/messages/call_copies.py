"""Copies of snapshots of calls, for the node that may take a virtual address over: as values, and as octets.

The octets are the same in the log of a worker (storage/call_log.py) and between nodes. A copy without a
snapshot says that the call needs none any more.

    record:  length of the rest | length of the key, length of the Call-ID, address | key | Call-ID | snapshot
"""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct
from typing import Final

# Key, Call-ID, number of the virtual address that the call came in by, snapshot.
CallCopy = tuple[bytes, bytes, int, bytes]

ADDRESS_MAX: Final = 0xFFFF
_HEAD: Final = Struct("!IHHH")
_LENGTH_SIZE: Final = 4
# A name that is longer is cut: a Call-ID names its slot by its beginning (messages/slots.py).
CALL_ID_MAX: Final = 64
KEY_MAX: Final = 0xFFFF


def write_copies(copies: Iterable[CallCopy]) -> bytes:
    """The octets of copies, one after the other; one that is too long to be read is left out."""
    parts: list[bytes] = []
    for key, call_id, address, snapshot in copies:
        if len(key) <= KEY_MAX:
            call_id = call_id[:CALL_ID_MAX]
            size = _HEAD.size - _LENGTH_SIZE + len(key) + len(call_id) + len(snapshot)
            parts += (_HEAD.pack(size, len(key), len(call_id), address), key, call_id, snapshot)
    return b"".join(parts)


def read_copies(octets: bytes) -> list[CallCopy]:
    """What `write_copies` was given. Raises ValueError for anything that it does not write."""
    copies: list[CallCopy] = []
    at = 0
    while at < len(octets):
        if at + _HEAD.size > len(octets):
            raise ValueError("the copies end within a head")
        size, key_len, call_id_len, address = _HEAD.unpack_from(octets, at)
        end = at + _LENGTH_SIZE + size
        key_end = at + _HEAD.size + key_len
        call_id_end = key_end + call_id_len
        if not call_id_end <= end <= len(octets) or not 0 < address <= ADDRESS_MAX:
            raise ValueError("a copy has other lengths than it says")
        key = octets[at + _HEAD.size : key_end]
        copies.append((key, octets[key_end:call_id_end], address, octets[call_id_end:end]))
        at = end
    return copies
