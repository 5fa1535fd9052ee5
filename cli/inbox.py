"""Answers to one request, from the thread that reads them to the one that waits for them.

Bounded: when nobody takes them, the oldest go; the last one, which says how it ended, stays.
"""

from __future__ import annotations

from collections import deque
from threading import Condition
from typing import Any

INBOX_MAX = 10_000


class Inbox:
    """A queue between two threads."""

    def __init__(self) -> None:
        self._answers: deque[dict[str, Any]] = deque(maxlen=INBOX_MAX)
        self._condition = Condition()

    def put(self, answer: dict[str, Any]) -> None:
        """Add an answer."""
        with self._condition:
            self._answers.append(answer)
            self._condition.notify()

    def take(self, timeout_s: float | None) -> dict[str, Any] | None:
        """The next answer; None when none has come in time."""
        with self._condition:
            if not self._condition.wait_for(lambda: bool(self._answers), timeout_s):
                return None
            return self._answers.popleft()
