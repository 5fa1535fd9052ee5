"""Answers for the stack's questions, off the hot path.

Each kind of question has a queue and a door of its own, so that a slow DNS does not keep phones from being
authenticated. A queue has so many questions out at a time; more wait, and past the bound of waiting ones are answered
"cannot know" at once. Every question is answered once.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from appliance.catalogue.limit_settings import LimitSettings
from appliance.routing.lookup_questions import Answer, LookupKind, Question


class Door(Protocol):
    """Answers the questions of one kind (see lookup_doors.py)."""

    def set_timeout(self, timeout_s: float) -> None:
        """How long an answer may take, for the questions to come."""

    async def answer(self, question: Any) -> Answer:
        """The answer. Raises whatever it likes when it cannot know."""

    def close(self) -> None: ...


class LookupQueue:
    """Questions of one kind: as many out, and as many waiting, as the limits say that its declaration names.

    Sources take turns, and one alone has three quarters of the questions out at most: names that get no answer,
    which one source sends in numbers, hold up the questions of other sources for one answer and no longer.
    """

    def __init__(
        self, kind: LookupKind[Any], door: Door, limits: LimitSettings, deliver: Callable[[list[Answer]], None]
    ) -> None:
        self._kind = kind
        self._door = door
        self._deliver = deliver
        self._running_max = self._waiting_max = 0
        self.reconfigure(limits)
        # By source; the one whose turn it is stands first.
        self._waiting: dict[str, deque[Question]] = {}
        self._waiting_count = 0
        self._running: dict[asyncio.Task[None], str] = {}
        self._running_of: Counter[str] = Counter()

    def reconfigure(self, limits: LimitSettings) -> None:
        """Go by new limits, for the questions to come."""
        self._running_max = getattr(limits, self._kind.running_max)
        self._waiting_max = getattr(limits, self._kind.waiting_max)
        self._door.set_timeout(getattr(limits, self._kind.timeout_ms) / 1000)

    @property
    def open_count(self) -> int:
        """Questions that have no answer yet."""
        return len(self._running) + self._waiting_count

    def put(self, question: Question) -> None:
        """Ask now, later, or never."""
        if len(self._running) < self._running_max and self._may_run(question.source):
            self._start(question)
        elif self._waiting_count < self._waiting_max:
            self._waiting.setdefault(question.source, deque()).append(question)
            self._waiting_count += 1
        else:
            self._deliver([question.unknown()])

    def close(self) -> None:
        """Forget all questions, and ask no more."""
        self._waiting.clear()
        self._waiting_count = 0
        for task in self._running:
            task.cancel()
        self._door.close()

    def _may_run(self, source: str) -> bool:
        return self._running_of[source] < self._running_max - self._running_max // 4

    def _start(self, question: Question) -> None:
        task = asyncio.ensure_future(self._answer(question))
        self._running[task] = question.source
        self._running_of[question.source] += 1
        task.add_done_callback(self._done)

    async def _answer(self, question: Question) -> None:
        try:
            answer = await self._door.answer(question)
        except Exception:  # whatever keeps a door from answering means the same: it cannot be known now
            answer = question.unknown()
        self._deliver([answer])

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
    """Asks what the stack wants to know, by a door for each class of questions; `deliver` gets each answer."""

    def __init__(
        self,
        doors: Mapping[type[Question], Door],
        limits: LimitSettings,
        deliver: Callable[[list[Answer]], None],
    ) -> None:
        self._queues = {asked: LookupQueue(asked.kind, door, limits, deliver) for asked, door in doors.items()}

    @property
    def open_count(self) -> int:
        """Questions that have no answer yet."""
        return sum(queue.open_count for queue in self._queues.values())

    def reconfigure(self, limits: LimitSettings) -> None:
        """Go by new limits, for the questions to come."""
        for queue in self._queues.values():
            queue.reconfigure(limits)

    def ask(self, questions: Iterable[Question]) -> None:
        """See to the answers of these."""
        for question in questions:
            self._queues[type(question)].put(question)

    def close(self) -> None:
        """Ask no more; what is out is not waited for."""
        for queue in self._queues.values():
            queue.close()
