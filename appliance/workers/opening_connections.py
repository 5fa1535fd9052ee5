"""Connections that are being opened from here: the messages and the requests that wait for each (RFC 3261 18.1.1)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from appliance.transport.flow import Outgoing, Way
from appliance.workers.connection import Connection

# Messages that may wait for one connection to open.
WAITING_MAX: Final = 256

Opened = Callable[[Connection | None, list[Outgoing]], None]


class OpeningConnections:
    """`connect` opens one, and gives None where that fails; `opened` gets what has waited for it."""

    def __init__(self, connect: Callable[[Way], Awaitable[Connection | None]], opened: Opened) -> None:
        self._connect = connect
        self._opened = opened
        self._waiting: dict[Way, list[Outgoing]] = {}
        self._tasks: dict[Way, asyncio.Task[Connection | None]] = {}
        self._claims: dict[Way, int] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, way: Way) -> bool:
        return way in self._waiting

    def begin(self, way: Way) -> None:
        """Open one that is not being opened yet."""
        self._waiting[way] = []
        self._claims[way] = 0
        self._tasks[way] = asyncio.ensure_future(self._open(way))

    def add(self, way: Way, outgoing: Outgoing) -> bool:
        """Have a message wait for one that is being opened; False when too many do."""
        waiting = self._waiting[way]
        if len(waiting) >= WAITING_MAX:
            return False
        waiting.append(outgoing)
        return True

    def claim(self, way: Way) -> asyncio.Future[Connection | None]:
        """What one that is being opened comes to; `waive` says that it is not wanted any more."""
        self._claims[way] += 1
        return self._tasks[way]

    def waive(self, way: Way) -> None:
        """Give it up, if it is not open yet, no other request has claimed it, and no message waits for it."""
        if way not in self._waiting:
            return
        self._claims[way] -= 1
        if not self._claims[way] and not self._waiting[way]:
            self._tasks[way].cancel()
            self._forget(way)

    def close(self) -> None:
        """Open none of them."""
        for task in self._tasks.values():
            task.cancel()

    async def _open(self, way: Way) -> Connection | None:
        connection = await self._connect(way)
        waiting = self._waiting[way]
        self._forget(way)
        self._opened(connection, waiting)
        return connection

    def _forget(self, way: Way) -> None:
        del self._waiting[way], self._claims[way], self._tasks[way]


def ended(connection: Connection | None) -> asyncio.Future[Connection | None]:
    """What `claim` gives of an attempt that has come to this already."""
    future: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
    future.set_result(connection)
    return future
