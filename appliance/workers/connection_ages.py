"""The time since which each connection is in a temporary state; overdue connections are closed (streams.py).

    silent      open, and something came by it: `limits connection idle`
    quiet       the same, by WebSocket: after `limits connection ping` it is sent a Ping
    pinged      it was sent one, and nothing came since: some seconds
    strange     open, and no whole message came by it yet: `limits partial message`
    partial     an incomplete message waits in it: `limits partial message`
    ending      nothing new may go by it: what waits has some seconds to leave
    answering   its peer has sent all, and waits for answers: a little longer than a call may ring
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from appliance.catalogue.counters import CONNECTIONS_CLOSED_PARTIAL, WEB_SOCKETS_UNANSWERED
from appliance.catalogue.limit_settings import LimitSettings
from appliance.transport.framing import NEVER
from appliance.workers.connection import Connection
from appliance.workers.idle_queue import IdleQueue

# How long a connection that is ending may take to send what waits.
ENDING_S: Final = 5.0
# How long one whose peer has sent all waits for the answers to it: a little longer than a call may ring (timer C).
ANSWERING_S: Final = 200.0
# How long the peer may take to answer a Ping.
PONG_S: Final = 15.0
# The end of what was ending is no event of its own.
UNCOUNTED: Final = -1


class ConnectionAges:
    """The connections of a worker by state, oldest first."""

    def __init__(self) -> None:
        self._silent: IdleQueue[Connection] = IdleQueue()
        self._quiet: IdleQueue[Connection] = IdleQueue()
        self._pinged: IdleQueue[Connection] = IdleQueue()
        self._strange: IdleQueue[Connection] = IdleQueue()
        self._partial: IdleQueue[Connection] = IdleQueue()
        self._ending: IdleQueue[Connection] = IdleQueue()
        self._answering: IdleQueue[Connection] = IdleQueue()

    def opened(self, connection: Connection, now: float) -> None:
        """It is new."""
        (self._silent if connection.has_spoken else self._strange).touch(connection, now)

    def octets_arrived(self, connection: Connection, now: float) -> None:
        """Something came by it, and has been framed."""
        if connection.has_spoken and not connection.is_ending:
            self._strange.drop(connection)
            self._silent.touch(connection, now)
            if connection.answers_pings:
                self._pinged.drop(connection)
                self._quiet.touch(connection, now)
        since = connection.framer.partial_since
        if since == NEVER or connection.is_ending:
            self._partial.drop(connection)
        else:
            self._partial.touch(connection, since)

    def ending(self, connection: Connection, now: float) -> None:
        """Nothing new may go by it any more."""
        self._leave_open(connection)
        self._ending.touch(connection, now)

    def answering(self, connection: Connection, now: float) -> None:
        """It is ending, and answers have to go by it before."""
        self._ending.drop(connection)
        self._answering.touch(connection, now)

    def answered(self, connection: Connection, now: float) -> None:
        """It is ending, and the last answer has gone."""
        self._answering.drop(connection)
        self._ending.touch(connection, now)

    def forget(self, connection: Connection) -> None:
        """It is gone."""
        self._leave_open(connection)
        self._ending.drop(connection)
        self._answering.drop(connection)

    def _leave_open(self, connection: Connection) -> None:
        for ages in (self._silent, self._quiet, self._pinged, self._strange, self._partial):
            ages.drop(connection)

    def take_quiet(self, limits: LimitSettings, now: float) -> list[Connection]:
        """Those that are to be sent a Ping now."""
        if not limits.web_socket_ping_s:
            return []
        quiet = self._quiet.take_older(now - limits.web_socket_ping_s)
        for connection in quiet:
            self._pinged.touch(connection, now)
        return quiet

    def take_overdue(self, limits: LimitSettings, now: float) -> Iterator[tuple[Connection, int]]:
        """What has to be closed, each with the counter of the reason, or UNCOUNTED. Each is closed before the next one
        is taken: it may be overdue in two ways.
        """
        for connection in self._partial.take_older(now - limits.partial_message_s):
            yield connection, connection.overdue_counter(CONNECTIONS_CLOSED_PARTIAL)
        for connection in self._strange.take_older(now - limits.partial_message_s):
            yield connection, connection.overdue_counter()
        for connection in self._silent.take_older(now - limits.connection_idle_s):
            yield connection, connection.overdue_counter()
        for connection in self._pinged.take_older(now - PONG_S):
            yield connection, WEB_SOCKETS_UNANSWERED
        for connection in self._ending.take_older(now - ENDING_S):
            yield connection, UNCOUNTED
        for connection in self._answering.take_older(now - ANSWERING_S):
            yield connection, UNCOUNTED
