"""Slots: which worker owns a call, told by its Call-ID alone.

Every message of a call carries the same Call-ID (RFC 3261 8.1.1.4), so a hash of it names one
owner, whichever source sent the message. The hash is FNV-1a, 32 bits, seeded, over the first 31 octets of
the Call-ID value without the white space before it, ending at the first octet that is not above
a space (CR, LF, tab, space). The kernel program made by the steering computes the very same
number; where it cannot, the bus corrects, so nothing but speed hangs on the two being equal.

A table gives each of the 256 slots an owner. A dead worker's slots are dealt to its siblings in
few runs and no other slots move; a worker that returns takes its own slots back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2s
from typing import Final

from appliance.transport.process_id import ProcessId

SLOTS: Final = 256
HASHED_OCTETS_MAX: Final = 31
FNV_OFFSET: Final = 2166136261
FNV_PRIME: Final = 16777619


def slot_of(call_id: bytes, seed: int) -> int:
    """The slot, 0..255, of a Call-ID value that starts with no white space; `seed` is 32 bits."""
    # This runs once per message. Large numbers are typed locals, or they would be Python objects in the compiled build.
    mask = 0xFFFFFFFF
    folded = 2166136261
    folded ^= seed
    for index in range(min(len(call_id), 31)):
        octet = call_id[index]
        if octet <= 32:
            break
        folded = ((folded ^ octet) * 16777619) & mask
    return (folded >> 8) & 255


def seed_of(key: bytes, boot: bytes = b"") -> int:
    """The 32-bit seed of the slot hash for one start of the appliance: it tells nothing of the key."""
    return int.from_bytes(blake2s(boot, key=key, digest_size=4, person=b"slots").digest(), "big")


class SlotTable:
    """Who owns each slot: `owners` is 256 workers, `epoch` grows with every change. Never changed in place."""

    __slots__ = ("epoch", "owners")

    def __init__(self, owners: Iterable[ProcessId], epoch: int) -> None:
        self.owners: tuple[ProcessId, ...] = tuple(owners)
        if len(self.owners) != 256:
            raise ValueError(f"a slot table has 256 owners, not {len(self.owners)}")
        self.epoch = epoch

    def owner_of(self, slot: int) -> ProcessId:
        """The worker that owns `slot`."""
        return self.owners[slot]

    def count_of(self, worker: ProcessId) -> int:
        """How many slots `worker` owns."""
        return self.owners.count(worker)

    def runs(self) -> list[tuple[int, int, ProcessId]]:
        """(first slot, last slot, owner) of every stretch of slots with one owner, in order of slots."""
        found: list[tuple[int, int, ProcessId]] = []
        first = 0
        for slot in range(1, SLOTS + 1):
            if slot == SLOTS or self.owners[slot] != self.owners[first]:
                found.append((first, slot - 1, self.owners[first]))
                first = slot
        return found

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SlotTable):
            return NotImplemented
        return self.epoch == other.epoch and self.owners == other.owners

    def __hash__(self) -> int:
        return hash((self.owners, self.epoch))

    def __repr__(self) -> str:
        return f"SlotTable(epoch={self.epoch}, runs={self.runs()})"


def deal(workers: Sequence[ProcessId], epoch: int = 1) -> SlotTable:
    """Even shares in one run per worker, in the order given. At least one worker."""
    owners: list[ProcessId] = []
    for worker, share in zip(workers, _even_shares(SLOTS, len(workers)), strict=True):
        owners += [worker] * share
    return SlotTable(owners, epoch)


def move(table: SlotTable, dead: ProcessId, live: Sequence[ProcessId]) -> SlotTable:
    """The table after `dead` lost its slots to `live`, in at most one run more per live worker and run lost.

    No other slots move. With no worker alive there is no new owner to name and the same table comes back.
    """
    heirs = [worker for worker in live if worker != dead]
    orphans = [slot for slot, owner in enumerate(table.owners) if owner == dead]
    if not heirs or not orphans:
        return table
    owners = list(table.owners)
    next_orphan = iter(orphans)
    for worker, wanted in _shares_of_orphans(table, heirs, len(orphans)):
        for _ in range(wanted):
            owners[next(next_orphan)] = worker
    return SlotTable(owners, table.epoch + 1)


def give_back(table: SlotTable, worker: ProcessId, live: Sequence[ProcessId], home: SlotTable) -> SlotTable:
    """The table after `worker` (one of `live`) took its slots of the `home` table back.

    If that is less than an even share, because others are still dead, it also takes orphaned slots from
    those that hold the most. When all workers are back the owners are those of the home table again.
    """
    owners = list(table.owners)
    for slot, owner in enumerate(home.owners):
        if owner == worker:
            owners[slot] = worker
    share = SLOTS // len(live)
    while owners.count(worker) < share:
        lent = [slot for slot, owner in enumerate(owners) if owner != worker and home.owners[slot] not in live]
        if not lent:
            break
        # From the richest, and from the end of its run: the shares stay even and the runs few.
        owners[max(lent, key=lambda slot: (owners.count(owners[slot]), slot))] = worker
    if tuple(owners) == table.owners:
        return table
    return SlotTable(owners, table.epoch + 1)


def _even_shares(total: int, among: int) -> list[int]:
    whole, left = divmod(total, among)
    return [whole + (1 if index < left else 0) for index in range(among)]


def _shares_of_orphans(table: SlotTable, heirs: list[ProcessId], orphans: int) -> list[tuple[ProcessId, int]]:
    """(heir, how many of the orphans) so that the heirs end as even as they can without giving anything up."""
    held = {worker: table.count_of(worker) for worker in heirs}
    given = dict.fromkeys(heirs, 0)
    for _ in range(orphans):
        poorest = min(heirs, key=lambda worker: (held[worker] + given[worker], worker))
        given[poorest] += 1
    return list(given.items())
