"""Stage: does a rate limit let this request in?

All requests are counted but those that a token of ours proves to end or complete something in a dialog (see
dialogs.py). A To tag alone proves nothing, and an end of a dialog could send any number of requests by its token. What
is refused costs no memory, and is told when to come again (RFC 3261 20.33, 21.5.4).
"""

from __future__ import annotations

from appliance.catalogue.counters import DROPPED_RATE_LIMIT, RATE_LIMITED_COUNTED, RATE_LIMITED_REFUSED
from appliance.overload.rate_limits import Limit
from appliance.proxy.dialogs import begins_nothing
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.request_context import RequestContext
from appliance.proxy.stage_results import CONTINUE, Drop, Reply, StageResult
from appliance.sip.header_lines import make_line
from appliance.transport.source import source_of

RETRY_AFTER = (make_line(b"Retry-After", b"5"),)
EVERYTHING = "all"


def throttle(context: RequestContext, node: ProxyEnvironment, now: float) -> StageResult:
    """Continue, or what the first limit wants that is exceeded."""
    limits = node.rate_limits
    request = context.request
    is_registration = request.method == b"REGISTER"
    wanted = limits.of_registrations if is_registration else limits.of_requests
    if not wanted or begins_nothing(context.admission, request.method):
        return CONTINUE
    for limit in wanted:
        if limit.spares_trusted and _is_spared(context):
            continue
        if not limit.admits(_key(limit, context), limits.part, now):
            answer = _beyond(limit, node)
            if answer is not CONTINUE:
                return answer
    return CONTINUE


def _is_spared(context: RequestContext) -> bool:
    """Does it come from this machine, or from a peer of the listener?"""
    address: str = context.flow.remote[0]
    return address.startswith("127.") or address == "::1" or context.listener.is_peer(context.flow)


def _key(limit: Limit, context: RequestContext) -> str:
    per = limit.settings.per
    if per == "source":
        return source_of(context.flow.remote[0])
    if per == "domain":
        return context.request.read_uri().host.decode("utf-8", "replace")
    return context.listener.name if per == "listener" else EVERYTHING


def _beyond(limit: Limit, node: ProxyEnvironment) -> StageResult:
    action = limit.settings.action
    if action == "refuse":
        node.counters[RATE_LIMITED_REFUSED] += 1
        return Reply(503, b"Rate Limit Exceeded", RETRY_AFTER, is_stateless=True)
    if action == "drop":
        return Drop(DROPPED_RATE_LIMIT)
    node.counters[RATE_LIMITED_COUNTED] += 1
    return CONTINUE
