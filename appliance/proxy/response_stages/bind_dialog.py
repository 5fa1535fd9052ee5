"""Response stage: our Record-Route entries are bound to the end that answers (RFC 3261 16.7 step 8)."""

from __future__ import annotations

from appliance.proxy.branch import Branch
from appliance.proxy.dialogs import bind_to_answer
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.stage_results import CONTINUE, ResponseStageResult
from appliance.sip.message import Response


def bind_dialog(response: Response, branch: Branch, node: ProxyEnvironment, now: float) -> ResponseStageResult:
    """See dialogs.py."""
    bind_to_answer(response, node)
    return CONTINUE
