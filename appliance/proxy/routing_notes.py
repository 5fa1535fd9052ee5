"""Which calls to numbers found no way, noted for operators (routing/routing_failures.py).

Only those of senders that may relay: what strangers are refused is counted, and would displace what matters.
"""

from __future__ import annotations

from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.request_context import RequestContext
from appliance.routing.routing_failures import STEPS_MAX, RoutingFailure, shortened
from appliance.sip.errors import MalformedMessage
from appliance.sip.status import reason_phrase


def note_routing_failure(
    context: RequestContext, node: ProxyEnvironment, now: float, status: int, reason: bytes, step: str = ""
) -> None:
    """A call is answered `status`, though a way was looked for. `step`: what came last."""
    request = context.request
    if request.method != b"INVITE" or not context.may_relay():
        return
    try:
        caller = request.read_from().uri.text
    except MalformedMessage:
        caller = b""
    steps = list(context.route.steps[:STEPS_MAX]) if context.route is not None else []
    node.routing_failures.note(
        RoutingFailure(
            node.date(now),
            shortened(request.read_call_id()),
            context.flow.remote[0],
            shortened(caller),
            shortened(request.received_uri),
            status,
            shortened(reason or reason_phrase(status)),
            [*steps, step] if step else steps,
        )
    )
