"""Answers for the stack's questions: DNS and the subscriber database, off the hot path.

Each kind of question has a lane of its own, so that a slow DNS does not keep phones from being
authenticated. A lane has so many questions out at a time; more wait, and past the bound of waiting
ones are answered "cannot know" at once. Every question is answered once.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from appliance.catalogue.settings import LimitSettings
from appliance.routing.lookup_questions import (
    Answer,
    FindSubscriber,
    HostAnswer,
    LookupHost,
    Question,
    SubscriberAnswer,
)

if TYPE_CHECKING:
    from appliance.resolver import HostAddresses

# Threads that talk to the database: more would only wait for its locks.
STORE_THREADS: Final = 4
# How long a store that was used before may be left in peace.
STORE_PROBE_S: Final = 5.0

Asked = TypeVar("Asked", bound=Question)


class Resolver(Protocol):
    """Hosts to addresses. Raises whatever it likes when it cannot know."""

    def set_timeout(self, timeout_s: float) -> None: ...
    async def lookup(self, host: str) -> HostAddresses: ...


class StoredSubscriber(Protocol):
    """HA1 values as lower-case hex."""

    @property
    def ha1_md5(self) -> bytes: ...
    @property
    def ha1_sha256(self) -> bytes: ...


class Store(Protocol):
    """Finds subscribers; blocks, so it is called in threads. Raises whatever it likes when it cannot know."""

    def find(self, username: bytes, realm: bytes) -> StoredSubscriber | None: ...


class LateResolver:
    """A resolver that is made when it is asked first, in a thread: a worker starts without it."""

    def __init__(self, new_resolver: Callable[[float], Resolver], timeout_s: float) -> None:
        self._new_resolver = new_resolver
        self._timeout_s = timeout_s
        self._resolver: Resolver | None = None
        self._lock = asyncio.Lock()

    def set_timeout(self, timeout_s: float) -> None:
        """For the questions to come."""
        self._timeout_s = timeout_s
        if self._resolver is not None:
            self._resolver.set_timeout(timeout_s)

    async def lookup(self, host: str) -> HostAddresses:
        """What the resolver says. Raises what it raises."""
        async with self._lock:
            if self._resolver is None:
                self._resolver = await asyncio.to_thread(self._new_resolver, self._timeout_s)
            resolver = self._resolver
        return await resolver.lookup(host)


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


class LookupQueue(Generic[Asked]):
    """Questions of one kind: at most `running_max` out, at most `waiting_max` waiting.

    Sources take turns, and one alone has three quarters of the questions out at most: names that nobody answers for,
    which one source sends in numbers, hold up the questions of other sources for one answer and no longer.
    """

    def __init__(
        self,
        ask: Callable[[Asked], Awaitable[Answer]],
        refuse: Callable[[Asked], Answer],
        running_max: int,
        waiting_max: int,
        deliver: Callable[[list[Answer]], None],
    ) -> None:
        self._ask = ask
        self._refuse = refuse
        self._running_max = running_max
        self._waiting_max = waiting_max
        self._deliver = deliver
        # By source; the one whose turn it is stands first.
        self._waiting: dict[str, deque[Asked]] = {}
        self._waiting_count = 0
        self._running: dict[asyncio.Task[None], str] = {}
        self._running_of: Counter[str] = Counter()

    def set_bounds(self, running_max: int, waiting_max: int) -> None:
        """For the questions to come."""
        self._running_max = running_max
        self._waiting_max = waiting_max

    @property
    def open_count(self) -> int:
        """Questions that have no answer yet."""
        return len(self._running) + self._waiting_count

    def put(self, question: Asked) -> None:
        """Ask now, later, or never."""
        if len(self._running) < self._running_max and self._may_run(question.source):
            self._start(question)
        elif self._waiting_count < self._waiting_max:
            self._waiting.setdefault(question.source, deque()).append(question)
            self._waiting_count += 1
        else:
            self._deliver([self._refuse(question)])

    def cancel(self) -> None:
        """Forget all questions."""
        self._waiting.clear()
        self._waiting_count = 0
        for task in self._running:
            task.cancel()

    def _may_run(self, source: str) -> bool:
        return self._running_of[source] < self._running_max - self._running_max // 4

    def _start(self, question: Asked) -> None:
        task = asyncio.ensure_future(self._answer(question))
        self._running[task] = question.source
        self._running_of[question.source] += 1
        task.add_done_callback(self._done)

    async def _answer(self, question: Asked) -> None:
        self._deliver([await self._ask(question)])

    def _done(self, task: asyncio.Task[None]) -> None:
        source = self._running.pop(task)
        self._running_of[source] -= 1
        if not self._running_of[source]:
            del self._running_of[source]
        if not task.cancelled():
            self._start_next()

    def _start_next(self) -> None:
        # At most one source has so many out that it is passed over.
        source = next((source for source in self._waiting if self._may_run(source)), None)
        if source is None:
            return
        questions = self._waiting.pop(source)
        question = questions.popleft()
        self._waiting_count -= 1
        if questions:
            self._waiting[source] = questions
        self._start(question)


class Questions:
    """Asks what the stack wants to know, and hands each answer to `deliver`."""

    def __init__(
        self,
        resolver: Resolver,
        store: Store,
        limits: LimitSettings,
        deliver: Callable[[list[Answer]], None],
    ) -> None:
        self._resolver = resolver
        self._store = store
        self._timeout_s = limits.query_timeout_ms / 1000
        threads = min(STORE_THREADS, limits.queries_max)
        self._threads = ThreadPoolExecutor(threads, "store")
        # What a store that hangs does not take is given up here: the pool would keep it until a thread returns.
        self._free_threads = asyncio.Semaphore(threads)
        self._hosts = LookupQueue(
            self._lookup_host, host_unknown, limits.lookups_max, limits.lookups_waiting_max, deliver
        )
        self._subscribers = LookupQueue(
            self._find_subscriber, subscriber_unknown, limits.queries_max, limits.queries_waiting_max, deliver
        )
        self.store_failures = 0
        """Questions that the store could not answer."""
        self.store_fault = ""
        """Why it could not answer the last one, as a sentence; "" when it could."""
        self._is_store_used = False
        self._store_asked_at = 0.0
        self._probe: asyncio.Task[Answer] | None = None

    @property
    def open_count(self) -> int:
        """Questions that have no answer yet."""
        return self._hosts.open_count + self._subscribers.open_count

    def reconfigure(self, limits: LimitSettings) -> None:
        """Go by new bounds, for the questions to come."""
        self._timeout_s = limits.query_timeout_ms / 1000
        self._resolver.set_timeout(limits.lookup_timeout_ms / 1000)
        self._hosts.set_bounds(limits.lookups_max, limits.lookups_waiting_max)
        self._subscribers.set_bounds(limits.queries_max, limits.queries_waiting_max)

    def ask(self, questions: Iterable[Question]) -> None:
        """See to the answers of these."""
        for question in questions:
            if isinstance(question, LookupHost):
                self._hosts.put(question)
            else:
                self._subscribers.put(question)

    def tend(self, now: float) -> None:
        """Ask a store that was used before, where no request has for a while: does it answer, or answer again?"""
        is_due = self._is_store_used and now - self._store_asked_at >= STORE_PROBE_S
        if is_due and (self._probe is None or self._probe.done()):
            self._store_asked_at = now
            self._probe = asyncio.ensure_future(self._find_subscriber(FindSubscriber(0, b"", b"")))

    def close(self) -> None:
        """Ask no more; what is out is not waited for."""
        self._hosts.cancel()
        self._subscribers.cancel()
        if self._probe is not None:
            self._probe.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _lookup_host(self, question: LookupHost) -> Answer:
        try:
            found = await self._resolver.lookup(question.host.decode("ascii"))
        except UnicodeDecodeError:
            return HostAnswer(question.id, (), False, 0.0)
        except Exception:  # LookupFailed, and whatever else keeps DNS from answering: it cannot be known now
            return host_unknown(question)
        return HostAnswer(question.id, found.addresses, False, found.ttl_s)

    async def _find_subscriber(self, question: FindSubscriber) -> Answer:
        self._is_store_used = True
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._free_threads.acquire()
                found = await asyncio.wrap_future(self._in_thread(question))
        except Exception as fault:  # whatever keeps the store from answering means the same: it cannot be known now
            self.store_failures += 1
            self.store_fault = self._sentence(fault)
            return subscriber_unknown(question)
        self.store_fault = ""
        if found is None:
            return SubscriberAnswer(question.id, False, False)
        return SubscriberAnswer(question.id, True, False, found.ha1_md5, found.ha1_sha256)

    def _sentence(self, fault: Exception) -> str:
        if isinstance(fault, TimeoutError):
            return f"The subscriber database did not answer within {self._timeout_s:g} seconds."
        text = str(fault) or type(fault).__name__
        return f"{text[0].upper()}{text[1:]}."

    def _in_thread(self, question: FindSubscriber) -> Future[StoredSubscriber | None]:
        """The thread is free again when the store returns, however long nobody has waited for that."""
        loop = asyncio.get_running_loop()

        def returned(_: object) -> None:
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(self._free_threads.release)

        future = self._threads.submit(self._store.find, question.username, question.realm)
        future.add_done_callback(returned)
        return future


def host_unknown(question: LookupHost) -> Answer:
    """Nobody could say."""
    return HostAnswer(question.id, (), True, 0.0)


def subscriber_unknown(question: FindSubscriber) -> Answer:
    """The store could not say."""
    return SubscriberAnswer(question.id, False, True)
