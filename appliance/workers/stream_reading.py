"""The order in which connections are read: a turn of the loop has one budget for all connections together.

A connection whose octets hold more messages than the turn allows is not read any further until they have been handled:
then the peer's TCP slows it down, and nothing is lost. The connections that wait are served in turn, fair between
sources (round_robin.py); what has proved itself is a source of its own. Datagrams, the bus and timers come between two
turns.

One read brings READ_LEN octets at most, and nothing is read while some of it waits: that, and one incomplete message,
is what a connection can hold.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Final

from appliance import clock
from appliance.workers.connection import Connection
from appliance.workers.round_robin import RoundRobin

MESSAGES_PER_TURN: Final = 32
OCTETS_PER_TURN: Final = 1 << 16
# Messages of one connection before the next one is served.
QUANTUM: Final = 8
READ_LEN: Final = 1 << 14

CallSoon = Callable[[Callable[[], None]], object]


class StreamReading:
    """`arrived` gets the connection and its next messages; `call_soon` calls in the next turn of the loop."""

    def __init__(self, arrived: Callable[[Connection, list[bytes], float], None], call_soon: CallSoon) -> None:
        self.delay_s = 0.0
        """How long the source of what is handled just now has waited for its turn."""
        self._arrived = arrived
        self._call_soon = call_soon
        self._waiting: RoundRobin[Connection] = RoundRobin()
        self._messages_left = MESSAGES_PER_TURN
        self._octets_left = OCTETS_PER_TURN
        self._is_turn_due = False

    def __len__(self) -> int:
        """Connections that wait for their turn."""
        return len(self._waiting)

    def receive(self, connection: Connection, data: bytes, now: float) -> None:
        """What one read brought: as much as the turn allows is handled at once."""
        is_waiting = connection.holds or connection in self._waiting
        self._take(connection, data, 0 if is_waiting else self._allowed(), now)

    def hold(self, connection: Connection) -> None:
        """Read no more of it until it is released as often as it was held."""
        connection.holds += 1
        self._waiting.drop(connection)
        connection.pause()

    def release(self, connection: Connection, now: float) -> None:
        """It may go on."""
        connection.holds -= 1
        self._go_on(connection, now)

    def forget(self, connection: Connection) -> None:
        """It is gone, and what waits in it."""
        self._waiting.drop(connection)

    def _allowed(self) -> int:
        return min(QUANTUM, self._messages_left) if self._octets_left > 0 else 0

    def _take(self, connection: Connection, data: bytes, messages_max: int, now: float) -> None:
        messages = connection.messages_in(data, now, messages_max)
        self._messages_left -= len(messages)
        for message in messages:
            self._octets_left -= len(message)
        self._arrived(connection, messages, now)
        self._go_on(connection, now)
        self._turn_soon()

    def _go_on(self, connection: Connection, now: float) -> None:
        """Let it wait for its turn when it has more, else read on."""
        if connection.is_closing or connection.holds:
            return
        if connection.framer.has_more:
            connection.pause()
            self._waiting.add(connection, source_of(connection), now)
            self._turn_soon()
        else:
            connection.resume()

    def _turn_soon(self) -> None:
        if not self._is_turn_due:
            self._is_turn_due = True
            self._call_soon(self._begin_turn)

    def _begin_turn(self) -> None:
        """The budget is renewed; what waits comes before what is read in this turn."""
        self._is_turn_due = False
        self._messages_left = MESSAGES_PER_TURN
        self._octets_left = OCTETS_PER_TURN
        while len(self._waiting) and self._allowed():
            now = clock.monotonic()
            connection, self.delay_s = self._waiting.take(now)
            self._take(connection, b"", self._allowed(), now)
        self.delay_s = 0.0
        if len(self._waiting):
            self._turn_soon()


def source_of(connection: Connection) -> Hashable:
    """What it takes turns with: its source, apart from what has proved nothing; one that has no source is its own."""
    return (connection.source, connection.is_proven) if connection.source else connection.flow.connection
