"""Stage: may this request go to a foreign target (RFC 3261 16.5, 26.1)?

Without this rule the appliance would be an open relay. The setting `relay` of the listener says
who may: `none`, `authenticated` (subscribers and peers), `any`. A contact that leads elsewhere than to
the address it registered from is a foreign target as well (see contact_policy.py).
"""

from __future__ import annotations

from appliance.catalogue.counters import RELAYS_REFUSED
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.forwarding import connection_of
from appliance.proxy.request_context import RequestContext
from appliance.proxy.stage_results import CONTINUE, Reply, StageResult
from appliance.routing.contact_policy import is_foreign
from appliance.routing.targets import Target
from appliance.security.dialog_token import AT_SOURCE
from appliance.sip.names import ROUTE


def relay(context: RequestContext, node: ProxyEnvironment, now: float) -> StageResult:
    """Make the Request-URI the target where that is allowed; leave out contacts that the sender may not be led to."""
    request = context.request
    is_local = node.names.is_responsible_for(request.read_uri())
    if not is_local and (context.route is None or not context.route.targets):
        context.targets = (context.named_target(),)
    if context.may_relay() or context.is_for_flow():
        return CONTINUE
    leads_away = not is_local or request.count(ROUTE) > 0
    if leads_away and context.admission & AT_SOURCE:
        # RFC 3261 12.2: the other end of its dialog, at the address that it sends from.
        return CONTINUE
    if not leads_away:
        if not _has_foreign(context):
            return CONTINUE
        context.targets = [target for target in context.targets if _is_reachable(target, context, node)]
        if context.targets:
            return CONTINUE
    node.counters[RELAYS_REFUSED] += 1
    return Reply(403, b"Relaying Denied", is_stateless=True)


def _has_foreign(context: RequestContext) -> bool:
    return any(is_foreign(target.origin) for target in context.targets)


def _is_reachable(target: Target, context: RequestContext, node: ProxyEnvironment) -> bool:
    """A phone that leads elsewhere is its own at the end of its connection."""
    return not is_foreign(target.origin) or connection_of(target, context, node) is not None
