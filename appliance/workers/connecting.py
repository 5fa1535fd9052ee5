"""Opening a connection: from the address of a listener, to an address and port, in a bounded time (RFC 3261 18.1.1)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Final

from appliance.workers.connection import Connection, socket_name

IP_BIND_ADDRESS_NO_PORT: Final = 24
WILDCARDS: Final = ("0.0.0.0", "::")


async def connect(
    remote: tuple[str, int], local_address: str, timeout_s: float, new_connection: Callable[[], Connection]
) -> Connection:
    """A connection for messages. Raises OSError (also for an address that is none) and TimeoutError."""
    name = socket_name(remote)
    endpoint = socket.socket(socket.AF_INET if len(name) == 2 else socket.AF_INET6, socket.SOCK_STREAM)
    connection: Connection | None = None
    try:
        endpoint.setblocking(False)
        endpoint.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        bind(endpoint, local_address)
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(timeout_s):
            await loop.sock_connect(endpoint, name)
            _, connection = await loop.create_connection(new_connection, sock=endpoint)
            await connection.ready()
    except BaseException:
        if connection is not None:
            connection.abort()
        else:
            endpoint.close()
        raise
    return connection


def bind(endpoint: socket.socket, address: str) -> None:
    """Leave from the listener's address, as its Via says."""
    if address in WILDCARDS:
        return
    # The port is chosen when the destination is known, so each destination has all ports.
    endpoint.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
    endpoint.bind((address, 0))
