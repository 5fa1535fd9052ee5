"""One turn of a worker: received messages go to the stack, and the output of the stack is sent.

Every input ends the same way, in `flush`: what the stack wants to send, ask and be woken for is taken from it.
Datagrams and bus messages come in batches and are flushed at once; what comes in small pieces (streams, answers) is
flushed together, once for each turn of the loop.

A fault while one message is handled costs that message: the stack sees to it, and its faults are logged here. Any other
fault ends the worker, to be started afresh; so everything that the loop calls comes in by `enter`.

Compiled, for a turn may be one message.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from appliance import clock
from appliance.catalogue.counters import CALLS_UNRECORDED
from appliance.messages.bus_messages import BusMessage
from appliance.proxy.software_faults import SoftwareFault
from appliance.routing.lookup_questions import Answer
from appliance.stack import Stack
from appliance.storage.system_journal import fields
from appliance.transport.flow import Flow, Outgoing
from appliance.transport.process_id import ProcessId
from appliance.workers.datagram_sockets import DatagramSockets
from appliance.workers.event_watch import EventWatch
from appliance.workers.held_outgoings import AGAIN_S, HeldOutgoings
from appliance.workers.lookups import Questions
from appliance.workers.message_capture import MessageCapture
from appliance.workers.outbound import Outbound
from appliance.workers.queue_delay import QueueDelay
from appliance.workers.streams import Streams
from appliance.workers.worker_parts import CallRecorder, CopyLog

# Timers are not more precise than this, so that a thousand of them do not make a thousand turns.
TIMER_GRAIN_S: Final = 0.002
NEVER: Final = float("inf")
# What is said to the first messages of a batch does not wait until the last one has been read,
AT_ONCE: Final = 8
# but who is that late works off all there is: a flush costs as much as some messages.
LATE_S: Final = 0.01

log = logging.getLogger("signalbox.worker")


class TablesUnsound(Exception):
    """A fault has damaged the stack's own tables."""


