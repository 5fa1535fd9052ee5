"""A rehearsal of a request: which stage would decide what, and where it would go; nothing is sent, nothing changes.

The request is an INVITE made up from two URIs, as if it came to a listener. The stages are the role's own; what they
count is forgotten again. A caller of ours is taken for one who can prove it. What would have to be asked (a
subscriber, a host) is named in `asks`, and ends the rehearsal with a note that says so; the rehearsal is repeated
with the answers, and then goes on to the end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from appliance.catalogue.settings import ListenerSettings
from appliance.catalogue.transports import TRANSPORTS
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.fast_settings import ListenerRules
from appliance.proxy.request_context import RequestContext
from appliance.proxy.roles import ROLES
from appliance.proxy.stage_results import CONTINUE, Ask, Drop, Reply, StageResult
from appliance.proxy.stages.authenticate import authenticate
from appliance.proxy.stages.register import register
from appliance.proxy.stages.throttle import throttle
from appliance.routing.lookup_questions import Answer, HostAnswer, LookupHost, Question
from appliance.routing.next_hops import HostUnknown, transports_of
from appliance.routing.targets import Target
from appliance.sip.errors import MalformedMessage
from appliance.sip.message import Request
from appliance.sip.parser import SyntaxLimits, parse
from appliance.sip.status import reason_phrase
from appliance.transport.flow import UDP, Flow
from appliance.transport.transport_table import default_port

TEMPLATE: Final = (
    "INVITE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {address}:9;branch=z9hG4bKrehearsal\r\nMax-Forwards: 70\r\n"
    "From: <{caller}>;tag=rehearsal\r\nTo: <{uri}>\r\nCall-ID: rehearsal\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
)

Row = dict[str, Any]
REQUEST_LEN: Final = 600


@dataclass(slots=True)
class World:
    """What was answered outside, by kind and subject, None where nothing was; and what is still to be asked."""

    known: dict[str, dict[str, Any]]
    asks: list[Row] = field(default_factory=list)

    def answer(self, question: Question) -> Answer | None:
        """What is answered; None where it is still to be asked."""
        found = self.known.get(question.kind.name, {})
        if question.subject not in found:
            self.asks.append(question.row())
            return None
        value = found[question.subject]
        return question.unknown() if value is None else question.answer_of(value)


def world_of(known: Row) -> World:
    """The answers as they came from outside. Raises ValueError."""
    if not all(isinstance(found, dict) for found in known.values()):
        raise ValueError("the answers of the world are none")
    return World(known)


def rehearse(
    node: ProxyEnvironment,
    uri: str,
    caller: str,
    source: str,
    limits: SyntaxLimits,
    now: float,
    known: Row | None = None,
) -> Row:
    """The stages with their answers, the target set, the outcome in a sentence, and `asks`. Raises ValueError."""
    world = world_of(known or {})
    listener = node.settings.listeners[0]
    context = _context(listener, _sip(uri), _sip(caller or f"caller@{listener.address}"), source, limits)
    counters = list(node.counters)
    try:
        stages = list(_stages(context, node, world, now))
        ending = stages[-1]["answer"] if stages else ""
        wanted = context.targets if ending == "continue" else ()
        targets = [_target_row(target, context, node, world, now) for target in wanted]
    finally:
        node.counters[:] = counters
    return {"stages": stages, "targets": targets, "outcome": _outcome(stages, targets), "asks": world.asks}


def _sip(text: str) -> str:
    return text if ":" in text.partition("@")[0] else f"sip:{text}"


def _context(listener: ListenerSettings, uri: str, caller: str, source: str, limits: SyntaxLimits) -> RequestContext:
    address = source or listener.address
    bracketed = f"[{address}]" if ":" in address else address
    try:
        request = parse(TEMPLATE.format(uri=uri, caller=caller, address=bracketed).encode(), limits)
        assert isinstance(request, Request)
        return RequestContext(request, Flow(UDP, 0, (address, 9)), ListenerRules(listener))
    except MalformedMessage as fault:
        raise ValueError(f"invalid URI: {fault.reason}") from None


def _stages(context: RequestContext, node: ProxyEnvironment, world: World, now: float) -> Any:
    role = ROLES[context.listener.role]
    for name, stage in zip(role.names, role.stages, strict=True):
        # A dry run takes no token and registers no contact.
        if stage in (register, throttle):
            continue
        answer, note = _answer(name, stage, context, node, world, now)
        yield {"stage": name, "answer": answer, "note": note}
        if answer != "continue":
            return


def _answer(
    name: str, stage: Any, context: RequestContext, node: ProxyEnvironment, world: World, now: float
) -> tuple[str, str]:
    if stage is authenticate and context.listener.authenticate and not context.is_trusted:
        return _identified(context, node)
    try:
        said: StageResult = stage(context, node, now)
        if isinstance(said, Ask):
            return _answered(name, stage, said.question, context, node, world, now)
    except MalformedMessage as fault:
        return f"{fault.status}", fault.reason
    return _in_words(said, context, name)


def _identified(context: RequestContext, node: ProxyEnvironment) -> tuple[str, str]:
    claimed = context.request.from_uri
    if not node.names.is_own_domain(claimed.host):
        return "403", "the address of the caller is in another domain"
    context.identity = node.aor_of(claimed)
    return "continue", "digest authentication assumed successful"


def _answered(
    name: str,
    stage: Any,
    question: Question,
    context: RequestContext,
    node: ProxyEnvironment,
    world: World,
    now: float,
) -> tuple[str, str]:
    """What a stage that has asked says with the answer; of a further question, that it would be asked."""
    door, subject = question.kind.door, question.subject
    answer = world.answer(question)
    if answer is None:
        return "ask", f"{door} would be asked for {subject}"
    context.answer = answer
    said: StageResult = stage(context, node, now)
    context.answer = None
    if isinstance(said, Ask):
        return "ask", f"{said.question.kind.door} would be asked for {said.question.subject}"
    result, note = _in_words(said, context, name)
    known = f"for {door} does not answer" if answer.failed else f"as {door} says of {subject}"
    return result, f"{note}, {known}" if note else known


def _in_words(said: StageResult, context: RequestContext, stage: str) -> tuple[str, str]:
    if said is CONTINUE:
        return "continue", _note(context, stage)
    if isinstance(said, Reply):
        return f"{said.status}", (said.reason or reason_phrase(said.status)).decode()
    if isinstance(said, Drop):
        return "drop", ""
    return "forward", ""


def _note(context: RequestContext, stage: str) -> str:
    if stage == "locate" and context.targets:
        return f"{len(context.targets)} contacts"
    if stage == "relay" and context.targets:
        return "to the Request-URI" if len(context.targets) == 1 else ""
    if stage == "record_route":
        return "Record-Route is added" if context.record_routed else ""
    return ""


def _target_row(target: Target, context: RequestContext, node: ProxyEnvironment, world: World, now: float) -> Row:
    try:
        flows = [target.flow] if target.flow else node.next_hops.find(target.uri, REQUEST_LEN, context.way_out, now)
        hops = [_hop(flow) for flow in flows]
    except HostUnknown as unknown:
        hops = _hops_of_host(target, LookupHost(unknown.host), node, world)
    return {
        "uri": target.uri_text.decode("utf-8", "replace"),
        "q": target.q / 1000,
        "hops": hops,
        "path": [value.decode("utf-8", "replace") for value in target.path],
    }


def _hops_of_host(target: Target, question: LookupHost, node: ProxyEnvironment, world: World) -> list[str]:
    """The next hops of a host by what DNS says."""
    host, answer = question.subject, world.answer(question)
    if not isinstance(answer, HostAnswer):
        return [f"a DNS query for {host} is required"]
    if answer.failed:
        return [f"no response from DNS for {host}"]
    uri, flow_to = target.uri, node.next_hops.flow_to
    ways = [(way, uri.port or default_port(way)) for way in transports_of(uri, REQUEST_LEN)]
    flows = [flow_to(way, address.encode(), port) for address in answer.addresses for way, port in ways]
    return [_hop(flow) for flow in flows if flow is not None] or [f"DNS has no address for {host}"]


def _hop(flow: Flow) -> str:
    name = TRANSPORTS[flow.transport].name
    by = f" by connection {flow.connection}" if flow.connection else ""
    return f"{name} {flow.remote[0]}:{flow.remote[1]}{by}"


def _outcome(stages: list[Row], targets: list[Row]) -> str:
    last = stages[-1]
    if last["answer"] == "continue":
        count = len(targets)
        return f"It is forwarded to {count} target{'' if count == 1 else 's'}."
    if last["answer"] == "ask":
        return f"It waits at `{last['stage']}`: {last['note']}."
    return f"`{last['stage']}` answers {last['answer']} {last['note']}."
