"""The sockets on which one worker accepts connections, by listener and transport."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Collection
from typing import Final

BACKLOG: Final = 1024

# (listener, transport)
Endpoint = tuple[int, int]


class AcceptingSockets:
    """Those that are open. What was accepted belongs to others."""

    def __init__(self) -> None:
        self._servers: dict[Endpoint, asyncio.Server] = {}

    async def accept(
        self, endpoint: Endpoint, listening: socket.socket, accepted: Callable[[], asyncio.BaseProtocol]
    ) -> None:
        """Accept on a bound socket, which becomes ours; `accepted` makes what serves a connection."""
        listening.setblocking(False)
        # Accepted sockets inherit it.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        loop = asyncio.get_running_loop()
        self._servers[endpoint] = await loop.create_server(accepted, sock=listening, backlog=BACKLOG)

    def close(self, endpoints: Collection[Endpoint] | None = None) -> None:
        """Accept no more, at these or at all."""
        for endpoint in list(self._servers) if endpoints is None else self._servers.keys() & set(endpoints):
            self._servers.pop(endpoint).close()
