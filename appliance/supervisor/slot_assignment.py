"""The slot table in force: the owner of each slot of the node, the workers that have it, and the kernel's program.

A table reaches its owners before the kernel steers by it: what the kernel gives to a new owner is then known to be its
own. A worker for which the bus had no room gets it in the next cycle.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from appliance.ipc.bus import Bus
from appliance.messages.bus_messages import SlotsChanged
from appliance.messages.slots import SlotTable
from appliance.supervisor.decisions import WorkerState
from appliance.supervisor.listening_sockets import ListeningSockets
from appliance.supervisor.worker_record import WorkerRecord
from appliance.transport.process_id import ProcessId, worker_of


class SlotAssignment:
    """The table of a node. Call `tell` in every cycle."""

    def __init__(
        self, table: SlotTable, seed: int, sockets: ListeningSockets, bus: Bus, report: Callable[[str], None]
    ) -> None:
        """The first table, which no worker has yet; `seed` is that of the slot hash, 32 bits."""
        self.table = table
        self._seed = seed
        self._sockets = sockets
        self._bus = bus
        self._report = report
        self._is_steering = False
        self._told: dict[int, tuple[int, list[ProcessId], list[int], list[int]]] = {}
        """By worker, what was sent last: the epoch, the workers present, whose calls are to be adopted."""

    def put_in_force(self, table: SlotTable, records: Sequence[WorkerRecord]) -> None:
        """Let the slots have the owners of this table from now on."""
        self.table = table
        shares = ", ".join(f"worker {r.number}: {table.count_of(r.process)}" for r in records)
        self._report(f"Slots reassigned ({shares}).")
        # The new owners first learn that they own; what the kernel steers to them then is theirs.
        self.tell(records)
        self.steer(records)

    def tell(self, records: Sequence[WorkerRecord]) -> None:
        """Send the table in force, with the workers present, to each that lacks it; again if the bus refused."""
        present = [r.process for r in records if r.is_on_the_bus and r.life != WorkerState.STOPPING]
        orphans = [number for r in records for bank in r.orphaned_banks() for number in (r.number, bank)]
        former = [number for r in records for bank in r.former_banks() for number in (r.number, bank)]
        news = (self.table.epoch, present, orphans, former)
        # A newcomer accepts connections at once and hands over what they bring: its siblings hear of it first.
        for process in sorted(present, key=lambda process: worker_of(process) not in self._told):
            if self._told.get(worker_of(process)) == news:
                continue
            if self._bus.send(process, [SlotsChanged(self.table, present, orphans, former)]):
                self._told[worker_of(process)] = news

    def forget(self, number: int) -> None:
        """That worker has ended: nothing has been sent to its successor."""
        self._told.pop(number, None)

    def set_steering(self, is_wanted: bool, records: Sequence[WorkerRecord]) -> None:
        """Have the kernel steer from now on, new groups of sockets too, or leave the choice to its own hash."""
        self._is_steering = is_wanted
        if is_wanted:
            self.steer(records)
        else:
            self._sockets.let_the_kernel_choose()

    def steer(self, records: Sequence[WorkerRecord]) -> None:
        """Let the kernel give each datagram to the owner of its slot, if that is wanted."""
        if not self._is_steering:
            return
        refusals = self._sockets.steer(self.table, self._seed)
        for refusal in refusals:
            self._report(refusal)
        # The kernel's hash, which chooses there now, gives datagrams to every socket: to those of the absent as well.
        for record in records if refusals else []:
            if record.life == WorkerState.ABSENT:
                self._sockets.withdraw(record.number)

    @property
    def refusals(self) -> list[str]:
        """A sentence for each group of sockets that the kernel does not steer although it shall."""
        return self._sockets.refusals() if self._is_steering else []

