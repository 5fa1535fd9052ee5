"""Calls that other nodes are setting up, for the workers of this one to go on with (design 4).

A flight recorder again, with a bank for each other node: the replicator writes what it receives, and a worker takes the
calls of its slots when this node takes a virtual address over. The tag of a cell is the number of the address.

A bank is bounded: what finds no room is refused and counted. What is older than a call can ring is dropped and counted,
so nothing stays of a node that has died without an end of its calls.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from appliance.catalogue.counters import COUNTERS
from appliance.catalogue.settings import WORKERS_MAX
from appliance.messages.call_copies import CallCopy
from appliance.messages.slots import SLOTS, slot_of
from appliance.storage.flight_recorder import Recorder, Recording, take

# Longer than the longest timer C (catalogue/settings.py): a call that has not come further for so long is over.
OLD_S: Final = 3700.0
# Numbers of nodes are never used again, so they may be larger than what there are banks for.
_BANKS: Final = WORKERS_MAX
_NO_COUNTERS: Final = (0,) * len(COUNTERS)


class CopiedCalls:
    """The memory of a node, made by the supervisor: `recording.fd` and `recording.bank_len` are what others need."""

    def __init__(self, bank_mib: int) -> None:
        """Raises OSError when there is no memory for it."""
        self.recording = Recording(bank_mib)

    def close(self) -> None:
        self.recording.close()


class CopiedCallsWriter:
    """The replicator's end.

    `refused`: how many copies found no room; `expired`: how many were dropped because they were old.
    """

    def __init__(self, fd: int, bank_len: int, seed: int) -> None:
        """`seed`: of the slot hash of this node. What a predecessor wrote is there until its node is heard again."""
        self.refused = 0
        self.expired = 0
        self._fd = fd
        self._bank_len = bank_len
        self._seed = seed
        self._banks: dict[int, Recorder] = {}
        self._noted: dict[int, dict[bytes, float]] = {}
        """By node: when each call was written last, the oldest first."""

    def __len__(self) -> int:
        """How many calls are kept."""
        return sum(map(len, self._banks.values()))

    def begin(self, node: int) -> None:
        """A link to this node is made anew: all that it has follows."""
        former = self._banks.pop(node, None)
        if former is not None:
            former.close()
        # The one who wrote before may have been another process.
        self._banks[node] = Recorder(self._fd, self._bank_len, bank_of(node), 0)
        self._noted[node] = {}

    def keep(self, node: int, copies: Iterable[CallCopy], now: float) -> None:
        """What a node has sent."""
        if node not in self._banks:
            self.begin(node)
        noted = self._noted[node]
        snapshots = []
        for key, call_id, address, snapshot in copies:
            noted.pop(key, None)
            if snapshot:
                noted[key] = now
            snapshots.append((key, place_of(address, slot_of(call_id, self._seed)), snapshot))
        self.refused += self._banks[node].keep(snapshots, _NO_COUNTERS)

    def expire(self, now: float) -> None:
        """Drop what is old. Call it now and then."""
        for node, noted in self._noted.items():
            old = []
            for key, written_at in noted.items():
                if written_at > now - OLD_S:
                    break
                old.append(key)
            for key in old:
                del noted[key]
            if old:
                self.expired += len(old)
                self._banks[node].keep([(key, 0, b"") for key in old], _NO_COUNTERS)

    def close(self) -> None:
        for bank in self._banks.values():
            bank.close()


class CopiedCallsReader:
    """A worker's end."""

    def __init__(self, fd: int, bank_len: int) -> None:
        self._fd = fd
        self._bank_len = bank_len

    def take(self, node: int, address: int, slots: Iterable[int]) -> list[bytes]:
        """Snapshots of calls that a node had at an address, of these slots of this node; they are given out once.

        `node`: 0 where it is not known who had the address.
        """
        wanted = frozenset(place_of(address, slot) for slot in slots)
        banks = [bank_of(node)] if node else range(_BANKS)
        return take(self._fd, self._bank_len, [(bank, 0) for bank in banks], wanted)


def bank_of(node: int) -> int:
    """The bank of a node."""
    return node % _BANKS


def place_of(address: int, slot: int) -> int:
    """Tag and slot in one, as the flight recorder takes them."""
    return address * SLOTS + slot
