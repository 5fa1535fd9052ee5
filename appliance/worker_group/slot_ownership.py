"""Which worker owns a call, as one worker knows it: the slot table that was dealt last, and which siblings live."""

from __future__ import annotations

from collections.abc import Sequence

from appliance.messages.slots import SLOTS, SlotTable, slot_of
from appliance.transport.process_id import ProcessId


class SlotOwnership:
    """What `process` knows. Until it is told anything, all slots are its own and it has no siblings.

    `epoch`: of the table in force. `is_shared`: some slots are a sibling's.
    """

    __slots__ = ("_owners", "_seed", "epoch", "is_shared", "process", "siblings")

    def __init__(self, process: ProcessId, seed: int) -> None:
        self.process = process
        self._seed = seed
        self._owners: tuple[ProcessId, ...] = (process,) * SLOTS
        self.epoch = 0
        self.is_shared = False
        self.siblings: list[ProcessId] = []

    def receive(self, table: SlotTable, live: Sequence[ProcessId]) -> None:
        """Go by a new table; `live`: the workers that there are."""
        self._owners = table.owners
        self.epoch = table.epoch
        self.is_shared = self.share < 1.0
        self.siblings = [worker for worker in live if worker != self.process]

    @property
    def share(self) -> float:
        """The part of all slots that is this worker's."""
        return self._owners.count(self.process) / SLOTS

    @property
    def is_first(self) -> bool:
        """Is it the one worker that does what is done once for the whole node?"""
        return self._owners[0] == self.process

    def owner_of(self, call_id: bytes | None) -> ProcessId:
        """The worker whose slot a Call-ID falls into; this one when there is none to tell it by."""
        return self.process if call_id is None else self._owners[slot_of(call_id, self._seed)]

    def is_own(self, call_id: bytes | None) -> bool:
        """Is a call this worker's?"""
        return self.owner_of(call_id) == self.process

    def slot_of(self, call_id: bytes) -> int:
        """The slot of a Call-ID."""
        return slot_of(call_id, self._seed)
