"""One worker on its event loop: its start and end, and the requests of the supervisor and of other workers.

Nothing is read from the wire until the supervisor has said whose the slots are: what waited in the
socket of a dead predecessor may by now belong to a call that a sibling has taken over.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

from appliance import clock
from appliance.catalogue.settings import Settings
from appliance.messages.address_messages import AddressLost, AddressOwned, AddressOwners
from appliance.messages.bus_messages import (
    Abandon,
    BusMessage,
    CloseListeners,
    Drain,
    FailuresCounted,
    HandedOver,
    HandedOverTaken,
    PeerStarted,
    RateShares,
    SlotsChanged,
    Stop,
    TakeEffect,
)
from appliance.messages.routing_messages import ListLookups
from appliance.messages.sealing_messages import SealingKeysChanged, SealingKeysTaken
from appliance.messages.supervisor_requests import ClearFailures, EndRegistrations
from appliance.messages.table_messages import TableReplaced
from appliance.messages.worker_requests import ListConnections
from appliance.sip.parser import SyntaxLimits
from appliance.stack import Stack
from appliance.storage.log_file import log_by
from appliance.storage.route_store import RouteFollower
from appliance.tls_contexts import TlsContexts
from appliance.transport.process_id import ProcessId, supervisor_of, worker_of
from appliance.workers.accepting_sockets import Endpoint
from appliance.workers.address_changes import AddressChanges
from appliance.workers.datagram_sockets import DatagramSockets
from appliance.workers.gc_schedule import GcSchedule
from appliance.workers.handed_over import HandedOverQueue
from appliance.workers.handover_windows import ACKNOWLEDGED_AT_ONCE
from appliance.workers.handshakes import Handshakes
from appliance.workers.held_outgoings import HeldOutgoings
from appliance.workers.live_output import LiveOutput
from appliance.workers.lookup_doors import Resolver, Store, SubscriberDoor, doors_of_questions
from appliance.workers.lookups import Questions
from appliance.workers.outbound import Outbound
from appliance.workers.reconfiguration import WorkerReconfiguration
from appliance.workers.route_lookup_door import RouteLookupDoor
from appliance.workers.streams import Streams
from appliance.workers.turn import Turn
from appliance.workers.unreached_siblings import RETRY_S
from appliance.workers.worker_metrics import WorkerMetrics
from appliance.workers.worker_parts import CallRecorder, CopiedCallSource, CopyLog, MessageBus, NodeTable
from appliance.workers.worker_reports import SIGNS_PER_BEAT, WorkerReports

LAST_WORDS_MS: Final = 200
# From the first news of the siblings until there are connections to them, by which messages may have to go on.
MEETING_S: Final = 0.05

log = logging.getLogger("signalbox.worker")


class Worker:
    """Serves until the supervisor says Stop, or until it has drained."""

    def __init__(
        self,
        process: ProcessId,
        settings: Settings,
        syntax: SyntaxLimits,
        stack: Stack,
        bus: MessageBus,
        doors: DatagramSockets,
        resolver: Resolver,
        store: Store,
        table: NodeTable,
        recorder: CallRecorder,
        door: socket.socket | None = None,
        descriptors_max: int = sys.maxsize,
        lifetime_clock: Callable[[], float] = clock.wall_time,
        routes: RouteFollower | None = None,
        call_log: CopyLog | None = None,
        copied_calls: CopiedCallSource | None = None,
        held: HeldOutgoings | None = None,
    ) -> None:
        """`door`: where documents of the supervisor arrive; it becomes ours. `descriptors_max`: for connections.
        `lifetime_clock`: by which registrations live. `routes`: where route tables come from. `call_log`,
        `copied_calls`, `held`: of a node in a cluster."""
        limits = settings.limits
        self._process, self._supervisor = process, supervisor_of(process)
        self._heartbeat_s = settings.supervision.heartbeat_ms / 1000
        self._signs_left = 0
        self._stack, self._bus, self._doors = stack, bus, doors
        self._table = table
        self._recorder = recorder
        self._turn = turn = Turn(stack, doors, recorder, self._failed)
        turn.call_log, turn.held = call_log, held
        self._addresses = AddressChanges(process, stack, doors, settings, copied_calls, self._call_later)
        # Ids of connections go on from the clock, so that none is used again by this worker's successor.
        self._lifetime_clock = lifetime_clock
        first_id = int(lifetime_clock() * 1000) << 20
        self._handshakes = Handshakes(TlsContexts(settings), settings.tls, stack.counters)
        self._streams = Streams(
            process,
            settings.listeners,
            limits,
            syntax,
            self._handshakes,
            stack.counters,
            first_id,
            turn.receive_streamed,
            turn.flush_soon,
            turn.call_soon,
        )
        self._streams.descriptors_max = descriptors_max
        self._subscriber_door = SubscriberDoor(store, limits)
        self._route_lookups = RouteLookupDoor(settings.lookups)
        asked = doors_of_questions(resolver, self._subscriber_door, self._route_lookups, self._streams)
        self._questions = Questions(asked, limits, turn.receive_answers)
        self._outbound = Outbound(stack, bus, doors, self._streams, self._send_waiting_soon)
        turn.connect(self._streams, self._questions, self._outbound)
        self._handed_over = HandedOverQueue()
        self._is_bus_due = False
        self._metrics = WorkerMetrics(stack, doors, self._streams, self._questions, self._subscriber_door, bus)
        parts = stack, self._metrics, turn, table, self._handshakes, self._subscriber_door, routes
        self._reports = WorkerReports(worker_of(process), *parts, self._tell_supervisor)
        self._door = door
        self._reconfiguring = WorkerReconfiguration(
            settings, stack, doors, self._streams, self._questions, self._tell_supervisor, self._go_by
        )
        self._orders = self._orders_of_supervisor()
        self._siblings: frozenset[ProcessId] = frozenset()
        self._gc_schedule = GcSchedule(clock.monotonic())
        self._is_draining = False
        self._live_output = LiveOutput(stack, turn, bus, lambda: self._reconfiguring.listeners)

    def _orders_of_supervisor(self) -> dict[type[BusMessage], Callable[[Any], object]]:
        """What only the supervisor may order, and who does it."""
        stack, failures, rollout = self._stack, self._stack.authentication_failures, self._reconfiguring
        return {
            TakeEffect: rollout.take_effect,
            Abandon: rollout.abandon,
            CloseListeners: rollout.close_listeners,
            RateShares: lambda order: stack.receive_rate_shares(order.shares),
            FailuresCounted: lambda order: failures.receive_news(order.failures, clock.monotonic()),
            ClearFailures: lambda order: failures.clear(order.who),
            AddressOwned: self._addresses.owned,
            AddressLost: self._addresses.lost,
            AddressOwners: lambda order: stack.node_flows.owners.told(order.addresses, order.owners),
            SealingKeysChanged: self._take_sealing_keys,
            TableReplaced: lambda order: self._move_to_table(order.directory),
            EndRegistrations: lambda order: stack.end_registrations(
                order.username.encode(), order.realm.encode(), clock.monotonic()
            ),
        }

    def _take_sealing_keys(self, order: SealingKeysChanged) -> None:
        self._stack.use_sealing_keys(order.keys)
        self._bus.send(self._supervisor, [SealingKeysTaken(order.keys.step)])

    async def run(self, stream_sockets: Mapping[Endpoint, socket.socket]) -> int:
        """Serve; returns the exit code of the process: 0 when told to end, 1 after a fault of ours."""
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[int] = self._loop.create_future()
        self._has_slots: asyncio.Future[None] = self._loop.create_future()
        self._turn.begin()
        self._loop.add_reader(self._bus.fileno(), self._turn.enter, self._read_bus)
        if self._door is not None:
            self._loop.add_reader(self._door.fileno(), self._turn.enter, self._read_door)
        self._turn.enter(self._read_bus)
        self._turn.enter(self._sign, clock.monotonic())
        try:
            await self._open_when_placed(stream_sockets)
            return await self._ended
        finally:
            await self._close()

    async def _open_when_placed(self, stream_sockets: Mapping[Endpoint, socket.socket]) -> None:
        """Read from the wire as soon as it is known whose messages are whose."""
        await asyncio.wait((self._has_slots, self._ended), return_when=asyncio.FIRST_COMPLETED)
        if self._siblings:
            await asyncio.wait((self._ended,), timeout=MEETING_S)
        if self._ended.done():
            return
        for endpoint, listening in stream_sockets.items():
            if self._is_draining or not self._reconfiguring.is_listening(*endpoint):
                listening.close()
            else:
                await self._streams.listen(*endpoint, listening)
        self._loop.add_reader(self._doors.fileno(), self._turn.enter, self._turn.read_datagrams)

    def stop(self) -> None:
        """End as soon as what is at hand has been sent."""
        self._end(0)

    def _failed(self) -> None:
        """A fault of ours is being handled."""
        log.critical("worker %d exits because of a software fault", worker_of(self._process), exc_info=True)
        self._end(1)

    def _end(self, code: int) -> None:
        if not self._ended.done():
            self._ended.set_result(code)

    async def _close(self) -> None:
        self._loop.remove_reader(self._doors.fileno())
        self._loop.remove_reader(self._bus.fileno())
        self._close_door()
        self._reconfiguring.close()
        if self._turn.held is not None:
            self._turn.held.is_waiting = False
        if self._ended.done() and self._ended.result() == 0:
            self._turn.enter(self._turn.flush)
        self._turn.close()
        self._streams.close()
        self._questions.close()
        # One turn, in which the connections send what waits.
        await asyncio.sleep(0)
        self._table.close()
        self._recorder.close()
        if self._turn.call_log is not None:
            self._turn.call_log.close()
        self._doors.close()
        self._bus.close(LAST_WORDS_MS)

    # -- the bus -------------------------------------------------------------------------------------

    def _read_bus(self) -> None:
        """A portion of it; the sockets and timers get their turn before the next one."""
        has_read = False if self._handed_over.is_full else self._receive_from_bus()
        now = clock.monotonic()
        portion = self._handed_over.take(now)
        if portion:
            self._turn.receive_from_siblings(portion, self._handed_over.delay_s, now)
            self._acknowledge()
        # The descriptor tells of a change only.
        if self._handed_over.is_ready or self._bus.pending():
            self._read_bus_soon()
        if has_read or portion:
            self._turn.flush()

    def _receive_from_bus(self) -> bool:
        """All but what was handed over is handled at once; False when there was nothing."""
        arrived = self._bus.receive()
        if not arrived:
            return False
        now = clock.monotonic()
        messages = [(sender, message) for sender, message in arrived if not self._takes_order(sender, message, now)]
        # Calls come before what siblings have handed over, which may be a CANCEL of one of them.
        self._stack.receive_messages(messages, now)
        for _, message in messages:
            if isinstance(message, SlotsChanged):
                self._adopt(message, now)
        return True

    def _read_bus_soon(self) -> None:
        if not self._is_bus_due:
            self._is_bus_due = True
            self._turn.call_soon(self._read_bus_again)

    def _read_bus_again(self) -> None:
        self._is_bus_due = False
        self._read_bus()

    def _call_later(self, seconds: float, step: Callable[[], None]) -> None:
        """In a turn of its own."""
        self._loop.call_later(seconds, self._turn.enter, self._step_and_flush, step)

    def _step_and_flush(self, step: Callable[[], None]) -> None:
        step()
        self._turn.flush()

    def _send_waiting_soon(self) -> None:
        self._loop.call_later(RETRY_S, self._turn.enter, self._send_waiting)

    def _send_waiting(self) -> None:
        self._outbound.send_waiting()
        self._turn.flush_soon()

    def _acknowledge(self) -> None:
        """Siblings hold back what streams bring until they know how much of it is handled."""
        for sender, count in self._handed_over.acknowledgements(ACKNOWLEDGED_AT_ONCE):
            if self._bus.send(sender, [HandedOverTaken(count)]):
                self._handed_over.acknowledged(sender)

    def _adopt(self, news: SlotsChanged, now: float) -> None:
        """Go on with the calls that the dead were setting up in slots which are ours now."""
        slots = frozenset(slot for slot, owner in enumerate(news.table.owners) if owner == self._process)
        self._stack.adopt(self._recorder.take(_pairs(news.orphans), slots), now)
        # The listeners of that start may have been at other places, as those of another node are.
        self._stack.takeover.adopt(self._recorder.take(_pairs(news.former), slots), now)
        self._addresses.slots_changed(slots, news.live, now)

    def _takes_order(self, sender: ProcessId, message: BusMessage, now: float) -> bool:
        """`_is_order`; a fault costs this message, unless it says what this worker is to serve."""
        try:
            return self._is_order(sender, message)
        except Exception as error:
            if isinstance(message, (SlotsChanged, Drain, Stop)):
                raise
            self._stack.note_fault(f"a bus message, {type(message).__name__}", b"", error, now)
            return True

    def _is_order(self, sender: ProcessId, message: BusMessage) -> bool:
        """Drain, Stop and what is asked of the worker are its own, everything else is the stack's, at once or later."""
        if isinstance(message, HandedOver):
            self._handed_over.add(sender, message, clock.monotonic())
            return True
        if isinstance(message, SlotsChanged):
            self._meet(frozenset(message.live) - {self._process})
            self._handed_over.release()
            if not self._has_slots.done():
                self._has_slots.set_result(None)
            return False
        if isinstance(message, PeerStarted):
            self._outbound.forget(sender)
            self._handed_over.acknowledged(sender)
            return False
        if isinstance(message, HandedOverTaken):
            self._outbound.acknowledged(sender, message.count)
        elif isinstance(message, Stop):
            self._end(0)
        elif isinstance(message, Drain):
            self._is_draining = True
            self._signs_left = 0
            self._streams.stop_listening()
        elif sender == self._supervisor and type(message) in self._orders:
            self._orders[type(message)](message)
        elif isinstance(message, ListConnections):
            self._list_connections(sender, message)
        elif isinstance(message, ListLookups):
            self._bus.send(sender, [self._route_lookups.reply(message)])
        elif self._live_output.takes(sender, message):
            self._signs_left = 0
        else:
            return False
        return True

    # -- what operators ask ----------------------------------------------------------------------------

    def _list_connections(self, sender: ProcessId, request: ListConnections) -> None:
        rows = self._streams.rows(request.limit, request.offset)
        rows.id = request.id
        self._bus.send(sender, [rows])

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

    def _tell_supervisor(self, message: BusMessage) -> bool:
        return self._bus.send(self._supervisor, [message])

    def _go_by(self, settings: Settings) -> None:
        """The worker's own part of new settings."""
        self._heartbeat_s = settings.supervision.heartbeat_ms / 1000
        self._addresses.use(settings)
        self._route_lookups.use(settings.lookups)
        if self._turn.held is not None:
            self._turn.held.go_by(settings)
        log_by(settings)

    def _meet(self, siblings: frozenset[ProcessId]) -> None:
        """Connect before the first message is due, and let go of what was meant for the dead."""
        for sibling in self._siblings - siblings:
            self._bus.forget(sibling)
            self._outbound.forget(sibling)
        self._bus.connect(sorted(siblings))
        self._siblings = siblings

    # -- now and then --------------------------------------------------------------------------------

    def _sign(self, expected_at: float) -> None:
        """Show that this worker lives; now and then how."""
        if self._ended.done():
            return
        now = clock.monotonic()
        self._recorder.sign(now)
        self._metrics.note_lag(now - expected_at)
        self._signs_left -= 1
        self._reconfiguring.tell_again()
        self._subscriber_door.tend(now)
        if self._signs_left <= 0 or self._reports.are_urgent():
            try:
                self._signs_left = self._beat(now)
            except Exception as error:
                self._signs_left = SIGNS_PER_BEAT
                self._stack.note_fault("a timer", b"", error, now)
        self._loop.call_later(self._heartbeat_s, self._turn.enter, self._sign, now + self._heartbeat_s)

    def _beat(self, now: float) -> int:
        """Tell the supervisor how this worker is, and see to what is done now and then: after how many signs again?"""
        lifetime = self._lifetime_clock()
        self._stack.set_wall_time(lifetime, now, clock.wall_time())
        self._streams.sweep(now)
        self._outbound.release_overdue(now)
        self._live_output.send(now)
        gauges = self._reports.send(now)
        self._gc_schedule.tend(gauges["transactions"], now)
        if self._is_draining and not gauges["transactions"]:
            self._end(0)
        if self._is_draining or self._live_output.is_on:
            return 1
        return self._reports.signs_until_next(self._heartbeat_s)

    def _move_to_table(self, directory: str) -> None:
        """The registrations of the node are in another place; what was to be written goes there."""
        try:
            self._table.move_to(directory)
        except OSError as fault:
            self._table.fault = str(fault)
            log.error("%s", fault)


def _pairs(numbers: list[int]) -> list[tuple[int, int]]:
    """Worker and bank, which are written one after the other."""
    return list(zip(numbers[::2], numbers[1::2], strict=True))
