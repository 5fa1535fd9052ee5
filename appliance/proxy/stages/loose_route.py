"""Stage: take off the route entries that name this appliance (RFC 3261 16.4).

An entry whose token lets the request in (see dialogs.py) proves that the request belongs to a dialog that was set up
through this appliance, so it is neither challenged nor held to the relay rule again. A dialog that crosses from one
transport or address to another carries two entries (RFC 5658); the second names the way out, where the token holds.
An entry may name the flow to a phone (see flow_routes.py).
"""

from __future__ import annotations

from appliance.proxy.dialogs import PAIR, TOKEN, admission_of, route_uri
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.flow_routes import take_flow
from appliance.proxy.request_context import RequestContext
from appliance.proxy.stage_results import CONTINUE, StageResult
from appliance.sip.message import Request
from appliance.sip.names import ROUTE
from appliance.sip.uri import Uri


def loose_route(context: RequestContext, node: ProxyEnvironment, now: float) -> StageResult:
    """Leave only routes and a Request-URI that lead onwards."""
    request = context.request
    if b"maddr" in request.read_uri().parameters:
        _strip_own_maddr(request, node)
    if not request.count(ROUTE):
        return CONTINUE
    _undo_strict_route(request, node)
    first = _own_first_route(request, node)
    if first is not None:
        request.remove_first_value(ROUTE)
        way_out = _take_off_second(request, node) if PAIR in first.parameters else -1
        token = first.parameters.get(TOKEN)
        if token is not None:
            context.admit(admission_of(first, request, request.values(ROUTE), context.flow, node, now))
        if way_out >= 0 and context.is_in_dialog:
            context.way_out = way_out
        answer = take_flow(first, token, context, node)
        if answer is not CONTINUE:
            return answer
    next_route = _first_route(request)
    if context.is_in_dialog or context.named_flow is not None or next_route is not None:
        # RFC 3261 16.5: the Request-URI is the only target, unless a domain of ours says otherwise.
        context.targets = (context.named_target(),)
    return CONTINUE


def _strip_own_maddr(request: Request, node: ProxyEnvironment) -> None:
    """RFC 3261 16.4: a maddr that names us has brought the request here, and goes with its port and transport."""
    uri = request.read_uri()
    if node.names.is_diverted(uri):
        return
    kept = {name: value for name, value in uri.parameters.items() if name not in (b"maddr", b"transport")}
    request.set_uri(Uri(uri.scheme, uri.user, uri.host, 0, kept, password=uri.password))


def _undo_strict_route(request: Request, node: ProxyEnvironment) -> None:
    """RFC 3261 16.4: a strict router has put our Record-Route into the Request-URI."""
    uri = request.read_uri()
    if uri.has_lr and node.names.is_me(uri):
        *values, last = request.values(ROUTE)
        request.remove_all(ROUTE)
        request.set_uri(route_uri(last))
        for value in [b"<" + uri.text + b">", *values]:
            request.append(ROUTE, value)


def _first_route(request: Request) -> Uri | None:
    value = request.first_value(ROUTE)
    return None if value is None else route_uri(value)


def _own_first_route(request: Request, node: ProxyEnvironment) -> Uri | None:
    """The first Route value if it names this appliance."""
    uri = _first_route(request)
    if uri is None:
        return None
    return uri if node.names.is_own_route(uri) else None


def _take_off_second(request: Request, node: ProxyEnvironment) -> int:
    """RFC 5658: the second entry of a pair is ours as well; the listener that it names, -1 for none."""
    second = _own_first_route(request, node)
    if second is None or PAIR not in second.parameters:
        return -1
    request.remove_first_value(ROUTE)
    return node.names.listener_of(second)


