"""Plain values as octets and back: MessagePack, behind its one door."""

from __future__ import annotations

from typing import Any

import msgpack


class Packer:
    """Packs, and keeps its buffer for the next time: for who packs often."""

    __slots__ = ("_pack",)

    def __init__(self) -> None:
        self._pack = msgpack.Packer().pack

    def pack(self, values: Any) -> bytes:
        """What the function `pack` gives."""
        octets: bytes = self._pack(values)
        return octets


def pack(values: Any) -> bytes:
    """The octets of numbers, octets, texts, and lists and maps of them."""
    octets: bytes = msgpack.packb(values)
    return octets


def unpack(octets: bytes) -> Any:
    """The values that `pack` was given, tuples as lists. Raises ValueError for what `pack` never makes."""
    try:
        return msgpack.unpackb(octets)
    except Exception as fault:  # the unpacker has many kinds of fault, and every one means the same here
        raise ValueError(f"not packed values: {fault}") from fault
