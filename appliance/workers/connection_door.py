"""Opens a connection to the address of a server that accepts first (RFC 8305 5): the answer to OpenConnection.

What is tried when is decided by transport/connection_attempts.py. An attempt that is not the first to succeed is given
up, unless something else waits for its connection; one that succeeds at the same moment stays open, as any connection.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from appliance import clock
from appliance.routing.lookup_questions import ConnectionAnswer, OpenConnection
from appliance.transport.connection_attempts import NEVER, ConnectionAttempts
from appliance.transport.flow import Flow
from appliance.workers.connection import Connection


class ConnectionOpener(Protocol):
    """The connections of this worker."""

    def claim(self, hop: Flow) -> asyncio.Future[Connection | None]:
        """The connection to an address, which is opened if need be; None where that fails."""

    def waive(self, hop: Flow) -> None:
        """It is not wanted any more."""


class ConnectionDoor:
    """Each attempt has the time of `limits connection timeout`."""

    def __init__(self, opener: ConnectionOpener) -> None:
        self._opener = opener

    def set_timeout(self, timeout_s: float) -> None:
        """The opener keeps to it by itself."""

    async def answer(self, question: OpenConnection) -> ConnectionAnswer:
        """The first connection that is open, or that there is none."""
        hops = question.hops
        attempts = ConnectionAttempts(len(hops), clock.monotonic())
        running: dict[int, asyncio.Future[Connection | None]] = {}
        failed: list[Flow] = []
        try:
            while not attempts.is_over:
                begun = attempts.take_due(clock.monotonic())
                if begun is not None:
                    running[begun] = self._opener.claim(hops[begun])
                for number in await _ended(running, attempts.next_at):
                    if _is_open(running.pop(number)):
                        late = tuple(hops[each] for each in attempts.late(number))
                        return ConnectionAnswer(question.id, hops[number], tuple(failed), late)
                    failed.append(hops[number])
                    attempts.failed(number, clock.monotonic())
            return ConnectionAnswer(question.id, None, tuple(failed), ())
        finally:
            for number, attempt in running.items():
                if not attempt.done():
                    self._opener.waive(hops[number])

    def close(self) -> None:
        """Nothing of it has to be ended."""


async def _ended(running: dict[int, asyncio.Future[Connection | None]], until: float) -> list[int]:
    """The attempts that have ended, as soon as one has, or at a moment."""
    timeout_s = None if until == NEVER else max(0.0, until - clock.monotonic())
    await asyncio.wait(running.values(), timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    return [number for number, attempt in running.items() if attempt.done()]


def _is_open(attempt: asyncio.Future[Connection | None]) -> bool:
    return not attempt.cancelled() and attempt.result() is not None
