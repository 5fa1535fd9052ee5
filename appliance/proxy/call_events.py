"""Makes the events of calls (events.py). Called only while there is a consumer."""

from __future__ import annotations

from collections.abc import Callable

from appliance.proxy.best_response import Final
from appliance.proxy.branch import Branch
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.events import CallAnswered, CallCancelled, CallEnded, CallFailed, CallStarted
from appliance.proxy.request_context import RequestContext
from appliance.sip.errors import MalformedMessage
from appliance.sip.headers import NameAddr
from appliance.sip.message import Response
from appliance.transport.flow import Flow

# The fields that all events of a call have.
_Fields = tuple[float, bytes, bytes, bytes, bytes, bytes, bytes, bytes, Flow]


def request_forwarded(context: RequestContext, node: ProxyEnvironment, now: float) -> None:
    """The first INVITE of a call, or its BYE; all else is no event."""
    assert node.events is not None
    request = context.request
    if not request.read_to_tag():
        if request.method == b"INVITE":
            node.events.add(CallStarted(*_fields_of(context, node, now)))
    elif request.method == b"BYE" and context.is_in_dialog:
        node.events.add(CallEnded(*_fields_of(context, node, now)))


def call_answered(branch: Branch, response: Response, node: ProxyEnvironment, now: float) -> None:
    """A branch has a 2xx."""
    context = branch.user.request_context
    if node.events is not None and is_call(context):
        hop = None if branch.client is None else branch.client.flow
        answered = CallAnswered(*_fields_of(context, node, now), response.status, branch.target.uri_text, hop)
        answered.to_tag = response.read_to_tag()
        node.events.add(answered)


def call_failed(final: Final, context: RequestContext, node: ProxyEnvironment, now: float) -> None:
    """The caller is sent this final response."""
    if node.events is not None and is_call(context):
        reason = final.reason if final.response is None else final.response.reason
        fields = _fields_of(context, node, now)
        node.events.add(CallFailed(*fields, final.status, reason, final.response is None))


def call_cancelled(reasons: list[bytes], context: RequestContext, node: ProxyEnvironment, now: float) -> None:
    """The caller does not wait any longer."""
    if node.events is not None and is_call(context):
        node.events.add(CallCancelled(*_fields_of(context, node, now), list(reasons)))


def is_call(context: RequestContext) -> bool:
    """Is it an INVITE that begins a call, and not one inside of a dialog (RFC 3261 14)?"""
    return context.request.method == b"INVITE" and not context.request.read_to_tag()


def _fields_of(context: RequestContext, node: ProxyEnvironment, now: float) -> _Fields:
    request = context.request
    return (
        node.date(now),
        request.read_call_id(),
        _address(request.read_from),
        _address(request.read_to),
        request.read_from_tag(),
        request.read_to_tag(),
        context.identity,
        request.uri_text,
        context.flow,
    )


def _address(read: Callable[[], NameAddr]) -> bytes:
    try:
        return read().uri.text
    except MalformedMessage:
        return b""
