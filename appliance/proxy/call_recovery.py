"""Going on with calls that another worker was setting up, of this node or of another one (design 4).

See snapshots.py for what is sent again, and what peers repeat by themselves.
"""

from __future__ import annotations

from collections.abc import Callable

from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.request_context import RequestContext
from appliance.proxy.response_context import ResponseContext
from appliance.proxy.snapshots import FORWARDED, CallSnapshot, ListenerMissing, context_of, read_snapshot
from appliance.sip.writer import write_response
from appliance.transaction.keys import server_key
from appliance.transaction.table import TableFull
from appliance.transaction.transaction import ServerTransaction
from appliance.transport.via import response_flow

GoOn = Callable[[RequestContext, str, float], None]


def adopt(octets: bytes, node: ProxyEnvironment, go_on: GoOn, now: float, is_of_other_node: bool = False) -> bool:
    """Go on with the call of a snapshot; `go_on` runs the stages of one that waits, from that of a name on.

    False when there is nothing to go on with: the INVITE has come again and is being handled already, there is no
    room, or the snapshot is of another version. Raises ListenerMissing for one that only another node can go on with.
    """
    try:
        call = read_snapshot(octets, node.settings.listeners if is_of_other_node else None)
        context = context_of(call, node.settings.listeners)
        if call.stage != FORWARDED:
            return _goes_on_waiting(context, call.stage, node, go_on, now)
        server = None if call.is_answered else _adopted_server(context, call, node, now)
    except ListenerMissing:
        raise
    except (ValueError, TableFull):
        return False
    responses = ResponseContext(context, server_key(call.request, b"INVITE"), node)
    if server is not None:
        server.user = responses
    responses.resume(call, now)
    return True


def _goes_on_waiting(
    context: RequestContext, stage: str, node: ProxyEnvironment, go_on: GoOn, now: float
) -> bool:
    """Ask again for a request that waits; False when it has come again in the meantime."""
    key = server_key(context.request, context.request.method)
    if key in node.waiting or key in node.transactions.servers:
        return False
    go_on(context, stage, now)
    return True


def _adopted_server(
    context: RequestContext, call: CallSnapshot, node: ProxyEnvironment, now: float
) -> ServerTransaction:
    """The server transaction anew, in the state that it was in. Raises TableFull, also when it exists."""
    request = call.request
    server = node.transactions.new_server(request, response_flow(request.read_top_via(), context.flow), None, now)
    context.server = server
    if call.answer:
        node.transactions.respond(server, int(call.answer[8:11]), call.answer, now)
    else:
        # RFC 3261 17.2.1: for the INVITE should it come again; the caller has had its 100.
        server.last_response = write_response(request, 100, b"Trying")
    return server
