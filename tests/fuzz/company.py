"""Several workers' stacks and the bus between them, all at the mercy of a test: what arrives when, and what does not.

Each stack is drained as a worker drains it (workers/worker.py): snapshots are kept before anything leaves, what the bus
refuses comes back, and the new owner of slots adopts the calls of a dead worker. The bus keeps the order of each pair.
"""

from __future__ import annotations

from collections import deque

from appliance.catalogue.settings import Settings
from appliance.location.dict_table import DictStore
from appliance.messages.bus_messages import BusMessage, CallsMoved, PeerStarted, SendByConnection, SlotsChanged
from appliance.messages.codec import decode, encode
from appliance.messages.slots import SlotTable, deal
from appliance.routing.lookup_questions import Answer, Question
from appliance.stack import Stack
from appliance.transport.flow import TCP, UDP, Flow, Outgoing
from appliance.transport.process_id import SUPERVISOR
from tests.tables import new_table

KEY = b"company of stacks"
# Messages that the bus holds for one destination.
QUEUE_LEN_MAX = 200
SENT_KEPT = 200


def expect_no_fault(stack: Stack) -> None:
    """Raises what a fault in the software has raised inside of the stack."""
    for fault in stack.faults_to_log():
        raise fault.error


Recording = dict[bytes, tuple[int, bytes]]


