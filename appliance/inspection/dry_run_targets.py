"""The targets of a dry run with their next hops (RFC 3261 16.6 step 7, RFC 3263)."""

from __future__ import annotations

from typing import Final

from appliance.catalogue.transports import TRANSPORTS
from appliance.inspection.known_answers import KnownAnswers
from appliance.messages.worker_requests import TargetRow
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.request_context import RequestContext
from appliance.routing.lookup_questions import HostAnswer, LookupHost
from appliance.routing.next_hops import HostUnknown, transports_of
from appliance.routing.targets import Target
from appliance.sip.headers import parse_name_addr
from appliance.sip.uri import Uri
from appliance.transport.flow import Flow
from appliance.transport.transport_table import default_port

REQUEST_LEN: Final = 600


def target_row(
    target: Target, context: RequestContext, node: ProxyEnvironment, answers: KnownAnswers, now: float
) -> TargetRow:
    """One target with its next hops."""
    try:
        uri = _hop_uri(target)
        flows = [target.flow] if target.flow else node.next_hops.find(uri, REQUEST_LEN, context.way_out, now)
        hops = [_hop(flow) for flow in flows]
    except HostUnknown as unknown:
        hops = _hops_of_host(target, LookupHost(unknown.host), node, answers)
    path = [value.decode("utf-8", "replace") for value in target.path]
    return TargetRow(target.uri_text.decode("utf-8", "replace"), target.q / 1000, hops, path)


def _hop_uri(target: Target) -> Uri:
    """Where its request goes (RFC 3261 16.6 step 7): the first Route that its path makes, else its URI."""
    return parse_name_addr(target.path[0]).uri if target.path else target.uri


def _hops_of_host(target: Target, question: LookupHost, node: ProxyEnvironment, answers: KnownAnswers) -> list[str]:
    """The next hops of a host by what DNS says."""
    host, answer = question.subject, answers.answer_to(question)
    if not isinstance(answer, HostAnswer):
        return [f"a DNS query for {host} is required"]
    if answer.failed:
        return [f"no response from DNS for {host}"]
    uri, flow_to = _hop_uri(target), node.next_hops.flow_to
    ways = [(way, uri.port or default_port(way)) for way in transports_of(uri, REQUEST_LEN)]
    flows = [flow_to(way, address.encode(), port) for address in answer.addresses for way, port in ways]
    return [_hop(flow) for flow in flows if flow is not None] or [f"DNS has no address for {host}"]


def _hop(flow: Flow) -> str:
    name = TRANSPORTS[flow.transport].name
    by = f" by connection {flow.connection}" if flow.connection else ""
    return f"{name} {flow.remote[0]}:{flow.remote[1]}{by}"
