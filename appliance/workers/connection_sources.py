"""The sources of connections, and the unauthenticated connections: which one is closed at the limit.

A connection is proven when its peer was accepted: when a request goes to it, or the answer to one of its own that only
the accepted get. The answer to an OPTIONS is given to any stranger, and so is that to a CANCEL.
An IPv6 source is its /64: a stranger has all addresses of one.
"""

from __future__ import annotations

import re
from typing import Final

from appliance.workers.connection import Connection
from appliance.workers.idle_queue import IdleQueue

_ACCEPTED: Final = re.compile(rb"SIP/2\.0 (?:1(?!00)|2)\d\d ")
_METHOD: Final = re.compile(rb"\ncseq[ \t]*:\s*\d+\s+([^\s]+)", re.IGNORECASE)
_ANSWERED_FOR_STRANGERS: Final = (b"OPTIONS", b"CANCEL")


def is_proof(data: bytes) -> bool:
    """Does this message, sent by a connection, show that its peer was accepted?"""
    if not data.startswith(b"SIP/2.0 "):
        return True
    if not _ACCEPTED.match(data):
        return False
    method = _METHOD.search(data)
    return method is not None and method[1] not in _ANSWERED_FOR_STRANGERS


class ConnectionSources:
    """The connections that peers have opened, by source; the unproven ones in the order of their last message."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._unproven: IdleQueue[Connection] = IdleQueue()
        self._unproven_of: dict[str, IdleQueue[Connection]] = {}

    def count(self, source: str) -> int:
        """How many connections a source has."""
        return self._counts.get(source, 0)

    def add(self, connection: Connection, now: float) -> None:
        """A peer has opened it."""
        source = connection.source
        self._counts[source] = self._counts.get(source, 0) + 1
        if not connection.is_proven:
            self.touch(connection, now)

    def touch(self, connection: Connection, now: float) -> None:
        """An unproven one has brought a message."""
        self._unproven.touch(connection, now)
        self._unproven_of.setdefault(connection.source, IdleQueue()).touch(connection, now)

    def accept(self, connection: Connection) -> None:
        """Its peer was accepted. One that is not counted may be told as well."""
        connection.is_proven = True
        if connection.source:
            self.prove(connection)

    def release(self, connection: Connection) -> None:
        """Its peer was accepted, and has no share to keep to: it is not counted any more."""
        connection.is_proven = True
        self.remove(connection)
        connection.source = ""

    def prove(self, connection: Connection) -> None:
        """Its peer was accepted; or it ends."""
        self._unproven.drop(connection)
        of_source = self._unproven_of.get(connection.source)
        if of_source is not None:
            of_source.drop(connection)
            if not len(of_source):
                del self._unproven_of[connection.source]

    def remove(self, connection: Connection) -> None:
        """It is gone."""
        self.prove(connection)
        source = connection.source
        self._counts[source] -= 1
        if not self._counts[source]:
            del self._counts[source]

    def victim(self) -> Connection | None:
        """The unproven one that has been silent for longest."""
        return self._unproven.oldest()

    def victim_of(self, source: str) -> Connection | None:
        """That of one source."""
        of_source = self._unproven_of.get(source)
        return of_source.oldest() if of_source is not None else None

    def silent_since(self, moment: float) -> list[Connection]:
        """The unproven ones that have brought nothing since."""
        return self._unproven.older(moment)
