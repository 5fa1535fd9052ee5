"""The flight recorder: what siblings need of a worker that died, to go on with the calls it was setting up (design 4).

One anonymous file of memory, made by the supervisor and inherited by every worker, which outlives each of them. A
worker has two banks in it; an incarnation writes to the one its predecessor did not, so that what the dead left can
still be read while the next one starts. A snapshot that was written is there, however the worker ends: nothing is sent
and no process waits. The file can be kept from one start of the appliance to the next (node_memory.py). Banks of
another file hold the calls of other nodes (copied_calls.py).

    bank:  magic, format, number of counters, octets in use, turn, sign | counters | counters | cell | cell | ...
    cell:  size as a power of two, slot, tag, length of the snapshot, born, gone | snapshot             (from 8192 on)

The tag is 0 here; in a memory that has one it stands above the 8 bits of the slot wherever that is given.

A cell is alive from the turn in which it was born to the one in which it is gone (0: never). The number of the turn is
written last, in one store, and the counters of even and odd turns have a place each: so whenever the writer dies, all
of a turn is there or nothing of it. A cell is used again only when the turn in which it went is over.

The sign is when its writer last showed that it lives: a store, where a message would wake who reads it.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Sequence
from struct import Struct
from typing import Final

from appliance.catalogue.counters import COUNTERS
from appliance.catalogue.settings import WORKERS_MAX

MIB: Final = 1024 * 1024
BANKS: Final = 2
_MAGIC: Final = b"SBXC"
_FORMAT: Final = 3
_HEAD: Final = Struct("<4sHHQQ")
_USED_AT: Final = 8
_TURN_AT: Final = 16
_SIGN_AT: Final = 24
_NUMBER: Final = Struct("<Q")
_MOMENT: Final = Struct("<d")
_COUNTERS_AT: Final = (64, 4096)
_COUNTERS: Final = Struct(f"<{len(COUNTERS)}Q")
_CELLS_AT: Final = 8192
assert _COUNTERS.size <= _COUNTERS_AT[1] - _COUNTERS_AT[0]
_CELL: Final = Struct("<BBHIQQ")
_CELL_SIZE: Final = _CELL.size
_BORN_AT: Final = 8
_GONE_AT: Final = 16
_NEVER: Final = 2**64 - 1
_SLOT: Final = 0xFF
# The smallest cell is one of 512 octets.
_POWER_MIN: Final = 9


class Recording:
    """The memory of a node. `bank_mib`: mebibytes of one bank."""

    def __init__(self, bank_mib: int, fd: int | None = None) -> None:
        """`fd`: that of a former start, of the same length. Raises OSError when there is no memory for it."""
        self.bank_len = bank_mib * MIB
        self.fd = os.memfd_create("signalbox-calls") if fd is None else fd
        # Pages come into being when they are written to.
        os.ftruncate(self.fd, self.len_of(bank_mib))
        self._heads: dict[tuple[int, int], mmap.mmap] = {}

    @staticmethod
    def len_of(bank_mib: int) -> int:
        """Octets of the memory."""
        return bank_mib * MIB * BANKS * WORKERS_MAX

    def last_banks(self, since: float) -> dict[int, int]:
        """By worker, the bank whose writer gave the last sign of life; without workers that gave none since then."""
        found = {}
        for worker in range(WORKERS_MAX):
            signed_at, bank = max((self._written_sign(worker, bank), bank) for bank in range(BANKS))
            if signed_at >= since:
                found[worker] = bank
        return found

    def _written_sign(self, worker: int, bank: int) -> float:
        """`signed_at`, without a page for a bank that was never written to."""
        place = (worker * BANKS + bank) * self.bank_len + _SIGN_AT
        signed_at: float = _MOMENT.unpack(os.pread(self.fd, _MOMENT.size, place))[0]
        return signed_at

    def counters_of(self, worker: int, bank: int) -> list[int]:
        """The counters as they were when the worker's last turn ended; [] when it has written none."""
        with _map(self.fd, self.bank_len, worker, bank) as memory:
            magic, version, count, _, turn = _HEAD.unpack_from(memory)
            if (magic, version, count) != (_MAGIC, _FORMAT, len(COUNTERS)) or not turn:
                return []
            return list(_COUNTERS.unpack_from(memory, _COUNTERS_AT[turn % 2]))

    def signed_at(self, worker: int, bank: int) -> float:
        """The monotonic moment of the worker's last sign of life in this bank; 0.0 when it has given none."""
        signed_at: float = _MOMENT.unpack_from(self._head(worker, bank), _SIGN_AT)[0]
        return signed_at

    def forget(self, worker: int, bank: int) -> None:
        """The writer of this bank is of no interest any more, even if no other one ever writes there."""
        self._head(worker, bank)[: _COUNTERS_AT[0]] = bytes(_COUNTERS_AT[0])

    def _head(self, worker: int, bank: int) -> mmap.mmap:
        head = self._heads.get((worker, bank))
        if head is None:
            head = self._heads[worker, bank] = _map(self.fd, self.bank_len, worker, bank, mmap.PAGESIZE)
        return head

    def close(self) -> None:
        for head in self._heads.values():
            head.close()
        os.close(self.fd)


