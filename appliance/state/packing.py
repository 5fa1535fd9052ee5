"""Plain values as octets and back: MessagePack, behind its one door.

Knows nothing of what the values mean.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgpack

# A packer of its own for each call would make room for a million octets each time.
pack: Final[Callable[[Any], bytes]] = msgpack.Packer().pack
"""The octets of numbers, octets, texts, and lists and maps of them."""


def unpack(octets: bytes) -> Any:
    """The values that `pack` was given, tuples as lists. Raises ValueError for what `pack` never makes."""
    try:
        return msgpack.unpackb(octets)
    except Exception as fault:  # the unpacker has many kinds of fault, and every one means the same here
        raise ValueError(f"not packed values: {fault}") from fault
