"""Sessions with a server that block: each in a thread of its own, so that one that hangs delays no other.

A question takes a session that is idle, else a new one, as long as there are not too many. Who gives up waiting ends
the session: its connection is closed under it, and the thread ends with it. A thread that even then does not return
counts as used until it does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Protocol

from appliance.lookups.lookup_client import AnswerUnusable, ServerFailed
from appliance.routing.lookup_templates import LookupValues


class Session(Protocol):
    """One connection to a server, used by one thread."""

    def find(self, values: LookupValues) -> list[str]:
        """What is found. Raises ServerFailed, which ends the session, and AnswerUnusable."""

    def abort(self) -> None:
        """Have `find` end soon, by an exception; called by another thread."""

    def close(self) -> None: ...


_Job = tuple[LookupValues, "Future[list[str]]"]


class _SessionThread:
    """A thread with the session that it opens when it is asked first. `ended` is called by the thread at its end."""

    def __init__(self, open_session: Callable[[], Session], ended: Callable[[_SessionThread], None]) -> None:
        self._open_session = open_session
        self._ended = ended
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._session: Session | None = None
        self._is_aborted = False
        self._lock = Lock()
        Thread(target=self._serve, name="lookup", daemon=True).start()

    def ask(self, values: LookupValues) -> Future[list[str]]:
        """Ask what is asked next."""
        future: Future[list[str]] = Future()
        # It must not be cancelled by a caller that gives up: the thread will set it.
        future.set_running_or_notify_cancel()
        self._jobs.put((values, future))
        return future

    def stop(self) -> None:
        """End, at once if it is idle."""
        with self._lock:
            self._is_aborted = True
            if self._session is not None:
                with suppress(Exception):  # it may be closed already
                    self._session.abort()
        self._jobs.put(None)

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            fault = self._fault_of(*job)
            if fault is not None:
                # Who asked may want another thread at once: this one counts no more by then.
                self._end()
                job[1].set_exception(fault)
                return
        self._end()

    def _fault_of(self, values: LookupValues, future: Future[list[str]]) -> BaseException | None:
        """Answer a question; the fault, where the session is of no use any more and the question not answered yet."""
        try:
            found = self._opened().find(values)
        except AnswerUnusable as unusable:
            future.set_exception(unusable)
        except BaseException as fault:
            return fault
        else:
            future.set_result(found)
        return None

    def _end(self) -> None:
        if self._session is not None:
            with suppress(Exception):  # of a connection that has failed
                self._session.close()
        self._ended(self)

    def _opened(self) -> Session:
        if self._session is None:
            session = self._open_session()
            with self._lock:
                self._session = session
                if self._is_aborted:
                    raise ServerFailed("it took too long to connect")
        return self._session


class Sessions:
    """The sessions with one server, as many as `threads` at most: a client for one event loop (lookup_client.py)."""

    def __init__(self, open_session: Callable[[], Session], threads: int) -> None:
        self._open_session = open_session
        self._threads_max = threads
        self._idle: list[_SessionThread] = []
        self._alive: set[_SessionThread] = set()
        self._lock = Lock()

    async def find(self, values: LookupValues) -> list[str]:
        """What is found. Raises ServerFailed and AnswerUnusable."""
        while True:
            thread = self._take_idle()
            is_new = thread is None
            if thread is None:
                thread = self._start()
            try:
                return await self._ask(thread, values)
            except ServerFailed:
                # The server may have closed a connection that was idle: that says nothing of it.
                if is_new:
                    raise

    async def _ask(self, thread: _SessionThread, values: LookupValues) -> list[str]:
        try:
            found = await asyncio.wrap_future(thread.ask(values))
        except AnswerUnusable:
            self._idle.append(thread)
            raise
        except BaseException:
            # It failed, or the caller has given up.
            thread.stop()
            raise
        self._idle.append(thread)
        return found

    def _take_idle(self) -> _SessionThread | None:
        return self._idle.pop() if self._idle else None

    def _start(self) -> _SessionThread:
        with self._lock:
            if len(self._alive) >= self._threads_max:
                raise ServerFailed("all its connections are busy")
            thread = _SessionThread(self._open_session, self._ended)
            self._alive.add(thread)
        return thread

    def _ended(self, thread: _SessionThread) -> None:
        with self._lock:
            self._alive.discard(thread)

    def close(self) -> None:
        """End all of them."""
        with self._lock:
            threads = list(self._alive)
        for thread in threads:
            thread.stop()
        self._idle.clear()
