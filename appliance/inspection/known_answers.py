"""The answers to look-ups that a dry run has from outside, and the look-ups that it still needs."""

from __future__ import annotations

from typing import Any

from appliance.routing.lookup_questions import Answer, Question

Row = dict[str, Any]


class KnownAnswers:
    """`known`: by kind of look-up and subject, None where there was no response. `asks`: the look-ups still needed."""

    def __init__(self, known: dict[str, dict[str, Any]]) -> None:
        """Raises ValueError for what has another shape."""
        if not all(isinstance(found, dict) for found in known.values()):
            raise ValueError("the known answers are not a table for each kind of look-up")
        self._known = known
        self.asks: list[Row] = []

    def answer_to(self, question: Question) -> Answer | None:
        """The answer; None where it is not known, which is noted in `asks`."""
        found = self._known.get(question.kind.name, {})
        if question.subject not in found:
            self.asks.append(question.row())
            return None
        value = found[question.subject]
        return question.unknown() if value is None else question.answer_of(value)
