"""The dry run of a request (`test route`): what each stage decides, and where the request would be sent.

The request is made of a method and two URIs, as if it arrived at a listener. The stages of that role decide about
it in an environment without effects (ProxyEnvironment.without_effects). A look-up that a stage asks for, or a host
whose addresses are not cached, is listed in `lookups` and ends the dry run; it is repeated with the answers (`known`)
and then continues. A challenge counts as answered with the right password when the caller is a user of this appliance,
unless the request for it says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from appliance.catalogue.settings import OPEN, ListenerSettings
from appliance.catalogue.transports import TRANSPORTS
from appliance.inspection.dry_run_targets import target_row
from appliance.inspection.known_answers import KnownAnswers
from appliance.messages.worker_requests import DryRun, Route, StageRow, TargetRow
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.fast_settings import ListenerRules
from appliance.proxy.request_context import RequestContext
from appliance.proxy.roles import ROLES
from appliance.proxy.stage_chain import Stage, run_chain
from appliance.proxy.stage_results import FORWARD, Ask, Drop, Reply, StageResult
from appliance.security.keys import period_of
from appliance.sip.errors import MalformedMessage
from appliance.sip.message import Request
from appliance.sip.parser import SyntaxLimits, parse
from appliance.sip.status import reason_phrase
from appliance.transport.flow import Flow

TEMPLATE: Final = (
    "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/{transport} {address}:9;branch=z9hG4bKdry-run\r\nMax-Forwards: 70\r\n"
    "From: <{caller}>;tag=dry-run\r\nTo: <{uri}>\r\nCall-ID: dry-run\r\nCSeq: 1 {method}\r\n{offer_type}"
    "Content-Length: {length}\r\n\r\n{offer}"
)
OFFER_TYPE: Final = "Content-Type: application/sdp\r\n"
# RFC 8866 9: as much of a description as says which codec is meant.
OFFER: Final = "v=0\r\nm=audio 9 RTP/AVP 96\r\na=rtpmap:96 {codec}/8000\r\n"
SCHEMES: Final = ("sip", "sips", "tel")
# RFC 3966 3: digits and visual separators.
NUMBER_CHARACTERS: Final = frozenset("0123456789+*-()")
CHALLENGES: Final = (401, 407)
# Questions that one stage may ask in turn.
QUESTIONS_MAX: Final = 10


def dry_run(node: ProxyEnvironment, trial: DryRun, limits: SyntaxLimits, now: float) -> Route:
    """The decisions of the stages, the targets, the outcome, and the look-ups still needed. Raises ValueError."""
    apart = node.without_effects()
    if trial.date:
        # For what goes by the hour of the day; registrations live by another clock.
        apart.date_offset_s = trial.date - apart.wall_time(now)
    run = _Run(apart, trial, limits, now)
    stages = list(run.decide_stages())
    targets = run.target_rows()
    return Route(stages, targets, _outcome(stages, targets), run.answers.needed)


class _Run:
    """One request and the answers it gets."""

    def __init__(self, node: ProxyEnvironment, trial: DryRun, limits: SyntaxLimits, now: float) -> None:
        self._node = node
        self._now = now
        self.answers = KnownAnswers(trial.known)
        self._context = _context_of(trial, node, limits, now)
        self._role = ROLES[self._context.listener.role]
        self._is_unauthenticated = trial.is_unauthenticated
        self._is_forwarded = False

    def decide_stages(self) -> Iterator[StageRow]:
        """A row for each stage, up to the one that does not continue."""
        context, role = self._context, self._role
        for position, name in enumerate(role.names):
            before = _Findings(context)
            result, notes = self._decide(role.stages[: position + 1])
            has_continued = context.position > position
            self._is_forwarded = result is FORWARD
            answer, reason = ("continue", "") if has_continued else _in_words(result)
            changes = before.changes(context) if self._is_forwarded else before.rules_passed(context)
            yield StageRow(name, answer, ", ".join(filter(None, (reason, *changes, *notes))))
            if not has_continued:
                return

    def _decide(self, stages: tuple[Stage, ...]) -> tuple[StageResult, list[str]]:
        """The result of the last of the stages, which is the one that decides next; and what it was told."""
        context = self._context
        notes: list[str] = []
        result = self._run(stages)
        while isinstance(result, Ask) and len(notes) < QUESTIONS_MAX:
            question = result.question
            answer = self.answers.answer_to(question)
            if answer is None:
                return result, notes
            notes.append(
                f"because {question.kind.door} does not answer"
                if answer.failed
                else f"as {question.kind.door} says of {question.subject}"
            )
            context.answer = answer
            result = self._run(stages)
        if isinstance(result, Reply) and result.status in CHALLENGES and self._answer_challenge():
            notes.append("digest authentication assumed successful")
            result = self._run(stages)
        return result, notes

    def _run(self, stages: tuple[Stage, ...]) -> StageResult:
        return run_chain(stages, self._context, self._node, self._now)

    def _answer_challenge(self) -> bool:
        """Take the caller's address for proved, if it is one of ours."""
        claimed = self._context.request.read_from().uri
        if self._is_unauthenticated or self._context.identity or not self._node.names.is_own_domain(claimed.host):
            return False
        self._context.identity = self._node.aor_of(claimed)
        return True

    def target_rows(self) -> list[TargetRow]:
        """The targets of a request that would be forwarded."""
        targets = self._context.targets if self._is_forwarded else ()
        tried = [each for target in targets for each in (target, *target.spares)] if self._context.route else targets
        return [target_row(target, self._context, self._node, self.answers, self._now) for target in tried]


