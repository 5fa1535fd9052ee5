"""What can be read of a damaged store: its file is searched page by page for records whose checksum is right.

LMDB is not asked, because it trusts what it finds in pages. Pages that were given up hold older records of some
addresses; the order of records says which is the last, so all of them are handed out.

    data.mdb.unread-TIME     set aside; its records are not yet all in a new store
    data.mdb.damaged-TIME    set aside; kept for examination, never read or deleted by us

Layout of a page (LMDB 0.9): its number, a filler, flags, the ends of two areas; then the places of its nodes, each of
them two halves of the length of the value, flags, length of the key, key, value. A long value has pages of its own.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from struct import Struct
from typing import Final

from appliance.storage.durable_registrations import DATA_FILE, PAGE_SIZE, unpacked

BATCH: Final = 5_000
VALUE_MAX: Final = 1 << 23  # octets; longer ones come from a damaged page
_PAGE: Final = Struct("<QHHHH")
_NODE: Final = Struct("<HHHH")
_NUMBER: Final = Struct("<Q")
_LEAF: Final = 0x02
_KIND: Final = 0x2F  # branch, leaf, overflow, meta, leaf of fixed lengths
_BIG: Final = 0x01  # the node holds the number of the page at which the value begins
_UNREAD: Final = ".unread-"
_DAMAGED: Final = ".damaged-"

RecordIn = Callable[[bytes], bytes | None]


def set_aside(folder: Path) -> Path:
    """Give the damaged file of a store a name of its own. Raises OSError."""
    path = folder / DATA_FILE
    taken_at = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(path.stat().st_mtime))
    aside = folder / f"{DATA_FILE}{_UNREAD}{taken_at}"
    number = 1
    while aside.exists() or _read_name(aside).exists():
        number += 1
        aside = folder / f"{DATA_FILE}{_UNREAD}{taken_at}-{number}"
    path.rename(aside)
    return aside


def unread_files(folder: Path) -> list[Path]:
    """Files set aside whose records are not yet all in a new store."""
    return sorted(folder.glob(f"{DATA_FILE}{_UNREAD}*"))


def mark_read(path: Path) -> Path:
    """All that could be read of it is stored elsewhere; returns its name from now on. Raises OSError."""
    return path.rename(_read_name(path))


def _read_name(path: Path) -> Path:
    return path.with_name(path.name.replace(_UNREAD, _DAMAGED))


def readable_records(path: Path, record_in: RecordIn = unpacked) -> Iterator[list[bytes]]:
    """Every record in the file, in no order, older ones of an address among them. `record_in`: the record that a value
    holds, None for something else; by default its checksum has to be right.
    """
    batch: list[bytes] = []
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        for at in range(0, os.fstat(fd).st_size, PAGE_SIZE):
            _add_records(fd, _octets(fd, at, PAGE_SIZE), record_in, batch)
            if len(batch) >= BATCH:
                yield batch
                batch = []
    finally:
        os.close(fd)
    yield batch


def _octets(fd: int, at: int, length: int) -> bytes:
    """That part of the file; less or nothing where the disk does not give it."""
    try:
        return os.pread(fd, length, at)
    except (OSError, OverflowError):
        return b""


def _add_records(fd: int, page: bytes, record_in: RecordIn, batch: list[bytes]) -> None:
    if len(page) < PAGE_SIZE:
        return
    _, _, flags, lower, upper = _PAGE.unpack_from(page)
    if flags & _KIND != _LEAF or not _PAGE.size <= lower <= upper <= PAGE_SIZE:
        return
    places = Struct(f"<{(lower - _PAGE.size) // 2}H").unpack_from(page, _PAGE.size)
    for place in places:
        if lower <= place <= PAGE_SIZE - _NODE.size:
            record = record_in(_value(fd, page, place))
            if record is not None:
                batch.append(record)


def _value(fd: int, page: bytes, place: int) -> bytes:
    """The value of a node, as far as the file has it."""
    low, high, flags, key_len = _NODE.unpack_from(page, place)
    start = place + _NODE.size + key_len
    length = min(high << 16 | low, VALUE_MAX)
    if flags & _BIG and start + _NUMBER.size <= PAGE_SIZE:
        (number,) = _NUMBER.unpack_from(page, start)
        return _octets(fd, number * PAGE_SIZE + _PAGE.size, length)
    return page[start : start + length]