class Recorder:
    """A worker's end of the recording: its own bank to write to, and the orphaned ones to take from."""

    def __init__(self, fd: int, bank_len: int, worker: int, bank: int) -> None:
        """Empties the bank. Raises OSError when the descriptor is no recording."""
        self._fd = fd
        self._bank_len = bank_len
        self._memory = _map(fd, bank_len, worker, bank)
        self._memory.madvise(mmap.MADV_REMOVE)
        self._turn = 1
        self._used = _CELLS_AT
        self._free: dict[int, list[int]] = {}
        self._cells: dict[bytes, int] = {}
        self._going: list[int] = []
        _HEAD.pack_into(self._memory, 0, _MAGIC, _FORMAT, len(COUNTERS), self._used, 0)

    def __len__(self) -> int:
        """How many calls are recorded."""
        return len(self._cells)

    def sign(self, now: float) -> None:
        """Show that this worker lives."""
        self._memory[_SIGN_AT : _SIGN_AT + _MOMENT.size] = _MOMENT.pack(now)

    def keep(self, snapshots: Sequence[tuple[bytes, int, bytes]], counters: Sequence[int]) -> int:
        """Record (key, slot, snapshot) of calls, and drop those whose snapshot is b"": how many found no room?

        `counters` are those after the very turn, so that what was counted and what is recorded agree.
        """
        memory, turn = self._memory, self._turn
        refused = 0
        for key, slot, snapshot in snapshots:
            if not snapshot:
                self._let_go(self._cells.pop(key, 0))
            elif not self._put(key, slot, snapshot):
                refused += 1
        _COUNTERS.pack_into(memory, _COUNTERS_AT[turn % 2], *counters)
        _put_number(memory, _TURN_AT, turn)
        self._turn = turn + 1
        self._free_what_went()
        return refused

    def take(self, orphans: Sequence[tuple[int, int]], slots: frozenset[int]) -> list[bytes]:
        """The snapshots in these banks, (worker, bank), of these slots; they are given out once."""
        return take(self._fd, self._bank_len, orphans, slots)

    def close(self) -> None:
        self._memory.close()

    def _put(self, key: bytes, slot: int, snapshot: bytes) -> bool:
        """Into a new cell, and only then out of the old one."""
        size = len(snapshot)
        at = self._cell_for(size + _CELL_SIZE)
        if not at:
            return False
        memory = self._memory
        memory[at + _CELL_SIZE : at + _CELL_SIZE + size] = snapshot
        # From here on it is not alive in any turn that is over, whatever else is half written.
        _put_number(memory, at + _BORN_AT, self._turn)
        memory[at + 1 : at + _BORN_AT] = _CELL.pack(0, slot & _SLOT, slot >> 8, size, 0, 0)[1:_BORN_AT]
        _put_number(memory, at + _GONE_AT, 0)
        self._let_go(self._cells.get(key, 0))
        self._cells[key] = at
        return True

    def _cell_for(self, size: int) -> int:
        """A free cell for so many octets; 0 when the bank is full."""
        power = max((size - 1).bit_length(), _POWER_MIN)
        free = self._free.get(power)
        if free:
            return free.pop()
        if self._used + (1 << power) > self._bank_len and not self._cells and not self._going:
            self._begin_anew()
        at = self._used
        if at + (1 << power) > self._bank_len:
            return self._larger_cell_for(power)
        _CELL.pack_into(self._memory, at, power, 0, 0, 0, _NEVER, 0)
        self._used = at + (1 << power)
        _put_number(self._memory, _USED_AT, self._used)
        return at

    def _begin_anew(self) -> None:
        """Nothing is recorded any more: cells need not stay of the sizes that were wanted once."""
        self._free.clear()
        self._used = _CELLS_AT
        # Before the first cell is made, which may reach over the borders of the old ones.
        _put_number(self._memory, _USED_AT, self._used)

    def _larger_cell_for(self, power: int) -> int:
        larger = [other for other in sorted(self._free) if other > power and self._free[other]]
        return self._free[larger[0]].pop() if larger else 0

    def _let_go(self, at: int) -> None:
        """As of the end of this turn."""
        if at:
            _put_number(self._memory, at + _GONE_AT, self._turn)
            self._going.append(at)

    def _free_what_went(self) -> None:
        for at in self._going:
            self._free.setdefault(self._memory[at], []).append(at)
        self._going.clear()


def _put_number(memory: mmap.mmap, at: int, number: int) -> None:
    """In one store: `pack_into` would make it zero first, and a writer that dies in between would leave that."""
    memory[at : at + _NUMBER.size] = _NUMBER.pack(number)


def _map(fd: int, bank_len: int, worker: int, bank: int, octets: int = 0) -> mmap.mmap:
    """A bank, or so many octets from its beginning."""
    return mmap.mmap(fd, octets or bank_len, offset=(worker * BANKS + bank) * bank_len)


def take(fd: int, bank_len: int, banks: Sequence[tuple[int, int]], slots: frozenset[int]) -> list[bytes]:
    """The snapshots in these banks of a recording, (worker, bank), of these slots; they are given out once."""
    taken: list[bytes] = []
    for worker, bank in banks:
        with _map(fd, bank_len, worker, bank) as memory:
            taken += _taken_from(memory, slots)
    return taken


def _taken_from(memory: mmap.mmap, slots: frozenset[int]) -> list[bytes]:
    taken: list[bytes] = []
    magic, version, _, used, turn = _HEAD.unpack_from(memory)
    if magic != _MAGIC or version != _FORMAT:
        return taken
    at = _CELLS_AT
    while at < used:
        cell = power, slot, tag, size, born, gone = _CELL.unpack_from(memory, at)
        if born <= turn and not 0 < gone <= turn and tag << 8 | slot in slots:
            snapshot = memory[at + _CELL_SIZE : at + _CELL_SIZE + size]
            # A writer that lives may have put another call there meanwhile.
            if _CELL.unpack_from(memory, at) == cell:
                _put_number(memory, at + _GONE_AT, turn)
                taken.append(snapshot)
        at += 1 << power
    return taken
