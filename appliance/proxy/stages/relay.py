"""Stage: may this request go to a foreign domain (RFC 3261 16.5, 26.1)?

Without this rule the appliance would be an open relay. The setting `relay` of the listener says
who may: `none`, `authenticated` (subscribers and peers), `any`.

Knows nothing of next hops.
"""

from __future__ import annotations

from appliance.catalogue.counters import RELAYS_REFUSED
from appliance.proxy.answers import CONTINUE, Answer, Reply
from appliance.proxy.node import Node
from appliance.proxy.request_context import RequestContext
from appliance.routing.targets import Target
from appliance.sip.names import ROUTE


def relay(context: RequestContext, node: Node, now: float) -> Answer:
    """Make the Request-URI the target where that is allowed."""
    request = context.request
    is_local = node.names.is_responsible_for(request.read_uri())
    if is_local and not request.count(ROUTE):
        return CONTINUE
    if not is_local:
        context.targets = (Target(request.read_uri()),)
    if context.is_in_dialog or _may_relay(context):
        return CONTINUE
    node.counters[RELAYS_REFUSED] += 1
    return Reply(403, b"Relaying Denied", is_stateless=True)


def _may_relay(context: RequestContext) -> bool:
    allowed = context.listener.relay
    if allowed == "authenticated":
        return bool(context.identity) or context.is_trusted
    return allowed == "any"
