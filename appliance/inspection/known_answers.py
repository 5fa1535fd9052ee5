"""The answers to look-ups that a dry run has from outside, and the look-ups that it still needs."""

from __future__ import annotations

from collections.abc import Iterable

from appliance.messages.worker_requests import LookupNeeded, LookupResult
from appliance.routing.lookup_questions import Answer, Question


class KnownAnswers:
    """`needed`: the look-ups whose answers are not among those known."""

    def __init__(self, known: Iterable[LookupResult]) -> None:
        self._known = {(result.kind, result.subject): result.found for result in known}
        self.needed: list[LookupNeeded] = []

    def answer_to(self, question: Question) -> Answer | None:
        """The answer; None where it is not known, which is noted in `needed`."""
        key = (question.kind.name, question.subject)
        if key not in self._known:
            self.needed.append(question.needed())
            return None
        found = self._known[key]
        return question.unknown() if found is None else question.answer_of(found)
