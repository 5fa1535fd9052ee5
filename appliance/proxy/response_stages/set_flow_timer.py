"""Response stage: a phone is told how often to keep its flow alive (RFC 5626 5.4)."""

from __future__ import annotations

from appliance.proxy.branch import Branch
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.flow_routes import OUTBOUND_PATH
from appliance.proxy.stage_results import CONTINUE, ResponseStageResult
from appliance.sip.characters import digits_of
from appliance.sip.message import Response
from appliance.sip.names import FLOW_TIMER, REQUIRE


def set_flow_timer(response: Response, branch: Branch, node: ProxyEnvironment, now: float) -> ResponseStageResult:
    """Where the registrar uses outbound, this is the last proxy, and the flow is a connection.

    On UDP a phone sends keep-alives more often by itself (RFC 5626 4.4.2).
    """
    context = branch.user.request_context
    flow_timer_s = node.proxy_rules.flow_timer_s
    if context.path_kind != OUTBOUND_PATH or not flow_timer_s or not context.flow.is_stream:
        return CONTINUE
    is_outbound = any(option.lower() == b"outbound" for option in response.values(REQUIRE))
    if 200 <= response.status < 300 and is_outbound and not response.count(FLOW_TIMER):
        response.append(FLOW_TIMER, digits_of(flow_timer_s))
    return CONTINUE
