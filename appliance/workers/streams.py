"""The connections of one worker: opening, reuse, bounds, and the end (RFC 3261 18.1.1, 18.2.2, 18.4).

A message for a connection goes by it. A message for a remote address goes by the connection that is
open to it, else one is opened, and everything for that address waits for it. A response whose connection
is gone gets a new one to the port of its sent-by. Whatever cannot be sent ends up in `failures`.

Bounds: the number of connections, in all and by source, the age of an incomplete message, silence, the bytes that a
peer does not read, the messages that wait for a connection. A connection on which nothing was accepted yet
(connection_sources.py) makes room when there is no more, and is closed sooner; one that has never brought a whole
message lives no longer than an incomplete message.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable, Collection
from functools import partial
from itertools import islice
from typing import Final

from appliance import clock
from appliance.catalogue.counters import (
    CONNECTIONS_ACCEPTED,
    CONNECTIONS_ALIASED,
    CONNECTIONS_CLOSED_MALFORMED,
    CONNECTIONS_CLOSED_SLOW,
    CONNECTIONS_DISPLACED,
    CONNECTIONS_FAILED,
    CONNECTIONS_OPENED,
    CONNECTIONS_REFUSED,
    DROPPED_QUEUE_FULL,
    KEEPALIVES_RECEIVED,
    TCP_MESSAGES_RECEIVED,
    TCP_MESSAGES_SENT,
    WEB_SOCKET_PINGS_SENT,
)
from appliance.catalogue.limit_settings import LimitSettings
from appliance.catalogue.peers import Peers
from appliance.catalogue.settings import ListenerSettings
from appliance.messages.worker_requests import ConnectionRows
from appliance.sip.errors import MalformedMessage
from appliance.sip.parser import SyntaxLimits
from appliance.transport.flow import Flow, Outgoing, Way
from appliance.transport.framing import PING
from appliance.transport.process_id import ProcessId
from appliance.transport.source import source_of
from appliance.transport.via import reopened
from appliance.workers.accepting_sockets import AcceptingSockets, Endpoint
from appliance.workers.answers_due import answer_to_malformed, is_final, wants_answer
from appliance.workers.connecting import connect
from appliance.workers.connection import NO_REMOTE, Connection, connection_row
from appliance.workers.connection_ages import UNCOUNTED, ConnectionAges
from appliance.workers.connection_aliases import aliases_of
from appliance.workers.connection_kinds import new_connection
from appliance.workers.connection_sources import ConnectionSources, is_proof
from appliance.workers.handshakes import Handshakes
from appliance.workers.opening_connections import OpeningConnections, ended
from appliance.workers.refusal_log import RefusalLog
from appliance.workers.stream_reading import READ_LEN, CallSoon, StreamReading

# Bytes that may wait for a peer that has proved nothing, whatever `connection queue` says.
UNPROVEN_QUEUE_MAX: Final = 1 << 16

MessagesArrived = Callable[[list[tuple[bytes, Flow]], float], None]


class Streams:
    """All connections of the worker.

    `arrived` gets some messages of a connection; `changed` is called when there are changes to take, and when
    `failures` has got something outside of a call; `call_soon` calls in the next turn of the loop. Connection ids count
    up from `first_id`.
    """

    def __init__(
        self,
        process: ProcessId,
        listeners: tuple[ListenerSettings, ...],
        limits: LimitSettings,
        syntax: SyntaxLimits,
        handshakes: Handshakes,
        counters: list[int],
        first_id: int,
        arrived: MessagesArrived,
        changed: Callable[[], None],
        call_soon: CallSoon,
    ) -> None:
        self.process = process
        self.syntax = syntax
        self.handshakes = handshakes
        self.descriptors_max = sys.maxsize
        """So many connections the limit of open files leaves room for (descriptors.py)."""
        self.failures: list[Outgoing] = []
        """What could not be sent since this list was taken."""
        self._opened: list[Flow] = []
        self._closed: list[Flow] = []
        self.has_changes = False
        """Has take_changes something to tell?"""
        self._listeners = listeners
        self._peers = [Peers(listener.peers) for listener in listeners]
        self._limits = limits
        self._counters = counters
        self._next_id = first_id
        self._arrived = arrived
        self._changed = changed
        self.reading = StreamReading(self.messages_arrived, call_soon)
        self.data_arrived = self.reading.receive
        self.read_buffer = bytearray(READ_LEN)
        self._accepting = AcceptingSockets()
        self._connections: dict[int, Connection] = {}
        self._by_remote: dict[Way, Connection] = {}
        self._opening = OpeningConnections(self._connect, self._send_waiting)
        self._with_unsent: list[Connection] = []
        self._sources = ConnectionSources()
        self._ages = ConnectionAges()
        self._refusals = RefusalLog(counters)

    def __len__(self) -> int:
        """Connections that are open or being opened."""
        return len(self._connections) + len(self._opening)

    def rows(self, limit: int, offset: int = 0) -> ConnectionRows:
        """The connections as an operator sees them, bounded."""
        rows = [connection_row(connection) for connection in islice(self._connections.values(), offset, offset + limit)]
        return ConnectionRows(len(self), rows)

    # -- listening -----------------------------------------------------------------------------------

    async def listen(self, listener: int, transport: int, listening: socket.socket) -> None:
        """Accept on a bound socket; it becomes ours."""
        await self._accepting.accept(
            (listener, transport), listening, lambda: self._new_connection(transport, listener, False)
        )

    def stop_listening(self, endpoints: Collection[Endpoint] | None = None) -> None:
        """Accept no more, at these or at all; what is open stays open."""
        self._accepting.close(endpoints)

    def reconfigure(self, listeners: tuple[ListenerSettings, ...], limits: LimitSettings, syntax: SyntaxLimits) -> None:
        """Go by new settings; connections that are open keep the bounds of their messages."""
        self._listeners, self._limits, self.syntax = listeners, limits, syntax
        self._peers = [Peers(listener.peers) for listener in listeners]
        for connection in list(self._connections.values()):
            if not connection.proves(self.certificate_names(connection)):
                # It would be taken for the peer that is configured now.
                self._cut(connection)

    def let_go(self, listeners: Collection[int], now: float) -> None:
        """Close the connections of listeners that are gone, after what waits in them has been sent."""
        for connection in list(self._connections.values()):
            if connection.flow.listener in listeners:
                self._begin_end(connection, now)
                connection.close()

    def close(self) -> None:
        """Stop listening, send what waits, close all."""
        self.stop_listening()
        self._opening.close()
        for connection in list(self._connections.values()):
            connection.close()
        self.handshakes.close()

    def _new_connection(self, transport: int, listener: int, is_opened_here: bool, name: str = "") -> Connection:
        self._next_id += 1
        where = transport, listener, self._next_id, is_opened_here
        return new_connection(self, *where, name, self.handshakes)

    # -- what connections say ------------------------------------------------------------------------

    def connection_opened(self, connection: Connection, now: float) -> None:
        """A new connection, from one side or the other."""
        if connection.flow.remote == NO_REMOTE or not (connection.is_opened_here or self._is_admitted(connection)):
            self._counters[CONNECTIONS_REFUSED] += 1
            connection.is_ending = True
            connection.abort()
            return
        self._counters[CONNECTIONS_OPENED if connection.is_opened_here else CONNECTIONS_ACCEPTED] += 1
        flow = connection.flow
        if connection.source:
            self._sources.add(connection, now)
        self._connections[flow.connection] = connection
        self._by_remote[flow.way()] = connection
        self._ages.opened(connection, now)
        if connection.has_spoken:
            self._opened.append(flow)
            self._note_change()

    def certificate_names(self, connection: Connection) -> tuple[str, ...]:
        """RFC 5922 7.4: those that the configuration gives the peer at its address."""
        flow = connection.flow
        return self._peers[flow.listener].certificate_names(flow.remote[0])

    def origins(self, connection: Connection) -> tuple[str, ...]:
        """RFC 6455 10.2: the web pages whose phones may connect."""
        return self._listeners[connection.flow.listener].origins

    def count(self, counter: int) -> None:
        """One more of something that befell a connection."""
        self._counters[counter] += 1

    def _is_admitted(self, connection: Connection) -> bool:
        """Is there room for one that a peer has opened, in all and in its source's share? A peer by configuration has
        no share to keep to, and need not prove itself; one with a certificate shows that first (`peer_proved`)."""
        if self._is_peer(connection) and not self.certificate_names(connection):
            connection.is_proven = True
            return self._makes_room()
        source = source_of(connection.flow.remote[0])
        has_share = self._sources.count(source) < self._limits.connections_per_source_max
        if not has_share and not self._displace(self._sources.victim_of(source)):
            return False
        if not self._makes_room():
            return False
        connection.source = source
        return True

    def peer_proved(self, connection: Connection) -> None:
        """Its certificate has one of the names that the configuration gives it: it has no share to keep to."""
        if connection.source and self._is_peer(connection):
            self._sources.release(connection)

    def _is_peer(self, connection: Connection) -> bool:
        return self._peers[connection.flow.listener].has(*connection.flow.remote, connection.flow.transport)

    def _makes_room(self) -> bool:
        """Is there room for one more, if need be that of one that has proved nothing?"""
        return not self._is_full() or self._displace(self._sources.victim())

    def _is_full(self) -> bool:
        return len(self) >= min(self._limits.connections_max, self.descriptors_max)

    def _displace(self, victim: Connection | None) -> bool:
        if victim is None:
            return False
        self._counters[CONNECTIONS_DISPLACED] += 1
        self._cut(victim)
        return True

    def messages_arrived(self, connection: Connection, messages: list[bytes], now: float) -> None:
        """Whole messages and PING; perhaps nothing, and perhaps `framer.fault` is set."""
        pings = messages.count(PING)
        if pings:
            messages = [message for message in messages if message != PING]
            self._counters[KEEPALIVES_RECEIVED] += pings
            self.keeps(connection, connection.answer_pings(pings))
        if messages and not connection.has_spoken and not connection.is_ending:
            connection.has_spoken = True
            self._opened.append(connection.flow)
            self._note_change()
        if messages and connection.is_authenticated and not connection.aliases:
            self._take_aliases(connection, messages)
        self._ages.octets_arrived(connection, now)
        if messages and connection.has_spoken and not (connection.is_ending or connection.is_proven):
            self._sources.touch(connection, now)
        if messages:
            self._counters[TCP_MESSAGES_RECEIVED] += len(messages)
            flow = connection.flow
            batch = []
            for message in messages:
                if wants_answer(message):
                    connection.unanswered += 1
                batch.append((message, flow))
            self._arrived(batch, now)
        if connection.framer.fault is not None:
            self._end_malformed(connection, connection.framer.fault, now)
        elif connection.framer.is_finished and not connection.is_ending:
            self._end_after_answers(connection, now)

    def _take_aliases(self, connection: Connection, messages: list[bytes]) -> None:
        """RFC 5923 8.2. What leads by another connection goes on as it is."""
        connection.aliases = [flow for flow in aliases_of(connection, messages) if flow.way() not in self._by_remote]
        if connection.aliases:
            self._by_remote.update((flow.way(), connection) for flow in connection.aliases)
            self._counters[CONNECTIONS_ALIASED] += 1
            self._opened += connection.aliases
            self._note_change()

    def hold(self, flows: list[Flow]) -> None:
        """Read no more of these connections, as far as they are ours, until they are released."""
        for connection in self._own(flows):
            self.reading.hold(connection)

    def release(self, flows: list[Flow], now: float) -> None:
        """What was held goes on."""
        for connection in self._own(flows):
            self.reading.release(connection, now)

    def _own(self, flows: list[Flow]) -> list[Connection]:
        own = [self._connections.get(flow.connection) for flow in flows if flow.process == self.process]
        return [connection for connection in own if connection is not None]

    def peer_finished(self, connection: Connection, now: float) -> None:
        """The peer has sent all: answers still go this way, requests do not."""
        self._begin_end(connection, now)
        if connection.unanswered:
            # The phone that is called may take its time; a peer that has proved nothing gets less of it.
            self._ages.answering(connection, now)

    def connection_lost(self, connection: Connection, now: float) -> None:
        """The end of a connection, whichever side closed it."""
        self._forget(connection)

    def _end_malformed(self, connection: Connection, fault: MalformedMessage, now: float) -> None:
        """RFC 3261 18.3: no message can be found in this stream any more; say why where that can be said."""
        if connection.is_ending:
            return
        self._counters[CONNECTIONS_CLOSED_MALFORMED] += 1
        answer = answer_to_malformed(fault)
        if answer:
            connection.write(answer)
        self._end_after_answers(connection, now)

    def _end_after_answers(self, connection: Connection, now: float) -> None:
        """The answers to what came before leave at the end of this turn."""
        self._begin_end(connection, now)
        asyncio.get_running_loop().call_soon(connection.close)

    def _begin_end(self, connection: Connection, now: float) -> None:
        if not connection.is_ending:
            connection.is_ending = True
            self._ages.ending(connection, now)
            self._unlist(connection)

    def _unlist(self, connection: Connection) -> None:
        """No new message may find it. Where we have two addresses a peer may have two from one port."""
        for flow in (flows := [connection.flow, *connection.aliases]):
            if self._by_remote.get(flow.way()) is connection:
                del self._by_remote[flow.way()]
        if connection.has_spoken:
            self._closed += flows
            self._note_change()

    def _forget(self, connection: Connection) -> None:
        if not connection.is_ending:
            connection.is_ending = True
            self._unlist(connection)
        self.failures += connection.unsent
        connection.unsent = []
        self._ages.forget(connection)
        self.reading.forget(connection)
        if self._connections.pop(connection.flow.connection, None) is not None and connection.source:
            self._sources.remove(connection)

    def _note_change(self) -> None:
        self.has_changes = True
        self._changed()

    def take_failures(self) -> list[Outgoing]:
        """`failures`, which is empty after."""
        failures, self.failures = self.failures, []
        return failures

    def take_changes(self) -> tuple[list[Flow], list[Flow]]:
        """Connections that can be used since the last call, and those that no longer can."""
        opened, closed = self._opened, self._closed
        self._opened, self._closed = [], []
        self.has_changes = False
        return opened, closed

    # -- sending -------------------------------------------------------------------------------------

    def send(self, outgoings: list[Outgoing]) -> None:
        """Send each by its flow; what fails, now or later, is added to `failures`."""
        for outgoing in outgoings:
            self._send(outgoing)
        self._write_unsent()

    def _send(self, outgoing: Outgoing) -> None:
        number = outgoing.flow.connection
        if number:
            connection = self._connections.get(number)
            if connection is not None and connection.takes(outgoing.data):
                self._send_by(connection, outgoing)
                return
            again = reopened(outgoing)
            if again is None:
                self.failures.append(outgoing)
                return
            outgoing = again
        way = outgoing.flow.way()
        # Those that wait for it go first.
        connection = None if way in self._opening else self._by_remote.get(way)
        if connection is not None and connection.takes(outgoing.data):
            # RFC 3261 18.1.1: an existing connection to that address is to be used.
            self._send_by(connection, outgoing)
        else:
            self._send_when_open(way, outgoing)

    def _send_by(self, connection: Connection, outgoing: Outgoing) -> None:
        """It leaves with all else that goes by this connection now."""
        if not connection.is_proven and is_proof(outgoing.data):
            self._sources.accept(connection)
        if not connection.unsent:
            self._with_unsent.append(connection)
        connection.unsent.append(outgoing)

    def _write_unsent(self) -> None:
        """One write for each connection: a system call costs more than the copy."""
        connections, self._with_unsent = self._with_unsent, []
        for connection in connections:
            outgoings, connection.unsent = connection.unsent, []
            if not outgoings:
                # It has made room for another one since.
                continue
            if self.keeps(connection, connection.write_messages([outgoing.data for outgoing in outgoings])):
                self._counters[TCP_MESSAGES_SENT] += len(outgoings)
                self._note_answers(connection, outgoings)
            else:
                self.failures += outgoings

    def _note_answers(self, connection: Connection, outgoings: list[Outgoing]) -> None:
        if not connection.unanswered:
            return
        for outgoing in outgoings:
            if connection.unanswered and is_final(outgoing.data):
                connection.unanswered -= 1
        if connection.is_ending and not connection.unanswered:
            self._ages.answered(connection, clock.monotonic())

    def keeps(self, connection: Connection, unread_len: int) -> bool:
        """A peer that does not read what is sent loses its connection."""
        unread_max = self._limits.connection_queue_kib * 1024
        if unread_len <= (unread_max if connection.is_proven else min(unread_max, UNPROVEN_QUEUE_MAX)):
            return True
        self._counters[CONNECTIONS_CLOSED_SLOW] += 1
        self._cut(connection)
        return False

    def _cut(self, connection: Connection) -> None:
        self._forget(connection)
        connection.abort()

    # -- opening -------------------------------------------------------------------------------------

    def _send_when_open(self, way: Way, outgoing: Outgoing) -> None:
        if not self._is_opening(way):
            self.failures.append(outgoing)
        elif not self._opening.add(way, outgoing):
            self._counters[DROPPED_QUEUE_FULL] += 1
            self.failures.append(outgoing)

    def _is_opening(self, way: Way) -> bool:
        """Is one being opened from now on? Not so where there is no room."""
        if way in self._opening:
            return True
        if not self._makes_room():
            self._counters[CONNECTIONS_REFUSED] += 1
            return False
        self._opening.begin(way)
        return True

    def claim(self, hop: Flow) -> asyncio.Future[Connection | None]:
        """The connection to an address, which is opened if need be; None where that fails."""
        way = hop.way()
        connection = None if way in self._opening else self._by_remote.get(way)
        return self._opening.claim(way) if connection is None and self._is_opening(way) else ended(connection)

    def waive(self, hop: Flow) -> None:
        """It is not wanted any more: it is not opened, unless something else waits for it."""
        self._opening.waive(hop.way())

    async def _connect(self, way: Way) -> Connection | None:
        transport, listener, remote, name = way
        try:
            address, timeout_s = self._listeners[listener].address, self._limits.connect_timeout_ms / 1000
            made = partial(self._new_connection, transport, listener, True, name)
            return await connect(remote, address, timeout_s, made)
        except (OSError, TimeoutError):
            self._counters[CONNECTIONS_FAILED] += 1
            return None

    def _send_waiting(self, connection: Connection | None, waiting: list[Outgoing]) -> None:
        """Send what has waited for the connection, or report it."""
        for outgoing in waiting:
            if connection is not None and connection.takes(outgoing.data):
                self._send_by(connection, outgoing)
            else:
                self.failures.append(outgoing)
        self._write_unsent()
        if self.failures:
            self._changed()

    # -- time ----------------------------------------------------------------------------------------

    def sweep(self, now: float) -> None:
        """Close what is too old; call it every second or so."""
        self.handshakes.sweep(now)
        for connection, counter in self._ages.take_overdue(self._limits, now):
            if counter != UNCOUNTED:
                self._counters[counter] += 1
            self._cut(connection)
        for connection in self._ages.take_quiet(self._limits, now):
            self._counters[WEB_SOCKET_PINGS_SENT] += 1
            self.keeps(connection, connection.ping())
        self._refusals.tend(now)
        for connection in self._sources.silent_since(now - self._limits.connection_unproven_s):
            self._counters[connection.overdue_counter()] += 1
            self._cut(connection)
