"""The targets of a dry run with their next hops (RFC 3261 16.6 step 7, RFC 3263)."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from appliance.catalogue.transports import TRANSPORTS
from appliance.inspection.known_answers import KnownAnswers
from appliance.messages.worker_requests import TargetRow
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.gateway_access import hops_for_sender
from appliance.proxy.hop_lookups import ROUNDS_MAX
from appliance.proxy.request_context import RequestContext
from appliance.routing.contact_policy import destination_of
from appliance.routing.gateways import GatewayUnknown
from appliance.routing.hop_trial import HopTrial
from appliance.routing.lookup_questions import Question
from appliance.routing.server_location import AnswersNeeded, LocationUnknown
from appliance.routing.targets import Target
from appliance.sip.headers import parse_name_addr
from appliance.sip.uri import Uri
from appliance.transport.flow import Flow

REQUEST_LEN: Final = 600
BARRED: Final = "not followed: this appliance, a peer or a gateway"


def target_row(
    target: Target, context: RequestContext, node: ProxyEnvironment, answers: KnownAnswers, now: float
) -> TargetRow:
    """One target with its next hops."""
    hops = [_hop(target.flow)] if target.flow else _hops_of(target, context, node, answers, now)
    path = [value.decode("utf-8", "replace") for value in target.path]
    return TargetRow(target.uri_text.decode("utf-8", "replace"), target.q / 1000, hops, path)


def _hop_uri(target: Target) -> Uri:
    """Where its request goes (RFC 3261 16.6 step 7): the first Route that its path makes, else its URI."""
    return parse_name_addr(target.path[0]).uri if target.path else target.uri


def _hops_of(
    target: Target, context: RequestContext, node: ProxyEnvironment, answers: KnownAnswers, now: float
) -> list[str]:
    """The next hops by what is known of DNS, and what has to be asked where that is too little."""
    uri, call_id = _hop_uri(target), context.request.read_call_id()
    caches = node.hosts.without_effects(), node.servers.without_effects()
    trial = HopTrial(node.settings.listeners, *caches, node.keys.servers)
    for _ in range(ROUNDS_MAX):
        try:
            flows = trial.find(uri, REQUEST_LEN, context.way_out, call_id, now)
        except LocationUnknown as fault:
            return [f"no response from DNS for {fault}"]
        except AnswersNeeded as needed:
            missing = [question for question in needed.questions if not _learn(question, trial, answers, now)]
            if missing:
                return [f"a DNS query for {question.subject} is required" for question in missing]
        else:
            hops = _passable_hops(flows, uri, target, context, node, now)
            return hops or [f"DNS has no address for {destination_of(uri).decode()}"]
    return ["DNS has no end of answers"]


def _passable_hops(
    flows: list[Flow], uri: Uri, target: Target, context: RequestContext, node: ProxyEnvironment, now: float
) -> list[str]:
    """Those that a call may take; a gateway whose address is not known yet is found out when there is a call."""
    passable = flows
    with suppress(GatewayUnknown):
        passable = node.passable(flows, context.origin_of(target), context.flow.listener, now)
        passable = hops_for_sender(passable, uri, target, context, node, now)
    return [_hop(flow) for flow in passable] if passable or not flows else [BARRED]


def _learn(question: Question, trial: HopTrial, answers: KnownAnswers, now: float) -> bool:
    answer = answers.answer_to(question)
    if answer is not None:
        trial.learn(question, answer, now)
    return answer is not None


def _hop(flow: Flow) -> str:
    name = TRANSPORTS[flow.transport].name
    by = f" by connection {flow.connection}" if flow.connection else ""
    return f"{name} {flow.remote[0]}:{flow.remote[1]}{by}"
