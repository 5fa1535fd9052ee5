"""Response stage: our Record-Route entries are bound to the end that answers (RFC 3261 16.7 step 8)."""

from __future__ import annotations

from appliance.proxy.branch import Branch
from appliance.proxy.dialogs import bind_to_answer
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.stage_results import CONTINUE, ResponseStageResult
from appliance.sip.message import Response
from appliance.transport.flow import Flow
from appliance.transport.via import is_translated


def bind_dialog(response: Response, branch: Branch, node: ProxyEnvironment, now: float) -> ResponseStageResult:
    """See dialogs.py. A phone that was reached by a flow which is the only way to it is reached by that again."""
    bind_to_answer(response, _only_way_to(branch), node)
    return CONTINUE


def _only_way_to(branch: Branch) -> Flow | None:
    """The flow by which it answered, where its target leads by that only (RFC 5626 5.3.1), or it is behind a NAT."""
    client, target = branch.client, branch.target
    if client is None or target.flow is None or not _is_same(client.flow, target.flow):
        return None
    return client.flow if target.is_flow_bound or is_translated(target.uri.host, client.flow.host()) else None


def _is_same(flow: Flow, other: Flow) -> bool:
    """A datagram may have gone by another node, from the same address."""
    return flow == other or (not flow.is_stream and flow.way() == other.way())
