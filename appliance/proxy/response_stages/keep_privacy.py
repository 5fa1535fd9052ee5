"""Response stage: the asserted identity of a callee that asks for privacy goes to peers only (RFC 3325 7)."""

from __future__ import annotations

from appliance.proxy.branch import Branch
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.identities import withhold_identity
from appliance.proxy.stage_results import CONTINUE, ResponseStageResult
from appliance.sip.message import Response


def keep_privacy(response: Response, branch: Branch, node: ProxyEnvironment, now: float) -> ResponseStageResult:
    """See identities.py."""
    server = branch.user.request_context.server
    assert server is not None
    withhold_identity(response, server.response_flow, node)
    return CONTINUE
