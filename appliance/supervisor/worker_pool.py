"""How many workers there are, and which of them need a new start.

More of them start like any other, and get their shares of the slots together, so that no slot moves twice.
The last ones go first: they drain, end, and give their sockets back. What they have counted stays counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from appliance.messages.bus_messages import BusMessage, Drain, Refusal
from appliance.messages.slots import deal
from appliance.supervisor.decisions import WorkerState
from appliance.supervisor.listening_sockets import ListeningSockets
from appliance.supervisor.slot_assignment import SlotAssignment
from appliance.supervisor.worker_record import WorkerRecord, sums, sums_by_name
from appliance.transport.process_id import ProcessId, process_id

NEVER: Final = float("inf")


class Node(Protocol):
    """The supervisor, as far as the number of its workers is concerned."""

    def send(self, number: int, messages: Sequence[BusMessage]) -> bool: ...
    def end_worker(self, number: int, reason: str, now: float) -> None: ...
    def log(self, sentence: str) -> None: ...


def processes_of(node: int, workers: int) -> list[ProcessId]:
    """The first so many workers of a node."""
    return [process_id(node, number) for number in range(workers)]


class WorkerPool:
    """The workers of a node: `records` by number, and `home`, the slots that hold when all workers are live."""

    def __init__(
        self, node: Node, sockets: ListeningSockets, slots: SlotAssignment, node_number: int, workers: int
    ) -> None:
        self.records = [WorkerRecord(number, node_number) for number in range(workers)]
        self.home = deal(processes_of(node_number, workers))
        self.retired_counters: list[int] = []
        """What workers that are no more have counted."""
        self.retired_traffic: dict[str, int] = {}
        self._node = node
        self._node_number = node_number
        self._sockets = sockets
        self._slots = slots
        self._restarts_due: list[int] = []
        self._reload_at = NEVER

    def go_on_from(self, banks: Mapping[int, int]) -> None:
        """The start before this one has left calls: by worker, in which bank of the recording."""
        for record in self.records:
            if record.number in banks:
                record.go_on_after(banks[record.number])

    def resize(self, workers: int, now: float) -> None:
        """Have so many: new ones are started by the next decisions, the last ones drain and end."""
        if workers < len(self.records):
            self.home = deal(processes_of(self._node_number, workers))
        self.records += [WorkerRecord(number, self._node_number) for number in range(len(self.records), workers)]
        for record in self.records:
            record.is_retired = record.number >= workers
            if not record.is_retired:
                continue
            if record.drained(now):
                self._node.send(record.number, [Drain()])
            elif record.life == WorkerState.STARTING:
                self._node.end_worker(record.number, "is not needed any more", now)

    def restart(self, number: int, now: float) -> Refusal | None:
        """Drain a worker, stop it and start it again; why not, when it cannot be drained now."""
        if not self.records[number].drained(now):
            sentence = f"Worker {number} is {self.records[number].life.name.lower()} and cannot be drained."
            return Refusal(sentence, "wait until it is live; see `show workers`")
        self._node.log(f"Worker {number} is draining and will be restarted.")
        self._node.send(number, [Drain()])
        return None

    def restart_all(self) -> None:
        """Each needs a new start, one after another."""
        self._restarts_due = [record.number for record in self.records if not record.is_retired]

    def reload(self, at: float) -> None:
        """Have each started anew, from that moment on."""
        self._reload_at = at

    def cancel_reload(self) -> bool:
        """Take back one that has not begun: was there one?"""
        was_scheduled, self._reload_at = self._reload_at != NEVER, NEVER
        return was_scheduled

    def reload_in_s(self, now: float) -> float | None:
        """Seconds until the scheduled reload; None where none is."""
        return None if self._reload_at == NEVER else max(self._reload_at - now, 0.0)

    def tend(self, now: float) -> None:
        """Drop workers that have ended, deal anew when all new ones are live, go on with restarts."""
        while self.records[-1].is_retired and self.records[-1].life == WorkerState.ABSENT:
            self._let_go(self.records.pop())
        if now >= self._reload_at:
            self._reload_at = NEVER
            self.restart_all()
        wanted = [record for record in self.records if not record.is_retired]
        is_calm = all(record.life == WorkerState.LIVE for record in wanted)
        if is_calm and len(wanted) != len(set(self.home.owners)):
            self.home = deal(processes_of(self._node_number, len(wanted)))
        if is_calm and self._restarts_due:
            self.restart(self._restarts_due.pop(0), now)

    def _let_go(self, record: WorkerRecord) -> None:
        self.retired_counters = sums(self.retired_counters, record.counters())
        self.retired_traffic = sums_by_name(self.retired_traffic, record.traffic())
        self._sockets.trim(record.number)
        self._slots.steer(self.records)
        self._node.log(f"Worker {record.number} is removed.")
