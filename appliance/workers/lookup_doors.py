"""The doors that answer the stack's questions, one for each kind: DNS for hosts, the database for subscribers.

A door raises whatever it likes when it cannot know; what that means for the question is declared by its kind
(routing/lookup_questions.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Final, Protocol

from appliance.catalogue.limit_settings import LimitSettings
from appliance.routing.lookup_questions import (
    EnumAnswer,
    FindEnum,
    FindRoutes,
    FindSubscriber,
    HostAnswer,
    LookupHost,
    LookupServers,
    OpenConnection,
    Question,
    ServersAnswer,
    SubscriberAnswer,
)
from appliance.workers.connection_door import ConnectionDoor, ConnectionOpener
from appliance.workers.lookups import Door

if TYPE_CHECKING:
    from appliance.resolver import DomainRecords, HostAddresses

# Threads that talk to the database: more would only wait for its locks.
STORE_THREADS: Final = 4
# How long a store that was used before may be left in peace.
STORE_PROBE_S: Final = 5.0


class Resolver(Protocol):
    """Hosts to addresses. Raises whatever it likes when it cannot know."""

    def set_timeout(self, timeout_s: float) -> None: ...
    async def lookup(self, host: str) -> HostAddresses: ...
    async def naptr(self, domain: str) -> DomainRecords: ...
    async def records(self, domain: str, record_type: str) -> DomainRecords: ...


class StoredSubscriber(Protocol):
    """HA1 values as lower-case hex."""

    @property
    def ha1_md5(self) -> bytes: ...
    @property
    def ha1_sha256(self) -> bytes: ...


class Store(Protocol):
    """Finds subscribers; blocks, so it is called in threads. Raises whatever it likes when it cannot know."""

    def find(self, username: bytes, realm: bytes) -> StoredSubscriber | None: ...


class LateStore:
    """A store that is opened when it is asked first, and tried again until it opens: a worker starts without it."""

    def __init__(self, open_store: Callable[[], Store]) -> None:
        self._open_store = open_store
        self._store: Store | None = None
        self._lock = Lock()

    def find(self, username: bytes, realm: bytes) -> StoredSubscriber | None:
        """What the store says. Raises what opening it raises, and what it raises itself."""
        with self._lock:
            if self._store is None:
                self._store = self._open_store()
            store = self._store
        return store.find(username, realm)


class HostDoor:
    """Hosts, by DNS."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    def set_timeout(self, timeout_s: float) -> None:
        """For the questions to come. The resolver keeps to it by itself: one family may have answered in time."""
        self._resolver.set_timeout(timeout_s)

    async def answer(self, question: LookupHost) -> HostAnswer:
        """The addresses. Raises what the resolver raises."""
        try:
            name = question.host.decode("ascii")
        except UnicodeDecodeError:
            return HostAnswer(question.id, (), False, 0.0)
        found = await self._resolver.lookup(name)
        return HostAnswer(question.id, found.addresses, False, found.ttl_s)

    def close(self) -> None:
        """Nothing of it has to be ended."""


class ServersDoor:
    """The servers of domains, by DNS (RFC 3263 4)."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    def set_timeout(self, timeout_s: float) -> None:
        """For the questions to come."""
        self._resolver.set_timeout(timeout_s)

    async def answer(self, question: LookupServers) -> ServersAnswer:
        """The records. Raises what the resolver raises."""
        found = await self._resolver.records(question.name.decode("ascii"), question.record_type.decode("ascii"))
        return question.answer_of(found.records, found.ttl_s)

    def close(self) -> None:
        """Nothing of it has to be ended."""


class EnumDoor:
    """ENUM domains, by DNS (RFC 6116)."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    def set_timeout(self, timeout_s: float) -> None:
        """For the questions to come."""
        self._resolver.set_timeout(timeout_s)

    async def answer(self, question: FindEnum) -> EnumAnswer:
        """The records. Raises what the resolver raises."""
        found = await self._resolver.naptr(question.domain.decode("ascii"))
        return EnumAnswer(question.id, found.records, False, found.ttl_s)

    def close(self) -> None:
        """Nothing of it has to be ended."""


class SubscriberDoor:
    """Subscribers, by the database, in threads.

    `failures`: questions that it could not answer. `fault`: why it could not answer the last one, as a sentence; ""
    when it could.
    """

    def __init__(self, store: Store, limits: LimitSettings) -> None:
        self.failures = 0
        self.fault = ""
        self._store = store
        self._timeout_s = limits.query_timeout_ms / 1000
        threads = min(STORE_THREADS, limits.queries_max)
        self._threads = ThreadPoolExecutor(threads, "store")
        # What a store that hangs does not take is given up here: the pool would keep it until a thread returns.
        self._free_threads = asyncio.Semaphore(threads)
        self._is_used = False
        self._asked_at = 0.0
        self._probe: asyncio.Task[None] | None = None

    def set_timeout(self, timeout_s: float) -> None:
        """For the questions to come."""
        self._timeout_s = timeout_s

    async def answer(self, question: FindSubscriber) -> SubscriberAnswer:
        """What the store says. Raises what keeps it from answering."""
        self._is_used = True
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._free_threads.acquire()
                found = await asyncio.wrap_future(self._in_thread(question))
        except Exception as fault:
            self.failures += 1
            self.fault = self._sentence(fault)
            raise
        self.fault = ""
        if found is None:
            return SubscriberAnswer(question.id, False, False)
        return SubscriberAnswer(question.id, True, False, found.ha1_md5, found.ha1_sha256)

    def tend(self, now: float) -> None:
        """Ask a store that was used before, where no request has for a while: does it answer, or answer again?"""
        is_due = self._is_used and now - self._asked_at >= STORE_PROBE_S
        if is_due and (self._probe is None or self._probe.done()):
            self._asked_at = now
            self._probe = asyncio.ensure_future(self._try())

    async def _try(self) -> None:
        with suppress(Exception):  # noted as the fault
            await self.answer(FindSubscriber(b"", b""))

    def close(self) -> None:
        """Ask no more; what is out is not waited for."""
        if self._probe is not None:
            self._probe.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _sentence(self, fault: Exception) -> str:
        if isinstance(fault, TimeoutError):
            return f"The subscriber database did not answer within {self._timeout_s:g} seconds."
        text = str(fault) or type(fault).__name__
        return f"{text[0].upper()}{text[1:]}."

    def _in_thread(self, question: FindSubscriber) -> Future[StoredSubscriber | None]:
        """The thread is free again when the store returns, however long ago the question was given up."""
        loop = asyncio.get_running_loop()

        def returned(_: object) -> None:
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(self._free_threads.release)

        future = self._threads.submit(self._store.find, question.username, question.realm)
        future.add_done_callback(returned)
        return future


def doors_of_questions(
    resolver: Resolver, subscribers: SubscriberDoor, routes: Door, connections: ConnectionOpener
) -> dict[type[Question], Door]:
    """The door for each class of questions (routing/lookup_questions.py)."""
    return {
        LookupHost: HostDoor(resolver),
        FindSubscriber: subscribers,
        FindEnum: EnumDoor(resolver),
        LookupServers: ServersDoor(resolver),
        FindRoutes: routes,
        OpenConnection: ConnectionDoor(connections),
    }
