"""The call log: copies of snapshots on their way from the workers of a node to its replicator (design 4).

One anonymous file of memory, made by the supervisor and inherited by all of them, with a ring for each worker. A worker
writes a turn's copies and never waits; the replicator reads all rings now and then, and is not woken.

    ring:  magic, format | octets written | beginning of a record, beginning of a later one | records (from 4096 on)

Octets are counted from the first one ever written; their place is that number modulo the length of the ring. The number
of octets written is stored last, in one store, so of a writer that dies in a turn nothing is seen. Its successor goes
on where it ended. A reader that is overtaken misses what was overwritten, and says so.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Sequence
from struct import Struct
from typing import Final

from appliance.catalogue.settings import WORKERS_MAX
from appliance.messages.call_copies import CallCopy, read_copies, write_copies

MIB: Final = 1024 * 1024
_MAGIC: Final = b"SBXL"
_FORMAT: Final = 1
_HEAD: Final = Struct("<4sI")
_NUMBER: Final = Struct("<Q")
_WRITTEN_AT: Final = 8
# Where a reader may begin that knows nothing: the older one of two beginnings of records.
_MARKS_AT: Final = (16, 24)
_RECORDS_AT: Final = mmap.PAGESIZE
# A reader looks for rings of workers that have just started once in so many times.
LOOKS: Final = 16


class CallLog:
    """The memory of a node. `ring_mib`: mebibytes for the copies of one worker."""

    def __init__(self, ring_mib: int) -> None:
        """Raises OSError when there is no memory for it."""
        self.ring_len = ring_mib * MIB
        self.fd = os.memfd_create("signalbox-call-log")
        # Pages come into being when they are written to.
        os.ftruncate(self.fd, self.ring_len * WORKERS_MAX)

    def close(self) -> None:
        os.close(self.fd)


class CallLogWriter:
    """A worker's end. `refused`: how many copies were too long for the ring."""

    def __init__(self, fd: int, ring_len: int, worker: int) -> None:
        """Goes on where the last writer has ended. Raises OSError when the descriptor is no log."""
        self.refused = 0
        self._memory = mmap.mmap(fd, ring_len, offset=worker * ring_len)
        self._space = ring_len - _RECORDS_AT
        if _HEAD.unpack_from(self._memory) != (_MAGIC, _FORMAT):
            _HEAD.pack_into(self._memory, 0, _MAGIC, _FORMAT)
        self._written = _number_at(self._memory, _WRITTEN_AT)
        self._mark = _number_at(self._memory, _MARKS_AT[1])

    def write(self, copies: Sequence[CallCopy]) -> int:
        """A turn's copies, before anything of the turn is sent. Returns how many octets were ever written."""
        octets = write_copies(copies)
        if len(octets) > self._space // 4:
            return self._write_in_parts(copies)
        self._put(octets)
        return self._written

    def close(self) -> None:
        self._memory.close()

    def _write_in_parts(self, copies: Sequence[CallCopy]) -> int:
        for copy in copies:
            octets = write_copies([copy])
            if len(octets) > self._space // 4:
                self.refused += 1
            else:
                self._put(octets)
        return self._written

    def _put(self, octets: bytes) -> None:
        memory, at = self._memory, self._written % self._space
        first = octets[: self._space - at]
        memory[_RECORDS_AT + at : _RECORDS_AT + at + len(first)] = first
        rest = octets[len(first) :]
        memory[_RECORDS_AT : _RECORDS_AT + len(rest)] = rest
        if self._written - self._mark > self._space // 4:
            _put_number(memory, _MARKS_AT[0], self._mark)
            self._mark = self._written
            _put_number(memory, _MARKS_AT[1], self._mark)
        self._written += len(octets)
        _put_number(memory, _WRITTEN_AT, self._written)


class CallLogReader:
    """The replicator's end. `missed`: octets of copies that were overwritten before they were read."""

    def __init__(self, fd: int, ring_len: int) -> None:
        self.missed = 0
        self._memory = mmap.mmap(fd, ring_len * WORKERS_MAX, prot=mmap.PROT_READ)
        self._ring_len = ring_len
        self._space = ring_len - _RECORDS_AT
        self._read: dict[int, int] = {}
        """Of each worker that was seen to write: how far its ring was read."""
        self._looks = 0

    def read(self) -> list[CallCopy]:
        """What the workers have written since; the first time, what is still there.

        Raises ValueError when a ring is damaged.
        """
        if self._looks % LOOKS == 0:
            self._look_for_writers()
        self._looks += 1
        found: list[CallCopy] = []
        for worker, begin in self._read.items():
            written = _number_at(self._memory, worker * self._ring_len + _WRITTEN_AT)
            if written != begin:
                self._read[worker] = written
                found += self._read_ring(worker * self._ring_len, begin, written)
        return found

    def _look_for_writers(self) -> None:
        for worker in range(WORKERS_MAX):
            ring_at = worker * self._ring_len
            if worker not in self._read and _HEAD.unpack_from(self._memory, ring_at) == (_MAGIC, _FORMAT):
                self._read[worker] = _number_at(self._memory, ring_at + _MARKS_AT[0])

    def positions(self) -> dict[int, int]:
        """How many octets of each worker were read."""
        return dict(self._read)

    def close(self) -> None:
        self._memory.close()

    def _read_ring(self, ring_at: int, begin: int, written: int) -> list[CallCopy]:
        octets = b"" if self._is_overtaken(begin, written) else self._octets(ring_at + _RECORDS_AT, begin, written)
        if not octets or self._is_overtaken(begin, _number_at(self._memory, ring_at + _WRITTEN_AT)):
            self.missed += written - begin
            return []
        return read_copies(octets)

    def _is_overtaken(self, begin: int, written: int) -> bool:
        """Has a writer come round to `begin`, or may it with what it is about to write?"""
        return written - begin > self._space - self._space // 4

    def _octets(self, records_at: int, begin: int, end: int) -> bytes:
        at, size = begin % self._space, end - begin
        first = self._memory[records_at + at : records_at + min(at + size, self._space)]
        return first + self._memory[records_at : records_at + size - len(first)]


def _number_at(memory: mmap.mmap, at: int) -> int:
    number: int = _NUMBER.unpack_from(memory, at)[0]
    return number


def _put_number(memory: mmap.mmap, at: int, number: int) -> None:
    """In one store."""
    memory[at : at + _NUMBER.size] = _NUMBER.pack(number)
