"""What ENUM domains have answered: "no such number" is kept as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.routing.kept_answers import KeptAnswers

if TYPE_CHECKING:
    from appliance.routing.lookup_questions import EnumAnswer, FindEnum


class EnumCache(KeptAnswers):
    """Domain to its NAPTR records as text (enum_rules.py)."""

    __slots__ = ()

    def keep(self, question: FindEnum, answer: EnumAnswer, now: float) -> None:
        """Keep what DNS has answered."""
        self.store(question.domain, answer.records, answer.ttl_s, now)
