"""Stage: where are the contacts of a user of ours (RFC 3261 16.5)?

A user without bindings is 480 when he exists and 404 when he does not; when the store cannot say,
it is 480, for "cannot know" is not "no".
"""

from __future__ import annotations

from appliance.catalogue.counters import STORE_FAILED, USERS_UNAVAILABLE, USERS_UNKNOWN
from appliance.location.gruu import NOT_OURS, instance_of
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.location_service import targets_of
from appliance.proxy.request_context import RequestContext
from appliance.proxy.stage_results import CONTINUE, AskSubscriber, Reply, StageResult
from appliance.sip.names import ROUTE


def locate(context: RequestContext, node: ProxyEnvironment, now: float) -> StageResult:
    """Make the bindings of the address the target set."""
    uri = context.request.read_uri()
    if not node.names.is_responsible_for(uri):
        return CONTINUE
    if not uri.user:
        return Reply(404, b"Request-URI Names No User", is_stateless=True)
    instance = instance_of(uri)
    if instance == NOT_OURS:
        # RFC 5627 6.1: no GRUU that was made here.
        return Reply(404, b"Not a Valid GRUU", is_stateless=True)
    targets = targets_of(uri, node, now)
    context.targets = targets
    if not targets:
        return _nobody(context, node, node.aor_of(uri), now)
    if instance and context.request.count(ROUTE):
        # RFC 5627 6.1: a request of a dialog has the way of the Path in its own Routes.
        for target in targets:
            target.path = ()
    return CONTINUE


def _nobody(context: RequestContext, node: ProxyEnvironment, aor: bytes, now: float) -> StageResult:
    """Nothing to forward to: say whether the user exists."""
    username, _, realm = aor[4:].rpartition(b"@")
    found = context.found
    if found is None:
        known = node.subscribers.find(username, realm, now)
        if known is None:
            return AskSubscriber(username, realm)
        exists = known.found
    elif found.failed:
        node.counters[STORE_FAILED] += 1
        exists = True
    else:
        node.subscribers.remember(username, realm, found.found, found.ha1_md5, found.ha1_sha256, now)
        exists = found.found
    if exists:
        node.counters[USERS_UNAVAILABLE] += 1
        return Reply(480)
    node.counters[USERS_UNKNOWN] += 1
    return Reply(404)
