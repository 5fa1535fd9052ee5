"""Stage: where are the contacts of a user of ours (RFC 3261 16.5)?

A user without bindings is 480 when he exists and 404 when he does not; when the store cannot say,
it is 480, for "cannot know" is not "no".

Knows nothing of registration.
"""

from __future__ import annotations

from appliance.catalogue.counters import STORE_FAILED, USERS_UNAVAILABLE, USERS_UNKNOWN
from appliance.location.gruu import instance_of
from appliance.proxy.answers import CONTINUE, Answer, AskSubscriber, Reply
from appliance.proxy.node import Node
from appliance.proxy.request_context import RequestContext
from appliance.routing.targets import targets_of_bindings


def locate(context: RequestContext, node: Node, now: float) -> Answer:
    """Make the bindings of the address the target set."""
    uri = context.request.read_uri()
    if not node.names.is_responsible_for(uri):
        return CONTINUE
    if not uri.user:
        return Reply(404, b"Request-URI Names No User", is_stateless=True)
    aor = node.aor_of(uri)
    # RFC 5627 5.5: a GRUU names one device of the user.
    bindings = node.bindings.find(aor, node.wall_time(now), instance_of(uri))
    context.targets = targets_of_bindings(bindings, node.contact_policy)
    if context.targets:
        return CONTINUE
    return _nobody(context, node, aor, now)


def _nobody(context: RequestContext, node: Node, aor: bytes, now: float) -> Answer:
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
