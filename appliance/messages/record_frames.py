"""How records lie in a file: a header line, then frames (marker, length, CRC-32, record).

A file is only ever appended to, so the end of it may be torn (the last frame is not whole): that is normal after a
power cut. Anything else that does not read is damage, and is stepped over to the next frame that is whole.

    signalbox registrations, format 1\\n   A5 52 | length | crc32 | record   A5 52 | ...
"""

from __future__ import annotations

from struct import Struct
from typing import Final
from zlib import crc32

FORMAT: Final = 1
MARKER: Final = b"\xa5\x52"
RECORD_MAX: Final = 4 * 1024 * 1024
HEADER: Final = b"signalbox registrations, format %d\n" % FORMAT
_TITLE: Final = b"signalbox registrations, format "
_FRAME: Final = Struct("<2sII")
_FRAME_SIZE: Final = _FRAME.size
_pack_frame: Final = _FRAME.pack

# What stopped split_frames().
AT_END: Final = 0
NEEDS_MORE: Final = 1
UNREADABLE: Final = 2


class NewerFormat(ValueError):
    """A file that a later version wrote. `found` is its format."""

    def __init__(self, found: int) -> None:
        super().__init__(found)
        self.found = found


def frame(record: bytes) -> bytes:
    """A record as it lies in the file."""
    return b"".join((_pack_frame(MARKER, len(record), crc32(record)), record))


def read_header(data: bytes) -> int:
    """The length of the header; 0 where there is none. Raises NewerFormat. data: the first octets of the file."""
    if data.startswith(HEADER):
        return len(HEADER)
    line, newline, _ = data[:64].partition(b"\n")
    digits = line.removeprefix(_TITLE)
    if newline and digits != line and digits.isdigit() and int(digits) > FORMAT:
        raise NewerFormat(int(digits))
    return 0


def split_frames(data: bytes, at: int, records: list[bytes]) -> tuple[int, int]:
    """Append the records of all whole frames from index `at` on. Returns what stopped it, and where."""
    size = len(data)
    while at + _FRAME_SIZE <= size:
        marker, length, checksum = _FRAME.unpack_from(data, at)
        if marker != MARKER or length > RECORD_MAX:
            return UNREADABLE, at
        start = at + _FRAME_SIZE
        if start + length > size:
            return NEEDS_MORE, at
        record = data[start : start + length]
        if crc32(record) != checksum:
            return UNREADABLE, at
        records.append(record)
        at = start + length
    return (AT_END if at == size else NEEDS_MORE), at


def find_frame(data: bytes, at: int) -> int:
    """The index, not before `at`, at which the next whole frame begins; -1 if there is none."""
    while True:
        at = data.find(MARKER, at)
        if at < 0 or at + _FRAME_SIZE > len(data):
            return -1
        _, length, checksum = _FRAME.unpack_from(data, at)
        start = at + _FRAME_SIZE
        if start + length <= len(data) and length <= RECORD_MAX and crc32(data[start : start + length]) == checksum:
            return at
        at += 1


class FrameReader:
    """Reads a file that is fed to it in pieces, from its first octet on.

    torn: octets of the frame at the end that is not whole. damage: (offset, length) of what could not be read before
    that.
    """

    __slots__ = ("_data", "_has_begun", "_offset", "damage", "torn")

    def __init__(self) -> None:
        self._data = b""
        self._offset = 0
        self._has_begun = False
        self.torn = 0
        self.damage: list[tuple[int, int]] = []

    def feed(self, data: bytes) -> list[bytes]:
        """The records that are whole by now. Raises NewerFormat."""
        self._data += data
        if not self._has_begun and len(self._data) < len(HEADER):
            return []
        return self._read(False)

    def finish(self) -> list[bytes]:
        """The file is at its end: what is left. Raises NewerFormat."""
        if not self._has_begun and HEADER.startswith(self._data):
            self.torn = len(self._data)
            return []
        return self._read(True)

    def _read(self, is_end: bool) -> list[bytes]:
        data, at = self._data, 0
        if not self._has_begun:
            self._has_begun = True
            at = read_header(data)
            if at == 0:
                return self._begin_without_header(is_end)
        records: list[bytes] = []
        while True:
            reason, at = split_frames(data, at, records)
            if reason == AT_END or (reason == NEEDS_MORE and not is_end):
                break
            found = find_frame(data, at + 1)
            if found < 0:
                if is_end:
                    self._note_rest(reason, data, at)
                break
            self.damage.append((self._offset + at, found - at))
            at = found
        self._offset += at
        self._data = data[at:]
        return records

    def _begin_without_header(self, is_end: bool) -> list[bytes]:
        end = find_frame(self._data, 0)
        if end < 0:
            if not is_end:
                self._has_begun = False
                return []
            end = len(self._data)
        self.damage.append((0, end))
        self._offset = end
        self._data = self._data[end:]
        return self._read(is_end)

    def _note_rest(self, reason: int, data: bytes, at: int) -> None:
        """The last frame is torn when it is cut off, or was never filled in; with a wrong checksum it is damaged."""
        if reason == NEEDS_MORE or not data[at:].strip(b"\0"):
            self.torn = len(data) - at
        else:
            self.damage.append((self._offset + at, len(data) - at))
