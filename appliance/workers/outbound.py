"""Output of a worker: datagrams, messages on connections, and messages to other processes.

Each way says what could not be sent: datagrams at once, streams at once or later, the bus when it has no room. A
connection that brings a sibling more than it can do is held (handover_windows.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from appliance import clock
from appliance.catalogue.counters import BUS_UNREACHED
from appliance.messages.bus_messages import BusMessage, CallsMoved, ConnectionsChanged, HandedOver, SendByConnection
from appliance.messages.flow_messages import SendByNode, SendByNodeFailed, WorkerConnections
from appliance.stack import Stack
from appliance.transport.flow import Flow, Outgoing
from appliance.transport.process_id import ProcessId
from appliance.workers.datagram_sockets import DatagramSockets
from appliance.workers.handover_windows import HandoverWindows
from appliance.workers.streams import Streams
from appliance.workers.unreached_siblings import UnreachedSiblings
from appliance.workers.worker_parts import MessageBus

# When the replicator is told of all connections again, which did not take news of them.
LIST_AGAIN_S: Final = 1.0


class Outbound:
    """The ways out of one worker. `retry_later`: has `send_waiting` called in a moment."""

    __slots__ = ("_bus", "_doors", "_retry_later", "_stack", "_streams", "_unreached", "_windows")

    def __init__(
        self,
        stack: Stack,
        bus: MessageBus,
        doors: DatagramSockets,
        streams: Streams,
        retry_later: Callable[[], None],
    ) -> None:
        self._stack = stack
        self._bus = bus
        self._doors = doors
        self._streams = streams
        self._windows = HandoverWindows()
        self._unreached = UnreachedSiblings()
        self._retry_later = retry_later

    def send(self, outgoings: list[Outgoing]) -> list[Outgoing]:
        """Send; returns what cannot be sent. What waits for a connection may fail later."""
        streamed = []
        for outgoing in outgoings:
            if outgoing.flow.is_stream:
                streamed.append(outgoing)
        if not streamed:
            return self._doors.write(outgoings)
        self._streams.send(streamed)
        datagrams = [outgoing for outgoing in outgoings if not outgoing.flow.is_stream]
        return self._streams.take_failures() + self._doors.write(datagrams)

    def pass_on(self, messages: Sequence[tuple[ProcessId, BusMessage]]) -> list[Outgoing]:
        """One batch for each process; returns what a sibling should have sent and does not get."""
        shares: dict[ProcessId, list[BusMessage]] = {}
        for destination, message in messages:
            shares.setdefault(destination, []).append(message)
        failures: list[Outgoing] = []
        for destination, share in shares.items():
            if destination in self._unreached:
                self._send_waiting_for(destination)
            if self._bus.send(destination, share):
                self._note_handed_over(destination, share)
            else:
                failures += self._take_back(destination, share)
        return failures

    def send_waiting(self) -> None:
        """Send what waits for siblings that were not connected, as far as they are now."""
        now = clock.monotonic()
        for sibling in self._unreached.siblings():
            self._send_waiting_for(sibling)
            if sibling in self._unreached and self._unreached.is_overdue(sibling, now):
                self._give_up(sibling, now)
        if self._unreached:
            self._retry_later()

    def _send_waiting_for(self, sibling: ProcessId) -> None:
        messages = self._unreached.messages_for(sibling)
        if self._bus.send(sibling, messages):
            self._note_handed_over(sibling, self._unreached.take(sibling))

    def _give_up(self, sibling: ProcessId, now: float) -> None:
        """It cannot be reached: what it should have sent has failed."""
        lost = self._unreached.take(sibling)
        self._stack.counters[BUS_UNREACHED] += len(lost)
        failed = _outgoings_in(lost)
        if failed:
            self._stack.receive_failures(failed, now)

    def _note_handed_over(self, sibling: ProcessId, share: Sequence[BusMessage]) -> None:
        flows: list[Flow] = []
        for message in share:
            if isinstance(message, HandedOver) and message.flow.is_stream:
                flows.append(message.flow)
        if flows:
            self._streams.hold(self._windows.sent(sibling, flows, clock.monotonic()))

    def acknowledged(self, sibling: ProcessId, count: int) -> None:
        """A sibling has handled so many messages of streams that were handed over to it."""
        now = clock.monotonic()
        self._streams.release(self._windows.acknowledged(sibling, count, now), now)

    def forget(self, sibling: ProcessId) -> None:
        """It is dead, or another process by now: nothing waits in it."""
        now = clock.monotonic()
        self._give_up(sibling, now)
        self._streams.release(self._windows.forget(sibling), now)

    def release_overdue(self, now: float) -> None:
        """No connection is held for ever; call it every second or so."""
        self._streams.release(self._windows.overdue(now), now)

    def _take_back(self, destination: ProcessId, refused: Sequence[BusMessage]) -> list[Outgoing]:
        """What the bus refused: calls stay for now, news are told again, what siblings should have sent has failed.
        What is handed over to a sibling that was not reached yet waits, and so does what it shall send.
        """
        now = clock.monotonic()
        is_unreached = not self._bus.has_reached(destination)
        lost: list[BusMessage] = []
        for message in refused:
            if isinstance(message, CallsMoved):
                self._stack.calls_unmoved(message, now)
            elif isinstance(message, ConnectionsChanged):
                self._stack.connections_untold(message, now)
            elif isinstance(message, WorkerConnections):
                self._stack.node_flows.connections.list_anew(now + LIST_AGAIN_S)
            elif isinstance(message, SendByNode):
                failed = SendByNodeFailed(message.asker, message.branch)
                self._stack.receive_messages([(message.asker, failed)], now)
            elif is_unreached and isinstance(message, (HandedOver, SendByConnection)):
                if not self._unreached:
                    self._retry_later()
                if not self._unreached.add(destination, message, now):
                    lost.append(message)
        self._stack.counters[BUS_UNREACHED] += len(lost)
        return _outgoings_in(lost if is_unreached else refused)


def _outgoings_in(messages: Sequence[BusMessage]) -> list[Outgoing]:
    """What siblings should have sent."""
    return [message.outgoing for message in messages if isinstance(message, SendByConnection)]
