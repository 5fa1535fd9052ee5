"""Stage: has this request been here before, by what decides its way (RFC 3261 16.3 step 4, RFC 5393 4.2)?

It stands behind `loose_route`: a Route or maddr that names us decides nothing, and could make each round look
different. A request that comes back for another destination spirals, and goes on; what it may become in all is
bounded by its Max-Breadth.
"""

from __future__ import annotations

from appliance.catalogue.counters import LOOPS_DETECTED
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.request_context import RequestContext
from appliance.proxy.stage_results import CONTINUE, Reply, StageResult
from appliance.security.keys import loop_part_of
from appliance.sip.names import VIA
from appliance.sip.via import Via, parse_via


def detect_loops(context: RequestContext, node: ProxyEnvironment, now: float) -> StageResult:
    """482 for a loop; a spiral is marked as such."""
    request = context.request
    if request.has_one_value(VIA):
        return CONTINUE
    for value in request.values(VIA):
        via = _own_via(value, node)
        if via is None:
            continue
        if loop_part_of(via.branch) == context.read_loop_part(node):
            node.counters[LOOPS_DETECTED] += 1
            return Reply(482, is_stateless=True)
        context.is_spiral = True
    return CONTINUE


def _own_via(value: bytes, node: ProxyEnvironment) -> Via | None:
    """The Via, if this appliance wrote it. Most are told apart without being parsed, but not an IPv6 address."""
    if b"[" not in value and not any(name in value for name in node.names.sent_bys):
        return None
    via = parse_via(value)
    return via if node.names.is_own_sent_by(via.host, via.port) else None
