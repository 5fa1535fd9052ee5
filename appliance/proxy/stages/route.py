"""Stage: numbers, and domains that are served elsewhere, go where routes say (RFC 3261 16.5, docs/routing.md).

Only for senders that may relay: a next hop is a foreign target, whichever domain the caller has named.
"""

from __future__ import annotations

from appliance.catalogue.counters import CALLS_ROUTED, RELAYS_REFUSED, ROUTES_REJECTED
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.gateway_access import may_name_gateways
from appliance.proxy.request_context import RequestContext
from appliance.proxy.routing_notes import note_routing_failure
from appliance.proxy.stage_results import CONTINUE, Ask, Reply, StageResult
from appliance.proxy.stages.redirect import redirection_to
from appliance.routing.lookup_questions import EnumAnswer, RoutesAnswer
from appliance.routing.route_decision import Answers, RoutedCall, RouteDecision
from appliance.sip.names import ROUTE


def route(context: RequestContext, node: ProxyEnvironment, now: float) -> StageResult:
    """Make the next hops the target: the first one, and in its place those after it when it fails."""
    request = context.request
    # RFC 3261 16.5: the dialog, or the caller's own route set, says where it goes.
    if context.is_in_dialog or context.is_for_flow() or request.count(ROUTE):
        return CONTINUE
    decision = _decision(context, node, now)
    context.route = decision
    if decision is None:
        context.is_unrouted = True
        return CONTINUE
    if decision.question is not None:
        # Only who may relay makes us ask.
        return Ask(decision.question) if context.may_relay() else _refuse(node)
    if decision.entries and context.may_relay():
        node.router.counts.note(decision.entries)
    if decision.status:
        node.counters[ROUTES_REJECTED] += 1
        note_routing_failure(context, node, now, decision.status, decision.reason)
        return Reply(decision.status, decision.reason, is_stateless=True)
    if not decision.targets:
        return CONTINUE
    if not context.may_relay():
        return _refuse(node)
    if node.names.is_responsible_for(decision.targets[0].uri):
        return _go_on_here(context)
    node.counters[CALLS_ROUTED] += 1
    if decision.is_redirect:
        return redirection_to(decision.targets, context)
    first, *others = decision.targets
    first.spares = tuple(others)
    context.targets = [first]
    return CONTINUE


def _decision(context: RequestContext, node: ProxyEnvironment, now: float) -> RouteDecision | None:
    router, source = node.router, context.flow.remote[0]
    call = RoutedCall(context.request, source, now, node.date(now), _answers(context), context.identity)
    policy = router.policy_of(context.listener.name, source)
    if node.names.is_responsible_for(call.uri):
        return router.decide(call, policy)
    decision = router.decide_foreign(call, policy)
    if decision is None and not may_name_gateways(context):
        # It is not for him to choose the gateway.
        decision = router.decide_at_gateway(call, policy)
    return decision


def _answers(context: RequestContext) -> Answers:
    """What DNS and lookups have said while this stage was asked before."""
    before, answer = context.route, context.answer
    if before is None or before.question is None or not isinstance(answer, (EnumAnswer, RoutesAnswer)):
        return {}
    return {**before.answers, before.question: None if answer.failed else answer.records}


def _refuse(node: ProxyEnvironment) -> Reply:
    node.counters[RELAYS_REFUSED] += 1
    return Reply(403, b"Relaying Denied", is_stateless=True)


def _go_on_here(context: RequestContext) -> StageResult:
    """RFC 3261 16.5: ENUM has named an address of ours, whose contacts are the targets."""
    decision = context.route
    assert decision is not None
    context.request.set_uri(decision.targets[0].uri)
    decision.targets = []
    return CONTINUE
