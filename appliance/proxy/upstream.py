"""What goes back to the previous hop of a forwarded request (RFC 3261 16.7 steps 3, 6, 7 and 9)."""

from __future__ import annotations

from appliance.catalogue.counters import TIMED_OUT
from appliance.proxy.best_response import Final, challenges_of, choose_best, made_here
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.forwarding import add_length
from appliance.proxy.request_context import RequestContext
from appliance.sip.message import Response
from appliance.sip.status import reason_phrase
from appliance.sip.writer import write, write_response
from appliance.transport.via import pop_via


def send_up(response: Response, context: RequestContext, node: ProxyEnvironment, now: float) -> None:
    """Send a response that was received, as the stages left it."""
    server = context.server
    assert server is not None
    # RFC 3261 16.7 step 3: our Via goes, and what is below it is the previous hop's.
    pop_via(response)
    add_length(response, server.response_flow)
    node.transactions.respond(server, response.status, write(response), now)


def send_best(finals: list[Final], context: RequestContext, node: ProxyEnvironment, now: float) -> Final:
    """Send the best of the finals of all branches (RFC 3261 16.7 step 6); returns it."""
    best = choose_best(finals)
    if best.status == 430 and context.named_flow is None:
        # RFC 5626 11.5: endpoints never get a 430. It was for us, who have tried all flows of the instance.
        best = made_here(480)
    if best.response is not None:
        for header, value in challenges_of(finals, best):
            best.response.append(header, value)
        send_up(best.response, context, node, now)
    elif best.status == 408 and context.request.method != b"INVITE":
        assert context.server is not None
        # RFC 4320 4.2: there is no response for a timeout of a request that is not an INVITE.
        node.counters[TIMED_OUT] += 1
        node.transactions.abandon(context.server, now)
    else:
        send_made_here(best, context, node, now)
    return best


def send_made_here(final: Final, context: RequestContext, node: ProxyEnvironment, now: float) -> None:
    """Send a final response of our own."""
    if final.status == 408:
        node.counters[TIMED_OUT] += 1
    assert context.server is not None
    request = context.request
    reason = final.reason or reason_phrase(final.status)
    to_tag = node.keys.to_tag(context.upstream, request.read_call_id())
    data = write_response(request, final.status, reason, (), to_tag)
    node.transactions.respond(context.server, final.status, data, now)
