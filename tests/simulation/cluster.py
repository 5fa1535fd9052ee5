"""The workers of a node in one process: stacks, the bus between them, and who gets which datagram.

A node of several (nodes.py) gives out copies of its calls, and takes over those of another one.

The bus keeps the order of each pair of workers and loses nothing but what goes to the dead. Datagrams are
steered by Call-ID as the kernel does it, by a table that lags behind the workers', or at random.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from random import Random

from appliance.catalogue.settings import Settings
from appliance.location.dict_table import DictStore
from appliance.messages.bus_messages import BusMessage, CallsMoved, PeerStarted, SlotsChanged
from appliance.messages.call_copies import CallCopy
from appliance.messages.codec import decode, encode
from appliance.messages.node_start import NodeStart
from appliance.messages.slots import SlotTable, deal, give_back, move, seed_of, slot_of
from appliance.routing.lookup_questions import Answer, FindSubscriber, Question, SubscriberAnswer
from appliance.security.nonce_table import memory_len
from appliance.sip.parser import find_call_id
from appliance.stack import Stack
from appliance.transport.flow import Flow, Outgoing
from appliance.transport.process_id import SUPERVISOR, process_id
from tests.dns_answers import dns_answer
from tests.simulation.schedule import Schedule
from tests.tables import new_table

KEY = b"simulated-appliance-key"
LIVE_AFTER_S = 0.5
SWEEP_S = 1.0
SWEPT_MAX = 1000
WALL_TIME = 1_700_000_000.0
BUS_DELAY_S = (0.0001, 0.003)
# Workers that are busy hear of a change of slots at different times, and meanwhile go by different tables.
NEWS_DELAY_S = (0.0001, 0.2)
STORE_DELAY_S = (0.001, 0.2)
# From the kernel's lease to the worker.
OWNER_NEWS_DELAY_S = (0.001, 0.05)
# What the last owner had sent arrives until then.
LATE_S = 0.1
ADDRESS = 1
# How long after a change of slots the kernel may still steer by the old table.
STEERING_LAG_S = 0.2


Recording = dict[bytes, tuple[int, bytes]]


class Cluster:
    """Workers by number; `send` takes what they send to the network."""

    def __init__(
        self,
        settings: Settings,
        workers: int,
        schedule: Schedule,
        random: Random,
        send: Callable[[Outgoing], None],
        is_steered: bool = True,
        store_fails: float = 0.0,
        node: int = 0,
        boot: bytes = b"",
        store: DictStore | None = None,
        copy: Callable[[Sequence[CallCopy]], None] | None = None,
    ) -> None:
        """`copy` takes what another node is to know of calls: all listeners are at a virtual address then."""
        self.schedule = schedule
        self.table: SlotTable = deal([process_id(node, worker) for worker in range(workers)])
        self.stacks: dict[int, Stack] = {}
        self.store = DictStore() if store is None else store
        self.is_owner = False
        self._counters_of_the_dead: list[list[int]] = []
        self._home = self.table
        self._steering = self.table
        self._settings = settings
        self._random = random
        self._send = send
        self._is_steered = is_steered
        self._seed = seed_of(KEY, boot)
        self._copy = copy
        self._store_fails = store_fails
        self._bus_free_at: dict[tuple[int, int], float] = {}
        # What workers keep of calls that are being set up, what the dead left, and what another node has left here:
        # (slot, snapshot) by key.
        self._recordings: dict[int, Recording] = {}
        self._orphans: list[Recording] = []
        self._taken_over: list[Recording] = []
        # What waits in the sockets of workers that do not know yet whose slots are whose; they read nothing before.
        self._unread: dict[int, list[tuple[bytes, Flow]]] = {}
        self._started = schedule.now
        self._start = NodeStart(boot, memoryview(bytearray(memory_len(settings.limits.nonces_max))))
        for worker in dict.fromkeys(self.table.owners):
            self._new_stack(worker)
        self._tell_slots()
        self._sweep()

    def _new_stack(self, worker: int) -> Stack:
        now = self.schedule.now
        stack = Stack(self._settings, worker, KEY, new_table(self.store), now, self.wall_time, self._start)
        self.stacks[worker] = stack
        if self._copy is not None:
            stack.takeover.use([ADDRESS] * len(self._settings.listeners))
            if self.is_owner:
                stack.takeover.owned(ADDRESS, False, now)
        self._recordings[worker] = {}
        self._unread[worker] = []
        return stack

    @property
    def wall_time(self) -> float:
        """Unix time."""
        return WALL_TIME + self.schedule.now - self._started

    # -- the registration table ----------------------------------------------------------------------

    def _sweep(self) -> None:
        """What is over goes, as the persister sees to it."""
        new_table(self.store).expire(self.wall_time, SWEPT_MAX)
        self.schedule.after(SWEEP_S, self._sweep)

    def hold_lock(self, seconds: float) -> None:
        """Another process writes to the table for so long."""
        self.store.is_locked = True
        self.schedule.after(seconds, self._free_lock)

    def _free_lock(self) -> None:
        self.store.is_locked = False

    # -- life and death ------------------------------------------------------------------------------

    def kill(self, worker: int) -> None:
        """A worker is gone with all it had; its siblings are told and the kernel steers anew a little later."""
        self._counters_of_the_dead.append(self.stacks.pop(worker).counters)
        self._orphans.append(self._recordings.pop(worker))
        self._unread.pop(worker, None)
        self.table = move(self.table, worker, list(self.stacks))
        self._tell_slots()

    def end(self) -> None:
        """The whole node is gone."""
        self._counters_of_the_dead += [stack.counters for stack in self.stacks.values()]
        self.stacks.clear()

    def revive(self, worker: int) -> None:
        """It starts again; when it is live, it takes its slots back."""
        stack = self._new_stack(worker)
        for sibling in self.stacks:
            if sibling != worker:
                self._carry(worker, sibling, PeerStarted())
        self._tell_slots()
        self.schedule.after(LIVE_AFTER_S, lambda: self._give_back(worker, stack))

    def _give_back(self, worker: int, stack: Stack) -> None:
        if self.stacks.get(worker) is stack:
            self.table = give_back(self.table, worker, list(self.stacks), self._home)
            self._tell_slots()

    def move_slots(self) -> None:
        """Slots get other owners though no worker has died, as when workers drain or are added."""
        owners = list(self.stacks)
        self._random.shuffle(owners)
        self.table = deal(owners, self.table.epoch + 1)
        self._tell_slots()

    def _tell_slots(self) -> None:
        for worker in self.stacks:
            self._carry(SUPERVISOR, worker, SlotsChanged(self.table, list(self.stacks)))
        table = self.table
        self.schedule.after(self._random.uniform(0, STEERING_LAG_S), lambda: self._steer_by(table))

    def _steer_by(self, table: SlotTable) -> None:
        if table.epoch >= self._steering.epoch:
            self._steering = table

    # -- the network ---------------------------------------------------------------------------------

    def receive(self, data: bytes, flow: Flow) -> None:
        """A datagram arrives at the node's address."""
        worker = self._steer(data)
        if worker in self._unread:
            self._unread[worker].append((data, flow))
        elif worker in self.stacks:
            self.stacks[worker].receive_datagrams([(data, flow)], self.schedule.now)
            self._drain(worker)

    def _steer(self, data: bytes) -> int:
        call_id = find_call_id(data)
        if not self._is_steered or call_id is None:
            return self._random.choice(list(self.stacks))
        return self._steering.owner_of(slot_of(call_id, self._seed))

    # -- turns ---------------------------------------------------------------------------------------

    def next_timer(self) -> float:
        """When the next worker wants its timers handled."""
        return min(stack.next_timer() for stack in self.stacks.values())

    def handle_timers(self) -> None:
        """The timers of every worker that is due."""
        for worker, stack in list(self.stacks.items()):
            if stack.next_timer() <= self.schedule.now:
                stack.handle_timers(self.schedule.now)
                self._drain(worker)

    def _drain(self, worker: int) -> None:
        stack, now = self.stacks[worker], self.schedule.now
        for fault in stack.faults_to_log():
            raise fault.error
        outputs = stack.outputs(now)
        self._record(worker, outputs.snapshots)
        if self._copy is not None and outputs.copies:
            self._copy(outputs.copies)
        for outgoing in outputs.outgoings:
            self._send(outgoing)
        for target, message in outputs.messages:
            if isinstance(message, CallsMoved) and target not in self.stacks:
                # The bus refuses what is for the dead: the calls stay until the next table.
                stack.calls_unmoved(message, now)
                self._record(worker, stack.outputs(now).snapshots)
            else:
                self._carry(worker, target, message)
        for question in outputs.questions:
            self.schedule.after(self._random.uniform(*STORE_DELAY_S), self._answering(worker, stack, question))

    def _record(self, worker: int, kept: list[tuple[bytes, int, bytes]]) -> None:
        recording = self._recordings[worker]
        for key, slot, snapshot in kept:
            if snapshot:
                recording[key] = slot, snapshot
            else:
                recording.pop(key, None)

    def _adopt(self, worker: int, table: SlotTable) -> None:
        """The heir of a slot goes on with the calls in it, as the worker's process has it."""
        stack, now = self.stacks[worker], self.schedule.now
        for recording in self._orphans:
            stack.adopt(_taken(recording, worker, table), now)
        for recording in self._taken_over:
            stack.takeover.adopt(_taken(recording, worker, table), now)

    # -- the virtual address ---------------------------------------------------------------------------

    def own(self, copies: Iterable[CallCopy]) -> None:
        """The address is here, with the calls that its last owner was setting up; workers hear of it one by one."""
        self.is_owner = True
        self.take_over(copies)
        for worker, stack in self.stacks.items():
            self.schedule.after(self._random.uniform(*OWNER_NEWS_DELAY_S), self._telling_owner(worker, stack))

    def take_over(self, copies: Iterable[CallCopy]) -> None:
        """Calls of the last owner, for the workers to go on with."""
        self._taken_over.append(
            {key: (slot_of(call_id, self._seed), snapshot) for key, call_id, _, snapshot in copies}
        )

    def _telling_owner(self, worker: int, stack: Stack) -> Callable[[], None]:
        def deed() -> None:
            if self.stacks.get(worker) is stack and self.is_owner:
                stack.takeover.owned(ADDRESS, True, self.schedule.now)
                self._adopt_late(worker, stack)
                self.schedule.after(LATE_S, lambda: self._adopt_late(worker, stack))

        return deed

    def _adopt_late(self, worker: int, stack: Stack) -> None:
        if self.stacks.get(worker) is stack:
            self._adopt(worker, self.table)
            self._drain(worker)

    def lose(self) -> None:
        """The address goes to another node in order; workers hear of it one by one."""
        self.is_owner = False
        for worker, stack in self.stacks.items():
            self.schedule.after(self._random.uniform(*OWNER_NEWS_DELAY_S), self._telling_loss(worker, stack))

    def _telling_loss(self, worker: int, stack: Stack) -> Callable[[], None]:
        def deed() -> None:
            if self.stacks.get(worker) is stack and not self.is_owner:
                stack.takeover.lost(ADDRESS, self.schedule.now)
                self._drain(worker)

        return deed

    # -- between workers -------------------------------------------------------------------------------

    def _carry(self, sender: int, target: int, message: BusMessage) -> None:
        """Over the bus: as octets, in order."""
        octets = encode(message)
        pair = (sender, target)
        delay_s = self._random.uniform(*(NEWS_DELAY_S if sender == SUPERVISOR else BUS_DELAY_S))
        due = max(self.schedule.now + delay_s, self._bus_free_at.get(pair, 0.0))
        self._bus_free_at[pair] = due
        stack = self.stacks.get(target)
        self.schedule.after(due - self.schedule.now, lambda: self._arrive(sender, target, stack, decode(octets)))

    def _arrive(self, sender: int, target: int, stack: Stack | None, message: BusMessage) -> None:
        # What was on its way to a process that died does not reach the next one of that number.
        if stack is not None and self.stacks.get(target) is stack:
            stack.receive_messages([(sender, message)], self.schedule.now)
            if isinstance(message, SlotsChanged):
                self._adopt(target, message.table)
                stack.receive_datagrams(self._unread.pop(target, []), self.schedule.now)
            self._drain(target)

    def _answering(self, worker: int, stack: Stack, question: Question) -> Callable[[], None]:
        def deed() -> None:
            if self.stacks.get(worker) is stack:
                stack.receive_answers([self._answer(question)], self.schedule.now)
                self._drain(worker)

        return deed

    def _answer(self, question: Question) -> Answer:
        failed = self._random.random() < self._store_fails
        if not isinstance(question, FindSubscriber):
            return dns_answer(question, (), failed)
        if failed or not question.username.startswith(b"phone"):
            return SubscriberAnswer(question.id, False, failed)
        text = question.username + b":" + question.realm + b":secret"
        return SubscriberAnswer(
            question.id, True, False, hashlib.md5(text).hexdigest().encode(), hashlib.sha256(text).hexdigest().encode()
        )

    # -- what is left --------------------------------------------------------------------------------

    def counted(self, counter: int) -> int:
        """A counter, over all workers that ever lived."""
        living = [stack.counters for stack in self.stacks.values()]
        return sum(counters[counter] for counters in [*living, *self._counters_of_the_dead])

    def gauges(self, name: str) -> list[int]:
        """One gauge of every worker."""
        return [stack.gauges()[name] for stack in self.stacks.values()]

    def call_id_owned_by(self, worker: int, words: Iterable[str]) -> str:
        """The first of the words that names a call of that worker."""
        return next(word for word in words if self.table.owner_of(slot_of(word.encode(), self._seed)) == worker)


def _taken(recording: Recording, worker: int, table: SlotTable) -> list[bytes]:
    """Take out the snapshots of this worker's slots."""
    due = [key for key, (slot, _) in recording.items() if table.owner_of(slot) == worker]
    return [recording.pop(key)[1] for key in due]
