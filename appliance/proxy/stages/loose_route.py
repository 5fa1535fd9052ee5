"""Stage: take off the route entries that name this appliance (RFC 3261 16.4).

An entry that carries the call's token proves that the dialog was set up through this appliance, so
it is neither challenged nor held to the relay rule again. A dialog that crosses from one transport
or address to another carries two entries (RFC 5658); the second names the way out.

Knows nothing of users.
"""

from __future__ import annotations

from hmac import compare_digest

from appliance.proxy.answers import CONTINUE, Answer
from appliance.proxy.forwarding import PAIR, TOKEN
from appliance.proxy.node import Node
from appliance.proxy.request_context import RequestContext
from appliance.routing.targets import Target
from appliance.sip.errors import MalformedMessage
from appliance.sip.headers import parse_name_addr
from appliance.sip.message import Request
from appliance.sip.names import ROUTE
from appliance.sip.uri import Uri

# RFC 3261 10.2, RFC 3903 4: whatever To tag and Route they carry, they change the state of a user, not of a call.
NEVER_IN_DIALOG = frozenset((b"REGISTER", b"PUBLISH"))


def loose_route(context: RequestContext, node: Node, now: float) -> Answer:
    """Leave only routes and a Request-URI that lead onwards."""
    request = context.request
    if b"maddr" in request.read_uri().parameters:
        context.read_loop_part()
        _strip_own_maddr(request, node)
    if not request.count(ROUTE):
        return CONTINUE
    context.read_loop_part()
    _undo_strict_route(request, node)
    first = _own_first_route(request, node)
    if first is not None:
        request.remove_first_value(ROUTE)
        context.is_in_dialog = _has_token(first, request, node)
        if PAIR in first.parameters:
            _leave_by_second(context, node)
    next_route = _first_route(request)
    if context.is_in_dialog or next_route is not None:
        # RFC 3261 16.5: the Request-URI is the only target, unless a domain of ours says otherwise.
        context.targets = (Target(request.read_uri()),)
    return CONTINUE


def _strip_own_maddr(request: Request, node: Node) -> None:
    """RFC 3261 16.4: a maddr that names us has brought the request here, and goes with its port and transport."""
    uri = request.read_uri()
    if node.names.is_diverted(uri):
        return
    kept = {name: value for name, value in uri.parameters.items() if name not in (b"maddr", b"transport")}
    request.set_uri(Uri(uri.scheme, uri.user, uri.host, 0, kept, password=uri.password).text)


def _undo_strict_route(request: Request, node: Node) -> None:
    """RFC 3261 16.4: a strict router has put our Record-Route into the Request-URI."""
    uri = request.read_uri()
    if uri.has_lr and node.names.is_me(uri):
        *values, last = request.values(ROUTE)
        request.remove_all(ROUTE)
        request.set_uri(_route_uri(last).text)
        for value in [b"<" + uri.text + b">", *values]:
            request.append(ROUTE, value)


def _route_uri(value: bytes) -> Uri:
    """RFC 3261 20.34: the URI of a router. Raises MalformedMessage(400): nobody could send to it later."""
    uri = parse_name_addr(value, "Route").uri
    if not uri.has_sip_scheme():
        raise MalformedMessage(400, "Route Is Not a SIP URI")
    return uri


def _first_route(request: Request) -> Uri | None:
    value = request.first_value(ROUTE)
    return None if value is None else _route_uri(value)


def _own_first_route(request: Request, node: Node) -> Uri | None:
    """The first Route value if it names this appliance."""
    uri = _first_route(request)
    if uri is None:
        return None
    return uri if node.names.is_me(uri) or (not uri.user and node.names.is_responsible_for(uri)) else None


def _has_token(route: Uri, request: Request, node: Node) -> bool:
    """Is this a later request of a call that was let through? Both ends have the token, so it starts nothing new."""
    if not request.read_to_tag() or request.method in NEVER_IN_DIALOG:
        return False
    token = route.parameters.get(TOKEN)
    return token is not None and compare_digest(token, node.keys.route_token(request.read_call_id()))


def _leave_by_second(context: RequestContext, node: Node) -> None:
    """RFC 5658: the second entry of a pair is ours as well, and names the side to leave by."""
    second = _own_first_route(context.request, node)
    if second is None or PAIR not in second.parameters:
        return
    context.request.remove_first_value(ROUTE)
    way_out = node.names.listener_of(second)
    if way_out >= 0:
        context.way_out = way_out


