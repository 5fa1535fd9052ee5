"""A rehearsal of a request: which stage would decide what, and where it would go; nothing is sent, nothing changes.

The request is an INVITE made up from two URIs, as if it came to a listener. The stages are the role's own; what they
count is forgotten again. A caller of ours is taken for somebody who can prove it, and whatever would have to be
asked (a subscriber, a host) ends the rehearsal with a note that says so, unless it is known.

Knows nothing of who asks.
"""

from __future__ import annotations

from typing import Any, Final

from appliance.catalogue.settings import ListenerSettings
from appliance.proxy.answers import CONTINUE, Answer, AskSubscriber, Drop, Reply
from appliance.proxy.node import Node
from appliance.proxy.request_context import RequestContext
from appliance.proxy.roles import ROLES
from appliance.proxy.rules import ListenerRules
from appliance.proxy.stages.authenticate import authenticate
from appliance.proxy.stages.register import register
from appliance.proxy.stages.throttle import throttle
from appliance.routing.next_hops import HostUnknown
from appliance.routing.targets import Target
from appliance.sip.errors import MalformedMessage
from appliance.sip.message import Request
from appliance.sip.parser import SyntaxLimits, parse
from appliance.sip.status import reason_phrase
from appliance.transport.flow import TRANSPORT_NAMES, UDP, Flow

TEMPLATE: Final = (
    "INVITE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {address}:9;branch=z9hG4bKrehearsal\r\nMax-Forwards: 70\r\n"
    "From: <{caller}>;tag=rehearsal\r\nTo: <{uri}>\r\nCall-ID: rehearsal\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
)

Row = dict[str, Any]


def rehearse(node: Node, uri: str, caller: str, source: str, limits: SyntaxLimits, now: float) -> Row:
    """The stages with their answers, the target set, and the outcome in a sentence. Raises ValueError."""
    listener = node.settings.listeners[0]
    context = _context(listener, _sip(uri), _sip(caller or f"caller@{listener.address}"), source, limits)
    counters = list(node.counters)
    try:
        stages = list(_stages(context, node, now))
        ending = stages[-1]["answer"] if stages else ""
        wanted = context.targets if ending == "continue" else ()
        targets = [_target_row(target, context, node, now) for target in wanted]
    finally:
        node.counters[:] = counters
    return {"stages": stages, "targets": targets, "outcome": _outcome(stages, targets)}


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
        raise ValueError(f"no request can be made of it: {fault.reason}") from None


def _stages(context: RequestContext, node: Node, now: float) -> Any:
    for stage in ROLES[context.listener.role]:
        # A rehearsal takes no token, and registers nobody.
        if stage in (register, throttle):
            continue
        answer, note = _answer(stage, context, node, now)
        yield {"stage": _name(stage), "answer": answer, "note": note}
        if answer != "continue":
            return


def _answer(stage: Any, context: RequestContext, node: Node, now: float) -> tuple[str, str]:
    if stage is authenticate and context.listener.authenticate and not context.is_trusted:
        return _identified(context, node)
    try:
        said: Answer = stage(context, node, now)
    except MalformedMessage as fault:
        return f"{fault.status}", fault.reason
    return _in_words(said, context, _name(stage))


def _name(stage: Any) -> str:
    return str(getattr(stage, "__name__", "stage"))


def _identified(context: RequestContext, node: Node) -> tuple[str, str]:
    claimed = context.request.from_uri
    if not node.names.is_own_domain(claimed.host):
        return "403", "the caller's address is of another domain"
    context.identity = node.aor_of(claimed)
    return "continue", "a digest would be asked for; taken as proved"


def _in_words(said: Answer, context: RequestContext, stage: str) -> tuple[str, str]:
    if said is CONTINUE:
        return "continue", _note(context, stage)
    if isinstance(said, Reply):
        return f"{said.status}", (said.reason or reason_phrase(said.status)).decode()
    if isinstance(said, AskSubscriber):
        return "ask", f"the database would be asked for {said.username.decode('utf-8', 'replace')}"
    if isinstance(said, Drop):
        return "drop", ""
    return "forward", ""


def _note(context: RequestContext, stage: str) -> str:
    if stage == "locate" and context.targets:
        return f"{len(context.targets)} contacts"
    if stage == "relay" and context.targets:
        return "to where the Request-URI says" if len(context.targets) == 1 else ""
    if stage == "record_route":
        return "later requests of the call come this way" if context.record_routed else ""
    return ""


def _target_row(target: Target, context: RequestContext, node: Node, now: float) -> Row:
    try:
        flows = [target.flow] if target.flow else node.next_hops.find(target.uri, 600, context.way_out, now)
        hops = [_hop(flow) for flow in flows]
    except HostUnknown as unknown:
        hops = [f"DNS would be asked for {unknown.host.decode('utf-8', 'replace')}"]
    return {
        "uri": target.uri_text.decode("utf-8", "replace"),
        "q": target.q / 1000,
        "hops": hops,
        "path": [value.decode("utf-8", "replace") for value in target.path],
    }


def _hop(flow: Flow) -> str:
    name = TRANSPORT_NAMES[flow.transport].decode().lower()
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
