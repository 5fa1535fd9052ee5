"""Stage: stay on the path of the dialogs that a request may start (RFC 3261 16.6 step 4)."""

from __future__ import annotations

from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.flow_routes import needs_flow
from appliance.proxy.request_context import RequestContext
from appliance.proxy.stage_results import CONTINUE, StageResult

# Methods that start or refresh a dialog: RFC 3261 12, RFC 6665 4.1, RFC 3515 2. A NOTIFY in a recorded dialog
# does as well: it may come before the answer to its SUBSCRIBE.
DIALOG_METHODS = frozenset((b"INVITE", b"SUBSCRIBE", b"REFER"))


def record_route(context: RequestContext, node: ProxyEnvironment, now: float) -> StageResult:
    """Mark the request; the entry itself depends on the hop of each branch."""
    method = context.request.method
    # RFC 6665 4.3
    makes_dialog = method in DIALOG_METHODS or (method == b"NOTIFY" and context.is_in_dialog)
    if makes_dialog:
        context.keeps_flow = needs_flow(context.request, context.flow)
        # RFC 5626 5.3: an end that is reached by its flow only needs the entry that names it.
        has_flow = context.keeps_flow or _leads_by_flow(context)
        context.record_routed = node.proxy_rules.record_route or has_flow
    return CONTINUE


def _leads_by_flow(context: RequestContext) -> bool:
    return any(target.is_flow_bound for target in context.targets)