class Turn:
    """What a worker does between two looks of its event loop.

    `failed` is called while a fault of ours is being handled. `count`: how many turns there were. `mirror`: who is
    shown the messages, if any process is. `event_watch`: the same for events. `call_log`: for copies of calls, where
    another node may go on with them.
    """

    __slots__ = (
        "_delays",
        "_doors",
        "_failed",
        "_flush_due_since",
        "_is_closed",
        "_is_flush_due",
        "_loop",
        "_outbound",
        "_questions",
        "_recorder",
        "_stack",
        "_streams",
        "_timer",
        "_timer_at",
        "call_log",
        "count",
        "event_watch",
        "held",
        "mirror",
    )

    _loop: asyncio.AbstractEventLoop
    _streams: Streams
    _questions: Questions
    _outbound: Outbound

    def __init__(
        self,
        stack: Stack,
        doors: DatagramSockets,
        recorder: CallRecorder,
        failed: Callable[[], None],
    ) -> None:
        self._stack = stack
        self._doors = doors
        self._recorder = recorder
        self._failed = failed
        self._delays = QueueDelay()
        self._is_closed = False
        self._is_flush_due = False
        self._flush_due_since = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = NEVER
        self.mirror: MessageCapture | None = None
        self.event_watch: EventWatch | None = None
        self.call_log: CopyLog | None = None
        self.held: HeldOutgoings | None = None
        self.count = 0

    def connect(self, streams: Streams, questions: Questions, outbound: Outbound) -> None:
        """The parts that call this one; before the first turn."""
        self._streams = streams
        self._questions = questions
        self._outbound = outbound

    def begin(self) -> None:
        """The first turn comes with the next of the running loop."""
        self._loop = asyncio.get_running_loop()
        self.flush_soon()

    def close(self) -> None:
        """The last turn is over: what connections still say while they end has no bus and no sockets to go by."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()

    def enter(self, step: Callable[..., None], *arguments: object) -> None:
        """The way in for everything the loop calls: a fault of ours ends the worker."""
        if self._is_closed:
            return
        try:
            step(*arguments)
        except Exception:
            self._failed()

    # -- inputs --------------------------------------------------------------------------------------

    def read_datagrams(self) -> None:
        """The doors have something to read, or to write again, or an error to tell."""
        messages, failures = self._doors.read()
        now = clock.monotonic()
        if failures:
            self._stack.receive_failures(failures, now)
        if not messages:
            self._flush(now)
            return
        self._delays.note_datagram(self._doors.delay_s, now)
        if len(messages) > AT_ONCE and self._doors.delay_s < LATE_S:
            self._receive_by_parts(messages)
            return
        self._receive(messages, now)
        self._flush(now)

    def _receive_by_parts(self, messages: list[tuple[bytes, Flow]]) -> None:
        for begin in range(0, len(messages), AT_ONCE):
            now = clock.monotonic()
            self._receive(messages[begin : begin + AT_ONCE], now)
            self._flush(now)

    def receive_streamed(self, batch: list[tuple[bytes, Flow]], now: float) -> None:
        """What a connection has brought, as much as this turn may take of it."""
        delay_s = self._streams.reading.delay_s
        if delay_s:
            self._delays.note_queue(delay_s, now)
        self._recorder.sign(now)
        self.enter(self._receive, batch, now)
        self.flush_soon()

    def receive_from_siblings(self, batch: list[tuple[ProcessId, BusMessage]], delay_s: float, now: float) -> None:
        """What siblings have handed over, after it has waited here for so long."""
        self._delays.note_queue(delay_s, now)
        self._recorder.sign(now)
        self._stack.note_delay(self._delays.worst(now), now)
        self._stack.receive_messages(batch, now)

    def _receive(self, batch: list[tuple[bytes, Flow]], now: float) -> None:
        if self.mirror is not None:
            self._show_received(batch, now)
        self._stack.note_delay(self._delays.worst(now), now)
        self._stack.receive_datagrams(batch, now)

    def _show_received(self, batch: list[tuple[bytes, Flow]], now: float) -> None:
        assert self.mirror is not None
        try:
            self.mirror.received(batch, clock.wall_time())
        except Exception as error:
            self.mirror = None
            self._stack.note_fault("the display of messages", b"", error, now)

    def _show_sent(self, outgoings: list[Outgoing], now: float) -> None:
        assert self.mirror is not None
        try:
            self.mirror.sent(outgoings, clock.wall_time())
        except Exception as error:
            self.mirror = None
            self._stack.note_fault("the display of messages", b"", error, now)

    def receive_answers(self, answers: list[Answer]) -> None:
        """What was asked of the world has been answered."""
        self.enter(self._stack.receive_answers, answers, clock.monotonic())
        self.flush_soon()

    def call_soon(self, step: Callable[[], None]) -> None:
        """Call this in the next turn of the loop, after what is due in this one."""
        self._loop.call_soon(self.enter, step)

    # -- the end of every input ----------------------------------------------------------------------

    def flush_soon(self) -> None:
        """Flush in the next turn of the loop, with what comes until then."""
        if not (self._is_flush_due or self._is_closed):
            self._is_flush_due = True
            self._flush_due_since = clock.monotonic()
            self._loop.call_soon(self.enter, self.flush)

    def flush(self) -> None:
        """Take from the stack what it wants to be done."""
        self._flush(clock.monotonic())

    def _flush(self, now: float) -> None:
        self.count += 1
        stack = self._stack
        failures: list[Outgoing] = []
        if self._is_flush_due:
            self._is_flush_due = False
            self._delays.note_turn(now - self._flush_due_since, now)
            if self._streams.has_changes:
                stack.connections_changed(*self._streams.take_changes())
            failures = self._streams.take_failures()
        outputs = stack.outputs(now)
        faults = stack.faults_to_log()
        if faults:
            log_faults(faults)
        if not stack.is_sound:
            raise TablesUnsound
        if outputs.snapshots:
            # Before anything leaves: a worker that goes on with a call knows what its peers may know.
            stack.counters[CALLS_UNRECORDED] += self._recorder.keep(outputs.snapshots, stack.counters)
        outgoings, messages, due = outputs.outgoings, outputs.messages, outputs.due
        position = self.call_log.write(outputs.copies) if outputs.copies and self.call_log is not None else 0
        if self.held is not None:
            outgoings, messages = self.held.through((outgoings, messages), position, now)
            if len(self.held):
                due = min(due, now + AGAIN_S)
        if messages:
            failures += self._outbound.pass_on(messages)
        if outgoings:
            if self.mirror is not None:
                self._show_sent(outgoings, now)
            failures += self._outbound.send(outgoings)
        if outputs.events and self.event_watch is not None:
            self.event_watch.receive(outputs.events)
        if outputs.questions:
            self._questions.ask(outputs.questions)
        if failures:
            stack.receive_failures(failures, now)
            self.flush_soon()
        if due < self._timer_at:
            self._set_timer(due, now)

    # -- time ----------------------------------------------------------------------------------------

    def _set_timer(self, due: float, now: float) -> None:
        """One timer for the stack. One that is set too early stays: it costs a turn, and moving it costs more."""
        due = max(due, now + TIMER_GRAIN_S)
        if self._timer is not None:
            if self._timer_at <= due:
                return
            self._timer.cancel()
        self._timer_at = due
        self._timer = self._loop.call_later(due - now, self.enter, self.timer_fired)

    def timer_fired(self) -> None:
        """Something of the stack is due."""
        self._timer = None
        self._timer_at = NEVER
        now = clock.monotonic()
        self._stack.handle_timers(now)
        self._flush(now)


def log_faults(faults: list[SoftwareFault]) -> None:
    """Each with its traceback."""
    for fault in faults:
        about = f", hash {fault.digest}" if fault.digest else ""
        known = {"call_id": fault.call_id} if fault.call_id else {}
        event = fields("software fault", message_hash=fault.digest, **known)
        log.error("software fault while processing %s%s", fault.doing, about, exc_info=fault.error, extra=event)
