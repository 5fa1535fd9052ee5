"""What is kept of calls that are being set up, at the end of each turn: for siblings, and for another node (design 4).

A call that came in by a virtual address can be completed by the node that takes the address over, so that node gets
copies of its snapshots. Which worker has the call there is for its slot there to say: slots are counted by another seed
on each node.
"""

from __future__ import annotations

from collections.abc import Iterable

from appliance.messages.call_copies import CallCopy
from appliance.proxy.environment import KeptCall, ProxyEnvironment
from appliance.proxy.outputs import Snapshot
from appliance.worker_group.slot_ownership import SlotOwnership


class KeptCalls:
    """The calls of one worker that have come further.

    `addresses`: by place of a listener, the number of its virtual address, or 0 where it has none, or one that this
    node does not own: copies of its calls would be old. () where no listener has one.
    """

    __slots__ = ("_copies", "_node", "_slot_ownership", "addresses")

    def __init__(self, node: ProxyEnvironment, slot_ownership: SlotOwnership) -> None:
        self._node = node
        self._slot_ownership = slot_ownership
        self._copies: list[CallCopy] = []
        self.addresses: tuple[int, ...] = ()

    def take(self, now: float) -> list[Snapshot]:
        """A snapshot of each call that has come further since the last call; b"" where none is needed any more."""
        changed = self._node.changed_calls
        if not changed:
            return []
        self._node.changed_calls = {}
        kept: list[Snapshot] = []
        for key, call in changed.items():
            try:
                call_id, snapshot = call.call_id, call.snapshot()
                kept.append((key, self._slot_ownership.slot_of(call_id), snapshot))
                if self.addresses:
                    self._copy(key, call, call_id, snapshot)
            except Exception as error:
                self._node.faults.note("the snapshot of a call", call.call_id, error, now)
        return kept

    def _copy(self, key: bytes, call: KeptCall, call_id: bytes, snapshot: bytes) -> None:
        way_in = call.way_in
        address = self.addresses[way_in] if way_in < len(self.addresses) else 0
        if address:
            self._copies.append((key, call_id, address, snapshot))

    def end_copies(self, copies: Iterable[CallCopy]) -> None:
        """No other node needs these any more."""
        self._copies += [(key, call_id, address, b"") for key, call_id, address, _ in copies]

    def take_copies(self) -> list[CallCopy]:
        """What another node has to know of that."""
        copies = self._copies
        if copies:
            self._copies = []
        return copies
