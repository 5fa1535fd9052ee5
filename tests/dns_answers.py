"""What DNS says to the questions of a stack, where a test is not about DNS."""

from __future__ import annotations

from collections.abc import Sequence

from appliance.routing.lookup_questions import Answer, HostAnswer, LookupServers, Question


def dns_answer(
    question: Question, addresses: Sequence[str], failed: bool = False, ttl_s: float = 60.0, servers: str = ""
) -> Answer:
    """A host has these addresses; a domain has the SRV record `servers`, or none."""
    if not isinstance(question, LookupServers):
        return HostAnswer(question.id, tuple(addresses), failed, ttl_s)
    return question.unknown() if failed else question.answer_of([servers] if servers else [], ttl_s)
