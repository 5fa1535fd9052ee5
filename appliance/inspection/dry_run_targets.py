"""The targets of a dry run with their next hops (RFC 3261 16.6 step 7, RFC 3263)."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from appliance.catalogue.transports import TRANSPORTS
from appliance.inspection.known_answers import KnownAnswers
from appliance.messages.worker_requests import TargetRow
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.request_context import RequestContext
from appliance.routing.gateways import GatewayUnknown
from appliance.routing.lookup_questions import HostAnswer, LookupHost
from appliance.routing.next_hops import HostUnknown, transports_of
from appliance.routing.targets import Target
from appliance.sip.headers import parse_name_addr
from appliance.sip.uri import Uri
from appliance.transport.flow import Flow
from appliance.transport.transport_table import default_port

REQUEST_LEN: Final = 600
BARRED: Final = "not followed: this appliance, a peer or a gateway"


def target_row(
    target: Target, context: RequestContext, node: ProxyEnvironment, answers: KnownAnswers, now: float
) -> TargetRow:
    """One target with its next hops."""
    try:
        uri = _hop_uri(target)
        flows = [target.flow] if target.flow else node.next_hops.find(uri, REQUEST_LEN, context.way_out, now)
        hops = _passable_hops(flows, target, context, node, now)
    except HostUnknown as unknown:
        hops = _hops_of_host(target, context, LookupHost(unknown.host), node, answers, now)
    path = [value.decode("utf-8", "replace") for value in target.path]
    return TargetRow(target.uri_text.decode("utf-8", "replace"), target.q / 1000, hops, path)


def _hop_uri(target: Target) -> Uri:
    """Where its request goes (RFC 3261 16.6 step 7): the first Route that its path makes, else its URI."""
    return parse_name_addr(target.path[0]).uri if target.path else target.uri


def _passable_hops(
    flows: list[Flow], target: Target, context: RequestContext, node: ProxyEnvironment, now: float
) -> list[str]:
    """Those that a call may take; a gateway whose address is not known yet is found out when there is a call."""
    passable = flows
    if target.flow is None:
        with suppress(GatewayUnknown):
            passable = node.passable(flows, target.origin, context.flow.listener, now)
    return [_hop(flow) for flow in passable] if passable or not flows else [BARRED]


def _hops_of_host(
    target: Target,
    context: RequestContext,
    question: LookupHost,
    node: ProxyEnvironment,
    answers: KnownAnswers,
    now: float,
) -> list[str]:
    """The next hops of a host by what DNS says."""
    host, answer = question.subject, answers.answer_to(question)
    if not isinstance(answer, HostAnswer):
        return [f"a DNS query for {host} is required"]
    if answer.failed:
        return [f"no response from DNS for {host}"]
    uri, flow_to = _hop_uri(target), node.next_hops.flow_to
    ways = [(way, uri.port or default_port(way)) for way in transports_of(uri, REQUEST_LEN)]
    found = [flow_to(way, address.encode(), port) for address in answer.addresses for way, port in ways]
    flows = [flow for flow in found if flow is not None]
    return _passable_hops(flows, target, context, node, now) or [f"DNS has no address for {host}"]


def _hop(flow: Flow) -> str:
    name = TRANSPORTS[flow.transport].name
    by = f" by connection {flow.connection}" if flow.connection else ""
    return f"{name} {flow.remote[0]}:{flow.remote[1]}{by}"