class _Findings:
    """What the stages so far have found out about a request."""

    def __init__(self, context: RequestContext) -> None:
        self._uri_text = context.request.uri_text
        self._targets = context.targets
        self._is_in_dialog = context.is_in_dialog
        self._record_routed = context.record_routed
        self._route = context.route

    def changes(self, context: RequestContext) -> Iterator[str]:
        """What is different now, in words."""
        if context.request.uri_text != self._uri_text:
            yield f"the Request-URI becomes {context.request.uri_text.decode('utf-8', 'replace')}"
        if context.is_in_dialog and not self._is_in_dialog:
            yield "the request belongs to a dialog"
        yield from self.rules_passed(context)
        if context.targets is not self._targets:
            yield _counted(len(context.targets), "target")
        if context.record_routed and not self._record_routed:
            yield "Record-Route is added"

    def rules_passed(self, context: RequestContext) -> Iterator[str]:
        """The rules of route tables that have decided now."""
        if context.route is not None and context.route is not self._route:
            yield from context.route.steps


# -- the request -------------------------------------------------------------------------------------


def _context_of(trial: DryRun, node: ProxyEnvironment, limits: SyntaxLimits, now: float) -> RequestContext:
    number, listener = _listener_of(trial.listener, node)
    transport = listener.transports[0]
    address = trial.source or listener.address
    domain = node.names.default_domain.decode()
    offer = OFFER.format(codec=trial.media) if trial.media else ""
    text = TEMPLATE.format(
        method=trial.method,
        uri=_uri_of(trial.uri, domain),
        caller=_uri_of(trial.caller, domain) if trial.caller else f"sip:caller@{_host_of(listener.address)}",
        transport=TRANSPORTS[transport].via.decode(),
        address=_host_of(address),
        offer_type=OFFER_TYPE if offer else "",
        length=len(offer),
        offer=offer,
    )
    try:
        request = parse(text.encode(), limits)
    except MalformedMessage as fault:
        raise ValueError(f"invalid URI: {fault.reason}") from None
    assert isinstance(request, Request)
    context = RequestContext(request, Flow(transport, number, (address, 9)), ListenerRules(listener))
    context.period = period_of(node.wall_time(now))
    return context


def _listener_of(name: str, node: ProxyEnvironment) -> tuple[int, ListenerSettings]:
    """The open listener of a name, or the first one for "", with its number."""
    for number, listener in enumerate(node.settings.listeners):
        if listener.standing == OPEN and name in ("", listener.name):
            return number, listener
    raise ValueError(f"no listener `{name}` is open")


def _uri_of(text: str, domain: str) -> str:
    """The URI that an operator means. A number is a user of `domain`."""
    if text.partition(":")[0].lower() in SCHEMES:
        return text
    return f"sip:{text}@{domain}" if NUMBER_CHARACTERS.issuperset(text) else f"sip:{text}"


def _host_of(address: str) -> str:
    return f"[{address}]" if ":" in address else address


# -- in words ----------------------------------------------------------------------------------------


def _in_words(result: StageResult) -> tuple[str, str]:
    """The decision of a stage that does not continue, and its reason."""
    if isinstance(result, Reply):
        return f"{result.status}", (result.reason or reason_phrase(result.status)).decode()
    if isinstance(result, Ask):
        return "ask", f"{result.question.kind.door} would be asked for {result.question.subject}"
    return ("drop", "") if isinstance(result, Drop) else ("forward", "")


def _outcome(stages: list[StageRow], targets: list[TargetRow]) -> str:
    last = stages[-1]
    if last.answer in ("continue", "forward"):
        return f"It is forwarded to {_counted(len(targets), 'target')}."
    if last.answer == "ask":
        return f"It waits at `{last.stage}`: {last.note}."
    if last.answer == "drop":
        return f"`{last.stage}` drops it without a response."
    return f"`{last.stage}` answers {last.answer} {last.note}."


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
