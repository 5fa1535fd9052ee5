"""Which requests wait for which answer: a queue for each kind of question.

Many may wait for one answer; the question is asked once. A queue is bounded, and so is what one source and one
subscriber may have in it: beyond either the request is refused (`False`) and counted. A trusted peer is bounded by the
queue alone, for it sends what many have sent to it. How a kind is asked is declared by its questions
(routing/lookup_questions.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol, cast

from appliance.catalogue.counters import DNS_ANSWERS_OUTLIVED, WAITING_SHARE_EXCEEDED
from appliance.catalogue.settings import Settings
from appliance.routing.kept_answers import KeptAnswers
from appliance.routing.lookup_questions import (
    KINDS,
    Answer,
    AnswerCache,
    Cache,
    LookupKind,
    NamedQuestion,
    OutlivingCache,
    Question,
)


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
    """The requests that wait for answers of one kind, how many each source and each subscriber has of them, and the
    answers that are kept.
    """

    __slots__ = ("_asked", "_held", "_kind", "_waiters", "cache", "limit", "waiting_count")

    def __init__(self, kind: LookupKind[Any], settings: Settings) -> None:
        self._kind = kind
        self.limit: int = getattr(settings.limits, kind.waiting_max)
        self.cache: AnswerCache | None = None if kind.new_cache is None else kind.new_cache(settings)
        self.waiting_count = 0
        # By what it wants to know, the question under way with its number; and who waits, by number.
        self._asked: dict[Question, Question] = {}
        self._waiters: dict[int, list[tuple[Waiter, Asker]]] = {}
        self._held: dict[str | bytes, int] = {}

    def reconfigure(self, settings: Settings) -> None:
        """Go by new limits."""
        self.limit = getattr(settings.limits, self._kind.waiting_max)
        if self.cache is not None:
            self.cache.reconfigure(settings)

    def held_by(self, sender: str | bytes) -> int:
        """Requests that wait for this source or subscriber."""
        return self._held.get(sender, 0)

    def asked(self, question: Question) -> Question | None:
        """The same question as it is under way; None: it is not."""
        return self._asked.get(question)

    def begin(self, question: Question) -> None:
        """A question is under way from now on."""
        self._asked[question] = question
        self._waiters[question.id] = []

    def add(self, question: Question, waiter: Waiter, asker: Asker) -> None:
        """One more waits for the answer of a question that is under way."""
        self.waiting_count += 1
        self._count(asker, 1)
        self._waiters[question.id].append((waiter, asker))

    def take(self, question: Question) -> list[Waiter]:
        """The waiters of an answered question, which wait no longer."""
        del self._asked[question]
        waiters = self._waiters.pop(question.id)
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

    __slots__ = ("_counters", "_last_id", "_queues", "_settings", "_to_ask", "_under_way")

    def __init__(self, settings: Settings, counters: list[int]) -> None:
        self._settings = settings
        self._counters = counters
        self._last_id = 0
        self._queues: dict[LookupKind[Any], Queue] = {kind: Queue(kind, settings) for kind in KINDS}
        self._under_way: dict[int, Question] = {}
        self._to_ask: list[Question] = []

    def reconfigure(self, settings: Settings) -> None:
        """Go by new limits; what waits already goes on."""
        self._settings = settings
        for queue in self._queues.values():
            queue.reconfigure(settings)

    def cache_of(self, kind: LookupKind[Cache]) -> Cache:
        """The answers that are kept of a kind which has a cache."""
        return cast(Cache, self._queue_of(kind).cache)

    def caches_of_dns(self) -> dict[str, KeptAnswers]:
        """What is kept of DNS, by the names of the kinds of questions."""
        caches: dict[str, Any] = {kind.name: queue.cache for kind, queue in self._queues.items()}
        return {name: cache for name, cache in caches.items() if isinstance(cache, KeptAnswers)}

    def waiting(self, kind: LookupKind[Any]) -> int:
        """Requests that wait for answers of a kind."""
        return self._queue_of(kind).waiting_count

    def gauges(self) -> dict[str, int]:
        """How many requests wait, and how many answers are kept, by name."""
        found = {kind.waiting_gauge: queue.waiting_count for kind, queue in self._queues.items()}
        found["waiting"] = sum(found.values())
        for kind, queue in self._queues.items():
            if queue.cache is not None:
                found[kind.cached_gauge] = len(queue.cache)
        return found

    def ask(self, question: Question, waiter: Waiter, asker: Asker) -> bool:
        """Wait for the answer to a question; False when too many wait already."""
        queue = self._queue_of(question.kind)
        if queue.waiting_count >= queue.limit:
            self._counters[question.kind.full_counter] += 1
            return False
        if not asker.is_trusted and self._is_share_used(queue, asker):
            self._counters[WAITING_SHARE_EXCEEDED] += 1
            return False
        queue.add(queue.asked(question) or self._begin(queue, question, asker.source), waiter, asker)
        return True

    def ask_again(self) -> None:
        """Ask for what is in use and whose time is nearly over, or that DNS has failed to say. No request waits."""
        for kind, queue in self._queues.items():
            if kind.of_name is not None:
                for name in cast(OutlivingCache, queue.cache).take_due():
                    question = kind.of_name(name)
                    if queue.asked(question) is None:
                        self._begin(queue, question, "")

    def _begin(self, queue: Queue, question: Question, source: str) -> Question:
        self._last_id += 1
        asked = replace(question, id=self._last_id, source=source)
        queue.begin(asked)
        self._under_way[asked.id] = asked
        self._to_ask.append(asked)
        return asked

    def _queue_of(self, kind: LookupKind[Any]) -> Queue:
        queue = self._queues.get(kind)
        if queue is None:
            queue = self._queues[kind] = Queue(kind, self._settings)
        return queue

    def _is_share_used(self, queue: Queue, asker: Asker) -> bool:
        limits = self._settings.limits
        if queue.held_by(asker.source) >= limits.waiting_per_source_max:
            return True
        return bool(asker.subscriber) and queue.held_by(asker.subscriber) >= limits.waiting_per_subscriber_max

    def questions_to_ask(self) -> list[Question]:
        """Questions since the last call, to be answered outside."""
        questions = self._to_ask
        if questions:
            self._to_ask = []
        return questions

    def answered(self, answer: Answer, now: float, failed: Callable[[Waiter, Exception, float], None]) -> None:
        """Keep an answer, and let all go on that waited for it; `failed` hears of one that raised an exception."""
        question = self._under_way.pop(answer.id, None)
        if question is None:
            return
        queue = self._queue_of(question.kind)
        waiters = queue.take(question)
        try:
            if answer.failed:
                answer = self._outlived(queue, question, now) or answer
            elif queue.cache is not None:
                queue.cache.keep(question, answer, now)
        finally:
            for waiter in waiters:
                try:
                    if answer.failed:
                        self._counters[question.kind.failed_counter] += 1
                    waiter.answer_arrived(answer, now)
                except Exception as error:
                    failed(waiter, error, now)

    def _outlived(self, queue: Queue, question: Question, now: float) -> Answer | None:
        """An answer whose time is over, in place of the one that DNS does not give (RFC 8767)."""
        if not isinstance(question, NamedQuestion):
            return None
        values = cast(OutlivingCache, queue.cache).outlive(question.cached_name, now)
        if values is None:
            return None
        self._counters[DNS_ANSWERS_OUTLIVED] += 1
        return question.kept(values)
