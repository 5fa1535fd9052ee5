"""Finding the servers of a URI for an operator: the steps of RFC 3263 with DNS as the management process sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from appliance.catalogue.settings import Settings
from appliance.routing.hop_trial import HopTrial
from appliance.routing.host_cache import HostCache
from appliance.routing.lookup_questions import Answer, HostAnswer, LookupHost, LookupServers, Question
from appliance.routing.server_cache import ServerCache
from appliance.routing.server_location import AnswersNeeded, LocationUnknown
from appliance.sip.siphash import SipHash
from appliance.sip.uri import Uri
from appliance.transport.flow import Flow

ROUNDS_MAX: Final = 6
REQUEST_LEN: Final = 600
# Of servers that DNS gives by weight the order differs from call to call: this is that of one call.
CALL_ID: Final = b"resolve"


@dataclass(slots=True)
class Step:
    """One query. `records` is None when DNS did not respond."""

    query: str
    records: list[str] | None
    ttl_s: float


@dataclass(slots=True)
class Located:
    """`fault`: a sentence that says why nothing was found; "" otherwise."""

    steps: list[Step] = field(default_factory=list)
    flows: list[Flow] = field(default_factory=list)
    fault: str = ""

    @property
    def is_absent(self) -> bool:
        """Has DNS answered, and has the name nothing?"""
        return not self.fault and not self.flows and bool(self.steps) and not self.steps[-1].records


async def locate(uri: Uri, settings: Settings) -> Located:
    """The servers of a URI, and the queries that lead to them."""
    # Only here: a management process that is not asked for names does without what DNS takes.
    from appliance.resolver import HostResolver

    resolver = HostResolver(settings.limits.lookup_timeout_ms / 1000)
    trial = HopTrial(settings.listeners, HostCache(settings), ServerCache(settings), SipHash(bytes(16)))
    located = Located()
    for _ in range(ROUNDS_MAX):
        try:
            located.flows = trial.find(uri, REQUEST_LEN, 0, CALL_ID, 0.0)
            return located
        except AnswersNeeded as needed:
            for question in needed.questions:
                step, answer = await _ask(question, resolver)
                located.steps.append(step)
                trial.learn(question, answer, 0.0)
        except LocationUnknown as fault:
            located.fault = f"No response from DNS for {fault}."
            return located
    located.fault = "DNS leads from one name to another without end."
    return located


async def _ask(question: Question, resolver: Any) -> tuple[Step, Answer]:
    from appliance.resolver import LookupFailed

    is_host = isinstance(question, LookupHost)
    query = f"A, AAAA {question.subject}" if is_host else question.subject
    try:
        if isinstance(question, LookupServers):
            found = await resolver.records(question.name.decode(), question.record_type.decode())
            return Step(query, list(found.records), found.ttl_s), question.answer_of(found.records, found.ttl_s)
        addresses = await resolver.lookup(question.subject)
        answer = HostAnswer(question.id, addresses.addresses, False, addresses.ttl_s)
        return Step(query, list(addresses.addresses), addresses.ttl_s), answer
    except LookupFailed:
        return Step(query, None, 0.0), question.unknown()
