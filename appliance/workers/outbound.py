"""What leaves a worker: datagrams, what goes by a connection, and what goes to other processes.

Each way says what could not be sent: datagrams at once, streams at once or later, the bus when it has no room.
"""

from __future__ import annotations

from collections.abc import Sequence

from appliance import clock
from appliance.messages.bus_messages import BusMessage, CallsMoved, ConnectionsChanged, SendByConnection
from appliance.transport.flow import Outgoing
from appliance.workers.datagram_sockets import DatagramSockets
from appliance.workers.streams import Streams
from appliance.workers.worker_parts import MessageBus, SipStack


class Outbound:
    """The ways out of one worker."""

    __slots__ = ("_bus", "_doors", "_stack", "_streams")

    def __init__(self, stack: SipStack, bus: MessageBus, doors: DatagramSockets, streams: Streams) -> None:
        self._stack = stack
        self._bus = bus
        self._doors = doors
        self._streams = streams

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

    def pass_on(self, messages: Sequence[tuple[int, BusMessage]]) -> list[Outgoing]:
        """One batch for each process; returns what a sibling should have sent and does not get."""
        shares: dict[int, list[BusMessage]] = {}
        for destination, message in messages:
            shares.setdefault(destination, []).append(message)
        failures: list[Outgoing] = []
        for destination, share in shares.items():
            if not self._bus.send(destination, share):
                failures += self._take_back(share)
        return failures

    def _take_back(self, refused: Sequence[BusMessage]) -> list[Outgoing]:
        """What the bus refused: calls stay, news are told again, and what a sibling should have sent has failed."""
        now = clock.monotonic()
        for message in refused:
            if isinstance(message, CallsMoved):
                self._stack.adopt(message.snapshots, now)
            elif isinstance(message, ConnectionsChanged):
                self._stack.connections_untold(message, now)
        return [message.outgoing for message in refused if isinstance(message, SendByConnection)]
