"""Which requests wait for which answer: DNS and the subscriber database, a queue each.

Many may wait for one answer; the question is asked once. A queue is bounded, and so is what one source and one
subscriber may have in it: beyond either the request is refused (`False`) and counted. A trusted peer is bounded by the
queue alone, for it sends what many have sent to it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from appliance.catalogue.counters import LOOKUPS_FULL, QUERIES_FULL, WAITING_SHARE_EXCEEDED
from appliance.catalogue.settings import LimitSettings
from appliance.routing.lookup_questions import Answer, FindSubscriber, HostAnswer, LookupHost, Question

_JOINED: Final = 0
_REFUSED: Final = -1


class Waiter(Protocol):
    """What goes on when an answer has come."""

    def answer_arrived(self, answer: Answer, now: float) -> None:
        """Go on; every question is answered once, with `failed` at worst."""


class Asker:
    """For whom a question is asked. `source`: see source_of; `subscriber`: the proved address-of-record, or b""."""

    __slots__ = ("is_trusted", "source", "subscriber")

    def __init__(self, source: str, subscriber: bytes = b"", is_trusted: bool = False) -> None:
        self.source = source
        self.subscriber = subscriber
        self.is_trusted = is_trusted


class Queue:
    """The requests that wait for one kind of answer, and how many each source and each subscriber has of them."""

    __slots__ = ("_asked", "_held", "_keys", "_waiters", "limit", "waiting_count")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.waiting_count = 0
        self._asked: dict[tuple[bytes, ...], int] = {}
        self._keys: dict[int, tuple[bytes, ...]] = {}
        self._waiters: dict[int, list[tuple[Waiter, Asker]]] = {}
        self._held: dict[str | bytes, int] = {}

    def held_by(self, sender: str | bytes) -> int:
        """Requests that wait for this source or subscriber."""
        return self._held.get(sender, 0)

    def is_asked(self, key: tuple[bytes, ...]) -> int:
        """The number of the question under way, 0 for none."""
        return self._asked.get(key, 0)

    def key_of(self, number: int) -> tuple[bytes, ...] | None:
        """What a question under way is about."""
        return self._keys.get(number)

    def add(self, number: int, key: tuple[bytes, ...], waiter: Waiter, asker: Asker) -> None:
        """One more waits for the answer of this number."""
        self.waiting_count += 1
        self._count(asker, 1)
        if number not in self._waiters:
            self._asked[key] = number
            self._keys[number] = key
            self._waiters[number] = []
        self._waiters[number].append((waiter, asker))

    def take(self, number: int) -> list[Waiter]:
        """The waiters of an answered question, which wait no longer."""
        key = self._keys.pop(number, None)
        if key is None:
            return []
        del self._asked[key]
        waiters = self._waiters.pop(number)
        self.waiting_count -= len(waiters)
        for _, asker in waiters:
            self._count(asker, -1)
        return [waiter for waiter, _ in waiters]

    def _count(self, asker: Asker, step: int) -> None:
        if asker.is_trusted:
            return
        for sender in (asker.source, asker.subscriber):
            if not sender:
                continue
            count = self._held.get(sender, 0) + step
            if count:
                self._held[sender] = count
            else:
                del self._held[sender]


class PendingLookups:
    """Questions under way, their waiters, and the questions not handed out yet."""

    __slots__ = ("_counters", "_last_id", "_limits", "_lookups", "_queries", "_to_ask")

    def __init__(self, limits: LimitSettings, counters: list[int]) -> None:
        self._limits = limits
        self._counters = counters
        self._last_id = 0
        self._lookups = Queue(limits.lookups_waiting_max)
        self._queries = Queue(limits.queries_waiting_max)
        self._to_ask: list[Question] = []

    def reconfigure(self, limits: LimitSettings) -> None:
        """Go by new limits; what waits already goes on."""
        self._limits = limits
        self._lookups.limit = limits.lookups_waiting_max
        self._queries.limit = limits.queries_waiting_max

    @property
    def lookups_waiting(self) -> int:
        """Requests that wait for DNS."""
        return self._lookups.waiting_count

    @property
    def queries_waiting(self) -> int:
        """Requests that wait for the database."""
        return self._queries.waiting_count

    def ask_host(self, host: bytes, waiter: Waiter, asker: Asker) -> bool:
        """Wait for the addresses of a host; False when too many wait already."""
        number = self._join(self._lookups, LOOKUPS_FULL, (b"host", host), waiter, asker)
        if number > 0:
            self._to_ask.append(LookupHost(number, host, asker.source))
        return number >= 0

    def ask_subscriber(self, username: bytes, realm: bytes, waiter: Waiter, asker: Asker) -> bool:
        """Wait for what the database says of a user; False when too many wait already."""
        number = self._join(self._queries, QUERIES_FULL, (b"subscriber", username, realm), waiter, asker)
        if number > 0:
            self._to_ask.append(FindSubscriber(number, username, realm, asker.source))
        return number >= 0

    def _join(self, queue: Queue, counter: int, key: tuple[bytes, ...], waiter: Waiter, asker: Asker) -> int:
        """The number of a new question, _JOINED when it is under way already, or _REFUSED."""
        if queue.waiting_count >= queue.limit:
            self._counters[counter] += 1
            return _REFUSED
        if not asker.is_trusted and self._is_share_used(queue, asker):
            self._counters[WAITING_SHARE_EXCEEDED] += 1
            return _REFUSED
        number = queue.is_asked(key)
        if number:
            queue.add(number, key, waiter, asker)
            return _JOINED
        self._last_id += 1
        queue.add(self._last_id, key, waiter, asker)
        return self._last_id

    def _is_share_used(self, queue: Queue, asker: Asker) -> bool:
        limits = self._limits
        if queue.held_by(asker.source) >= limits.waiting_per_source_max:
            return True
        return bool(asker.subscriber) and queue.held_by(asker.subscriber) >= limits.waiting_per_subscriber_max

    def questions_to_ask(self) -> list[Question]:
        """Questions since the last call, for the world to answer."""
        questions = self._to_ask
        if questions:
            self._to_ask = []
        return questions

    def subject_of(self, answer: Answer) -> tuple[bytes, ...] | None:
        """What an answer is about: (b"host", host) or (b"subscriber", username, realm); None: not asked."""
        return self._queue_of(answer).key_of(answer.id)

    def answered(self, answer: Answer, now: float, failed: Callable[[Waiter, Exception, float], None]) -> None:
        """Let all go on that waited for this answer; `failed` hears of one that raised an exception."""
        for waiter in self._queue_of(answer).take(answer.id):
            try:
                waiter.answer_arrived(answer, now)
            except Exception as error:
                failed(waiter, error, now)

    def _queue_of(self, answer: Answer) -> Queue:
        return self._lookups if isinstance(answer, HostAnswer) else self._queries
