"""One worker on its event loop: sockets, bus, questions and time on one side, the pure stack on the other.

Every input ends the same way, in `_flush`: what the stack wants to store, send, ask and be woken for is
taken from it. Datagrams and bus messages come in batches and are flushed at once; what comes in small
pieces (streams, answers) is flushed together, once for each turn of the loop.

Nothing is read from the wire until the supervisor has said whose the slots are: what waited in the
socket of a dead predecessor may by now belong to a call that a sibling has taken over.

A fault of the stack is ours: it is logged, and the worker ends, to be started afresh.

Knows nothing of SIP.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Mapping
from typing import Any, Final

from appliance import clock
from appliance.catalogue.alarms import STATE_STORE_FAILING
from appliance.catalogue.counters import CALLS_UNRECORDED
from appliance.catalogue.settings import Settings
from appliance.routing.questions import Answer
from appliance.sip.parser import SyntaxLimits
from appliance.state.messages import (
    Asked,
    BusMessage,
    Drain,
    Heartbeat,
    SlotsChanged,
    Stop,
    Told,
)
from appliance.transport.flow import Flow
from appliance.workers.datagram_doors import DatagramDoors
from appliance.workers.delays import Delays
from appliance.workers.garbage import Garbage
from appliance.workers.mirror import Mirror
from appliance.workers.outbound import Outbound
from appliance.workers.parts import CallRecorder, MessageBus, RecordJournal, SipStack
from appliance.workers.questions import Questions, Resolver, Store
from appliance.workers.reconfiguring import Reconfiguring
from appliance.workers.streams import Streams
from appliance.workers.vitals import Vitals

SUPERVISOR: Final = -1
# Timers are not more precise than this, so that a thousand of them do not make a thousand turns.
TIMER_GRAIN_S: Final = 0.002
# Rows of a list where nobody says how many are wanted.
ROWS: Final = 100
SWEEP_INTERVAL_S: Final = 1.0
# How often the supervisor hears what is asked of rate limits.
DEMAND_INTERVAL_S: Final = 0.5
LAST_WORDS_MS: Final = 200
# From the first news of the siblings until there are connections to them, by which messages may have to go on.
MEETING_S: Final = 0.05

log = logging.getLogger("signalbox.worker")


class Worker:
    """Serves until the supervisor says Stop, or until it has drained."""

    def __init__(
        self,
        number: int,
        settings: Settings,
        syntax: SyntaxLimits,
        stack: SipStack,
        bus: MessageBus,
        doors: DatagramDoors,
        resolver: Resolver,
        store: Store,
        journal: RecordJournal,
        recorder: CallRecorder,
        door: socket.socket | None = None,
    ) -> None:
        """`door`: where documents of the supervisor arrive; it becomes ours."""
        limits = settings.limits
        self._number = number
        self._heartbeat_s = settings.supervision.heartbeat_ms / 1000
        self._stack = stack
        self._bus = bus
        self._doors = doors
        self._journal = journal
        self._recorder = recorder
        # Ids of connections go on from the clock, so that none is used again by this worker's successor.
        first_id = int(clock.wall_time() * 1000) << 20
        self._streams = Streams(
            number,
            settings.listeners,
            limits,
            syntax,
            stack.counters,
            first_id,
            self._stream_messages,
            self._flush_soon,
        )
        self._questions = Questions(
            resolver,
            store,
            limits.lookups_max,
            limits.contexts_waiting_max,
            limits.lookup_timeout_ms / 1000,
            self._answers_arrived,
        )
        self._outbound = Outbound(stack, bus, doors, self._streams)
        self._vitals = Vitals(stack, doors, self._streams, self._questions, bus, journal)
        self._door = door
        self._reconfiguring = Reconfiguring(
            settings, stack, doors, self._streams, self._questions, journal, self._tell_supervisor, self._go_by
        )
        self._siblings: frozenset[int] = frozenset()
        self._delays = Delays()
        self._garbage = Garbage(clock.monotonic())
        self._is_flush_due = False
        self._flush_due_since = 0.0
        self._is_draining = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._sweep_at = 0.0
        self._demand_at = 0.0
        self._mirror: Mirror | None = None
        self._mirror_to = (SUPERVISOR, 0)
        self._turn = 0

    async def run(self, stream_sockets: Mapping[int, socket.socket]) -> int:
        """Serve; returns the exit code of the process: 0 when told to end, 1 after a fault of ours."""
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[int] = self._loop.create_future()
        self._has_slots: asyncio.Future[None] = self._loop.create_future()
        self._loop.add_reader(self._bus.fileno(), self._enter, self._read_bus)
        if self._door is not None:
            self._loop.add_reader(self._door.fileno(), self._enter, self._read_door)
        self._enter(self._read_bus)
        self._enter(self._beat, clock.monotonic())
        self._flush_soon()
        try:
            await self._open_when_placed(stream_sockets)
            return await self._ended
        finally:
            await self._close()

    async def _open_when_placed(self, stream_sockets: Mapping[int, socket.socket]) -> None:
        """Read from the wire as soon as it is known whose messages are whose."""
        await asyncio.wait((self._has_slots, self._ended), return_when=asyncio.FIRST_COMPLETED)
        if self._siblings:
            await asyncio.wait((self._ended,), timeout=MEETING_S)
        if self._ended.done():
            return
        for listener, listening in stream_sockets.items():
            if self._is_draining or not self._reconfiguring.is_listening(listener):
                listening.close()
            else:
                await self._streams.listen(listener, listening)
        self._loop.add_reader(self._doors.fileno(), self._enter, self._read_datagrams)

    def stop(self) -> None:
        """End as soon as what is at hand has been sent."""
        self._end(0)

    def _end(self, code: int) -> None:
        if not self._ended.done():
            self._ended.set_result(code)

    def _enter(self, step: Callable[..., None], *arguments: object) -> None:
        """The way in for everything the loop calls: a fault of ours ends the worker."""
        try:
            step(*arguments)
        except Exception:
            log.critical("worker %d ends by a fault of its own", self._number, exc_info=True)
            self._end(1)

    async def _close(self) -> None:
        self._loop.remove_reader(self._doors.fileno())
        self._loop.remove_reader(self._bus.fileno())
        self._close_door()
        self._reconfiguring.close()
        if self._timer is not None:
            self._timer.cancel()
        if self._ended.done() and self._ended.result() == 0:
            self._enter(self._flush)
        self._streams.close()
        self._questions.close()
        # One turn, in which the connections send what waits.
        await asyncio.sleep(0)
        self._journal.close()
        self._recorder.close()
        self._doors.close()
        self._bus.close(LAST_WORDS_MS)

    # -- inputs --------------------------------------------------------------------------------------

    def _read_datagrams(self) -> None:
        messages, failures = self._doors.read()
        now = clock.monotonic()
        if messages:
            self._delays.note_datagram(self._doors.delay_s, now)
            self._receive(messages, now)
        if failures:
            self._stack.receive_failures(failures, now)
        self._flush()

    def _stream_messages(self, batch: list[tuple[bytes, Flow]], now: float) -> None:
        self._enter(self._receive, batch, now)
        self._flush_soon()

    def _receive(self, batch: list[tuple[bytes, Flow]], now: float) -> None:
        if self._mirror is not None:
            self._mirror.received(batch, self._reconfiguring.listeners, clock.wall_time())
        self._stack.note_delay(self._delays.worst(now), now)
        self._stack.receive_datagrams(batch, now)

    def _answers_arrived(self, answers: list[Answer]) -> None:
        self._enter(self._stack.receive_answers, answers, clock.monotonic())
        self._flush_soon()

    def _read_bus(self) -> None:
        arrived = self._bus.receive()
        if self._bus.pending():
            # The descriptor tells of a change only; the sockets get their turn first.
            self._loop.call_soon(self._enter, self._read_bus)
        if not arrived:
            return
        messages = [(sender, message) for sender, message in arrived if not self._is_order(sender, message)]
        now = clock.monotonic()
        self._stack.receive_messages(messages, now)
        for _, message in messages:
            if isinstance(message, SlotsChanged):
                self._adopt(message, now)
        self._flush()

    def _adopt(self, news: SlotsChanged, now: float) -> None:
        """Go on with the calls that the dead were setting up in slots which are ours now."""
        slots = frozenset(slot for slot, owner in enumerate(news.table.owners) if owner == self._number)
        orphans = list(zip(news.orphans[::2], news.orphans[1::2], strict=True))
        self._stack.adopt(self._recorder.take(orphans, slots), now)

    def _is_order(self, sender: int, message: BusMessage) -> bool:
        """Drain, Stop and what is asked of the worker are its own, everything else is the stack's."""
        if isinstance(message, SlotsChanged):
            self._meet(frozenset(message.live) - {self._number})
            if not self._has_slots.done():
                self._has_slots.set_result(None)
            return False
        if isinstance(message, Stop):
            self._end(0)
        elif isinstance(message, Drain):
            self._is_draining = True
            self._streams.stop_listening()
        elif isinstance(message, Asked) and sender == SUPERVISOR:
            self._change(message)
        elif isinstance(message, Asked) and message.do == "mirror":
            self._begin_mirror(sender, message)
        elif isinstance(message, Asked) and message.do == "connections":
            self._bus.send(sender, [Told(message.id, self._streams.rows(int(message.args.get("limit", ROWS))))])
        else:
            return False
        return True

    # -- a mirror for an operator --------------------------------------------------------------------

    def _begin_mirror(self, sender: int, asked: Asked) -> None:
        """Show messages to whoever asks, in place of whoever asked before; `seconds` 0 ends it."""
        args = asked.args
        until = clock.monotonic() + float(args["seconds"])
        self._mirror = Mirror(str(args["from"]), str(args["call"]), int(args["lines"]), until)
        self._mirror_to = (sender, asked.id)

    def _show_mirrored(self, now: float) -> None:
        if self._mirror is None:
            return
        sender, number = self._mirror_to
        is_over = self._mirror.is_over(now)
        report = {"messages": self._mirror.take(), "missed": self._mirror.missed, "is_over": is_over}
        if report["messages"] or is_over:
            self._bus.send(sender, [Told(number, report)])
        if is_over:
            self._mirror = None

    # -- a new configuration -------------------------------------------------------------------------

    def _read_door(self) -> None:
        assert self._door is not None
        try:
            self._reconfiguring.read_door(self._door)
        except (EOFError, OSError):
            self._close_door()

    def _close_door(self) -> None:
        if self._door is not None:
            self._loop.remove_reader(self._door.fileno())
            self._door.close()
            self._door = None

    def _change(self, asked: Asked) -> None:
        if asked.do == "take effect":
            self._reconfiguring.take_effect(asked)
        elif asked.do == "let go":
            self._reconfiguring.let_go(asked)
        elif asked.do == "abandon":
            self._reconfiguring.abandon(asked)
        elif asked.do == "rate shares":
            self._stack.receive_rate_shares(asked.args["shares"])

    def _tell_supervisor(self, report: dict[str, Any]) -> None:
        self._bus.send(SUPERVISOR, [Told(0, report)])

    def _go_by(self, settings: Settings) -> None:
        """The worker's own part of new settings."""
        self._heartbeat_s = settings.supervision.heartbeat_ms / 1000
        logging.getLogger("signalbox").setLevel(settings.logging_level.upper())

    def _meet(self, siblings: frozenset[int]) -> None:
        """Connect before the first message is due, and let go of what was meant for the dead."""
        for number in self._siblings - siblings:
            self._bus.forget(number)
        self._bus.connect(sorted(siblings))
        self._siblings = siblings

    # -- the end of every input ----------------------------------------------------------------------

    def _flush_soon(self) -> None:
        if not self._is_flush_due:
            self._is_flush_due = True
            self._flush_due_since = clock.monotonic()
            self._loop.call_soon(self._enter, self._flush)

    def _flush(self) -> None:
        """Take from the stack what it wants to be done."""
        self._turn += 1
        stack = self._stack
        now = clock.monotonic()
        if self._is_flush_due:
            self._is_flush_due = False
            self._delays.note_turn(now - self._flush_due_since, now)
        if self._streams.has_changes:
            stack.connections_changed(*self._streams.take_changes())
        outgoings, records, snapshots, messages, questions, due = stack.outputs(now)
        if snapshots:
            # Before anything leaves: whoever goes on with a call knows what its peers may know.
            stack.counters[CALLS_UNRECORDED] += self._recorder.keep(snapshots, stack.counters)
        if records:
            # Before the answers leave: what was answered survives the death of this process.
            self._journal.append(records)
        failures = self._outbound.pass_on(messages) if messages else []
        if outgoings:
            if self._mirror is not None:
                self._mirror.sent(outgoings, self._reconfiguring.listeners, clock.wall_time())
            failures += self._outbound.send(outgoings)
        if self._streams.failures:
            failures += self._streams.take_failures()
        if questions:
            self._questions.ask(questions)
        if failures:
            stack.receive_failures(failures, now)
            self._flush_soon()
        if self._timer is None or due < self._timer_at:
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
        self._timer = self._loop.call_later(due - now, self._enter, self._timer_fired)

    def _timer_fired(self) -> None:
        self._timer = None
        self._stack.handle_timers(clock.monotonic())
        self._flush()

    def _beat(self, expected_at: float) -> None:
        """Tell the supervisor that this worker lives, and how; see to what is done now and then."""
        if self._ended.done():
            return
        now = clock.monotonic()
        self._vitals.note_lag(now - expected_at)
        wall_time = clock.wall_time()
        self._stack.set_wall_time(wall_time, now)
        self._journal.upkeep(now, wall_time)
        self._show_mirrored(now)
        if now >= self._sweep_at:
            self._sweep_at = now + SWEEP_INTERVAL_S
            self._streams.sweep(now)
        if now >= self._demand_at:
            self._demand_at = now + DEMAND_INTERVAL_S
            if demand := self._stack.take_rate_demand():
                self._tell_supervisor({"rate_demand": demand})
        counters, gauges = self._vitals.read()
        alarms = self._stack.alarms() + [f"{STATE_STORE_FAILING} {sentence}" for sentence in self._journal.alarms()]
        heartbeat = Heartbeat(self._number, counters, gauges, self._turn, self._stack.is_in_sync, alarms)
        self._bus.send(SUPERVISOR, [heartbeat])
        self._garbage.tend(gauges["transactions"], now)
        if self._is_draining and not gauges["transactions"]:
            self._end(0)
        self._loop.call_later(self._heartbeat_s, self._enter, self._beat, now + self._heartbeat_s)
