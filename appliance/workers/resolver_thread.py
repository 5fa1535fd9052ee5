"""The resolver of a worker, in a thread with an event loop of its own.

An answer of DNS can be 64 KiB long, and is made by others: to read it takes tens of milliseconds, in which no call may
wait. Thread and resolver are made when the first name is asked for; a worker starts without them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from appliance.resolver import DomainRecords, HostAddresses
    from appliance.workers.lookup_doors import Resolver

Found = TypeVar("Found")


class ResolverThread:
    """Asks a resolver; for one event loop, which is not that of the resolver."""

    def __init__(self, new_resolver: Callable[[float], Resolver], timeout_s: float) -> None:
        self._new_resolver = new_resolver
        self._timeout_s = timeout_s
        self._resolver: Resolver | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def set_timeout(self, timeout_s: float) -> None:
        """For the questions to come."""
        self._timeout_s = timeout_s
        if self._resolver is not None:
            self._resolver.set_timeout(timeout_s)

    async def lookup(self, host: str) -> HostAddresses:
        """What the resolver says. Raises what it raises."""
        return await self._ask(lambda resolver: resolver.lookup(host))

    async def naptr(self, domain: str) -> DomainRecords:
        """What the resolver says. Raises what it raises."""
        return await self._ask(lambda resolver: resolver.naptr(domain))

    async def records(self, domain: str, record_type: str) -> DomainRecords:
        """What the resolver says. Raises what it raises."""
        return await self._ask(lambda resolver: resolver.records(domain, record_type))

    async def _ask(self, question: Callable[[Resolver], Awaitable[Found]]) -> Found:
        """In the thread; what is given up here is given up there."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            Thread(target=self._loop.run_forever, name="dns", daemon=True).start()
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._answered(question), self._loop))

    async def _answered(self, question: Callable[[Resolver], Awaitable[Found]]) -> Found:
        if self._resolver is None:
            self._resolver = self._new_resolver(self._timeout_s)
        return await question(self._resolver)
