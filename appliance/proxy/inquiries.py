"""Who waits for which answer of the world: DNS and the subscriber store.

Many may wait for one answer; the question is asked once. The number of waiters is bounded: beyond
it nobody may start to wait, and the request is refused instead (`False`).

Knows nothing of what a waiter does with the answer.
"""

from __future__ import annotations

from typing import Protocol

from appliance.routing.questions import Answer, FindSubscriber, LookupHost, Question


class Waiter(Protocol):
    """Somebody who goes on when an answer has come."""

    def answer_arrived(self, answer: Answer, now: float) -> None:
        """Go on; every question is answered once, with `failed` at worst."""


class Inquiries:
    """Questions under way, their waiters, and the questions not handed out yet."""

    __slots__ = ("_asked", "_keys", "_last_id", "_to_ask", "_waiters", "limit", "waiting_count")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._last_id = 0
        self._asked: dict[tuple[bytes, ...], int] = {}
        self._keys: dict[int, tuple[bytes, ...]] = {}
        self._waiters: dict[int, list[Waiter]] = {}
        self._to_ask: list[Question] = []
        self.waiting_count = 0

    def ask_host(self, host: bytes, waiter: Waiter) -> bool:
        """Wait for the addresses of a host; False when too many wait already."""
        number = self._join((b"host", host), waiter)
        if number > 0:
            self._to_ask.append(LookupHost(number, host))
        return number >= 0

    def ask_subscriber(self, username: bytes, realm: bytes, waiter: Waiter) -> bool:
        """Wait for what the store says of a user; False when too many wait already."""
        number = self._join((b"subscriber", username, realm), waiter)
        if number > 0:
            self._to_ask.append(FindSubscriber(number, username, realm))
        return number >= 0

    def _join(self, key: tuple[bytes, ...], waiter: Waiter) -> int:
        """The number of a new question, 0 when it is under way already, -1 at the limit."""
        if self.waiting_count >= self.limit:
            return -1
        self.waiting_count += 1
        number = self._asked.get(key)
        if number is not None:
            self._waiters[number].append(waiter)
            return 0
        self._last_id += 1
        self._asked[key] = self._last_id
        self._keys[self._last_id] = key
        self._waiters[self._last_id] = [waiter]
        return self._last_id

    def questions_to_ask(self) -> list[Question]:
        """Questions since the last call, for the world to answer."""
        questions = self._to_ask
        if questions:
            self._to_ask = []
        return questions

    def subject_of(self, answer: Answer) -> tuple[bytes, ...] | None:
        """What an answer is about: (b"host", host) or (b"subscriber", username, realm); None: not asked."""
        return self._keys.get(answer.id)

    def answered(self, answer: Answer, now: float) -> None:
        """Let everybody go on who waited for this answer."""
        key = self._keys.pop(answer.id, None)
        if key is None:
            return
        del self._asked[key]
        waiters = self._waiters.pop(answer.id)
        self.waiting_count -= len(waiters)
        for waiter in waiters:
            waiter.answer_arrived(answer, now)
