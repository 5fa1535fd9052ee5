"""Stage: where are the contacts of a user of ours (RFC 3261 16.5)?

A user without bindings is 480 when he exists and 404 when he does not; when the store cannot say,
it is 480, for "cannot know" is not "no".
"""

from __future__ import annotations

from typing import Final

from appliance.catalogue.counters import USERS_UNAVAILABLE, USERS_UNKNOWN
from appliance.location.gruu import NOT_OURS, instance_of
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.location_service import public_gruu_of, targets_of
from appliance.proxy.request_context import RequestContext
from appliance.proxy.routing_notes import note_routing_failure
from appliance.proxy.stage_results import CONTINUE, Ask, Reply, StageResult
from appliance.routing.called_number import called_number
from appliance.routing.lookup_questions import FindSubscriber, SubscriberAnswer
from appliance.sip.header_lines import make_line
from appliance.sip.names import ROUTE
from appliance.sip.uri import Uri

# RFC 5630 5.3: what the caller has to know.
SIPS_NOT_ALLOWED: Final = make_line(b"Warning", b'380 signalbox "SIPS Not Allowed"')


def locate(context: RequestContext, node: ProxyEnvironment, now: float) -> StageResult:
    """Make the bindings of the address the target set."""
    uri = context.request.read_uri()
    if context.is_for_flow():
        return CONTINUE
    if (context.route is not None and context.route.targets) or not node.names.is_responsible_for(uri):
        return CONTINUE
    if not uri.user:
        return Reply(404, b"Request-URI Names No User", is_stateless=True)
    instance = instance_of(uri)
    if instance == NOT_OURS:
        # RFC 5627 6.1, 5.1: a temporary one, as long as it is valid.
        public = public_gruu_of(uri, node, now)
        if public is None:
            return Reply(404, b"Not a Valid GRUU", is_stateless=True)
        uri = public
        instance = instance_of(uri)
    targets = targets_of(uri, node, now)
    context.targets = targets
    if not targets and _has_plain_contact(uri, node, now):
        node.counters[USERS_UNAVAILABLE] += 1
        return Reply(480, headers=(SIPS_NOT_ALLOWED,))
    if not targets:
        return _not_registered(context, node, node.aor_of(uri), now)
    if instance and context.request.count(ROUTE):
        # RFC 5627 6.1: a request of a dialog has the way of the Path in its own Routes.
        for target in targets:
            target.path = ()
    return CONTINUE


def _has_plain_contact(uri: Uri, node: ProxyEnvironment, now: float) -> bool:
    """RFC 5630 5.3: is the user registered, and not by a SIPS contact, which the request demands?"""
    return uri.scheme == b"sips" and bool(targets_of(uri.with_scheme(b"sip"), node, now))


def _not_registered(context: RequestContext, node: ProxyEnvironment, aor: bytes, now: float) -> StageResult:
    """Nothing to forward to: say whether the user exists."""
    username, _, realm = aor[4:].rpartition(b"@")
    answer = context.answer
    if answer is None:
        known = node.subscribers.find(username, realm, now)
        if known is None:
            return Ask(FindSubscriber(username, realm))
        exists = known.found
    else:
        assert isinstance(answer, SubscriberAnswer)
        exists = answer.found or answer.failed
    if exists:
        node.counters[USERS_UNAVAILABLE] += 1
        return _refused(context, node, now, 480)
    node.counters[USERS_UNKNOWN] += 1
    return _refused(context, node, now, 404)


def _refused(context: RequestContext, node: ProxyEnvironment, now: float, status: int) -> Reply:
    if context.is_unrouted and called_number(context.request.read_uri()) is not None:
        note_routing_failure(context, node, now, status, b"", "no route, and no registration")
    return Reply(status)
