"""Stage: a REGISTER for a registrar elsewhere gets a Path by the flow of its phone (RFC 3327, RFC 5626 5.1)."""

from __future__ import annotations

from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.flow_routes import path_kind_of
from appliance.proxy.request_context import RequestContext
from appliance.proxy.stage_results import CONTINUE, StageResult


def record_path(context: RequestContext, node: ProxyEnvironment, now: float) -> StageResult:
    """Mark the request; the entry itself depends on the hop of each branch. Raises MalformedMessage(400)."""
    if context.request.method == b"REGISTER":
        context.path_kind = path_kind_of(context.request, node.proxy_rules.path_policy)
    return CONTINUE