class WorkerGroup:
    """Workers by number; `sent` is what they sent last, and who sent it."""

    def __init__(self, settings: Settings, workers: int, now: float, wall_time: float) -> None:
        self.now = now
        self.settings = settings
        self.stacks: dict[int, Stack] = {}
        self.sent: deque[tuple[int, Outgoing]] = deque(maxlen=SENT_KEPT)
        self.fresh: list[Outgoing] = []
        """What was sent since the test emptied this list."""
        self.questions: list[tuple[Stack, Question]] = []
        self.connections: dict[int, list[Flow]] = {}
        self.deaf: set[int] = set()
        """Workers whose queues take nothing."""
        self.recordings: dict[int, Recording] = {}
        self.orphans: list[Recording] = []
        self._wall_offset_s = wall_time - now
        self._bus: dict[tuple[int, int], deque[bytes]] = {}
        self.store = DictStore()
        self._last_connection = 0
        self._table: SlotTable = deal(range(workers))
        for worker in range(workers):
            self._start(worker)
        self.deal_slots(list(range(workers)))

    # -- who lives, and who owns what ----------------------------------------------------------------

    def _start(self, worker: int) -> None:
        table = new_table(self.store)
        stack = Stack(self.settings, worker, KEY, table, self.now, self.now + self._wall_offset_s)
        self.stacks[worker] = stack
        self.recordings[worker] = {}
        self.connections[worker] = []

    def deal_slots(self, order: list[int]) -> None:
        """Another table of slots, dealt to the living in this order; all are told by the supervisor."""
        self._table = deal([worker for worker in order if worker in self.stacks], self._table.epoch + 1)
        for worker in self.stacks:
            self._carry(SUPERVISOR, worker, SlotsChanged(self._table, list(self.stacks)))

    def kill(self, worker: int) -> None:
        """It is gone with all that it had, and with what was on its way to it."""
        del self.stacks[worker], self.connections[worker]
        self.orphans.append(self.recordings.pop(worker))
        self.deaf.discard(worker)
        for pair in list(self._bus):
            if worker in pair:
                del self._bus[pair]
        self.deal_slots(sorted(self.stacks))

    def revive(self, worker: int) -> None:
        """It starts again."""
        self._start(worker)
        for sibling in self.stacks:
            if sibling != worker:
                self._carry(worker, sibling, PeerStarted())
        self.deal_slots(sorted(self.stacks))

    def reconfigure(self, settings: Settings) -> None:
        """New settings for all."""
        self.settings = settings
        for worker, stack in self.stacks.items():
            stack.reconfigure(settings, self.now)
            self._drain(worker)

    # -- what happens to a worker --------------------------------------------------------------------

    def receive(self, worker: int, data: bytes, flow: Flow) -> None:
        """A message of the wire, wherever the kernel puts it."""
        self.stacks[worker].receive_datagrams([(data, flow)], self.now)
        self._drain(worker)

    def fail(self, worker: int, outgoing: Outgoing) -> None:
        """What it sent could not be sent."""
        self.stacks[worker].receive_failures([outgoing], self.now)
        self._drain(worker)

    def answer(self, stack: Stack, answer: Answer) -> None:
        """An answer arrives, unless the worker that asked is dead."""
        for worker, living in list(self.stacks.items()):
            if living is stack:
                stack.receive_answers([answer], self.now)
                self._drain(worker)

    def open_connection(self, worker: int, listener: int, remote: tuple[str, int]) -> None:
        """A peer has opened a connection and said something."""
        self._last_connection += 1
        flow = Flow(TCP, listener, remote, worker, self._last_connection)
        self.connections[worker].append(flow)
        self.stacks[worker].connections_changed([flow], [])
        self._drain(worker)

    def close_connection(self, worker: int) -> None:
        """Its oldest connection ends."""
        self.stacks[worker].connections_changed([], [self.connections[worker].pop(0)])
        self._drain(worker)

    def tell(self, worker: int, message: BusMessage) -> None:
        """A message of the supervisor."""
        self._carry(SUPERVISOR, worker, message)

    # -- the bus -------------------------------------------------------------------------------------

    def _carry(self, sender: int, target: int, message: BusMessage) -> bool:
        queue = self._bus.setdefault((sender, target), deque())
        is_full = sender != SUPERVISOR and (target in self.deaf or len(queue) >= QUEUE_LEN_MAX)
        if target not in self.stacks or is_full:
            return False
        queue.append(encode(message))
        return True

    def waiting(self) -> list[tuple[int, int]]:
        """The pairs with messages on their way."""
        return [pair for pair, queue in self._bus.items() if queue]

    def deliver(self, pair: tuple[int, int], count: int) -> None:
        """The next messages of a pair arrive together."""
        queue, (sender, target) = self._bus[pair], pair
        batch = [(sender, decode(queue.popleft())) for _ in range(min(count, len(queue)))]
        stack = self.stacks[target]
        # Answers to what an operator asked are not for workers.
        stack.receive_messages([item for item in batch if item[0] != target], self.now)
        for _, message in batch:
            if isinstance(message, SlotsChanged):
                self._adopt(target, message.table)
        self._drain(target)

    def deliver_all(self) -> None:
        """Everything that is on its way now; what that leads to is not."""
        for pair in self.waiting():
            if pair in self._bus:
                self.deliver(pair, len(self._bus[pair]))

    def _adopt(self, worker: int, table: SlotTable) -> None:
        for recording in self.orphans:
            due = [key for key, (slot, _) in recording.items() if table.owner_of(slot) == worker]
            self.stacks[worker].adopt([recording.pop(key)[1] for key in due], self.now)

    # -- time ----------------------------------------------------------------------------------------

    def pass_time(self, seconds: float, is_bus_stuck: bool = False) -> None:
        """Every timer fires when it is due; the bus delivers between them, unless it is stuck."""
        end = self.now + seconds
        while (due := min(stack.next_timer() for stack in self.stacks.values())) <= end:
            self.now = max(self.now, due)
            for worker, stack in list(self.stacks.items()):
                if stack.next_timer() <= self.now:
                    stack.handle_timers(self.now)
                    self._drain(worker)
            if not is_bus_stuck:
                self.deliver_all()
        self.now = end

    # -- the end of every input ----------------------------------------------------------------------

    def _drain(self, worker: int) -> None:
        """As a worker's flush: what failed is told the stack, which may then have more."""
        failures = self._flush(worker)
        while failures:
            self.stacks[worker].receive_failures(failures, self.now)
            failures = self._flush(worker)

    def _flush(self, worker: int) -> list[Outgoing]:
        stack = self.stacks[worker]
        expect_no_fault(stack)
        outgoings = stack.datagrams_to_send(self.now)
        self._record(worker, stack.snapshots_to_keep())
        failures: list[Outgoing] = []
        for target, message in stack.messages_to_send(self.now):
            if target >= 0 and not self._carry(worker, target, message):
                failures += self._take_back(worker, message)
        self.questions.extend((stack, question) for question in stack.questions_to_ask())
        return failures + [outgoing for outgoing in outgoings if not self._send(worker, outgoing)]

    def _take_back(self, worker: int, message: BusMessage) -> list[Outgoing]:
        if isinstance(message, CallsMoved):
            self.stacks[worker].adopt(message.snapshots, self.now)
        return [message.outgoing] if isinstance(message, SendByConnection) else []

    def _send(self, worker: int, outgoing: Outgoing) -> bool:
        """A message by a connection that is gone fails; one for which a connection may be opened goes out."""
        self.fresh.append(outgoing)
        flow = outgoing.flow
        if flow.transport != UDP and flow.connection and flow not in self.connections[worker]:
            return False
        self.sent.append((worker, outgoing))
        return True

    def _record(self, worker: int, kept: list[tuple[bytes, int, bytes]]) -> None:
        for key, slot, snapshot in kept:
            if snapshot:
                self.recordings[worker][key] = slot, snapshot
            else:
                self.recordings[worker].pop(key, None)
