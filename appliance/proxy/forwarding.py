"""Making the request that one branch sends (RFC 3261 16.6 steps 1 to 6, 8 and 10).

Works on a copy; header fields that no step touches go on as the bytes they came in.
"""

from __future__ import annotations

from appliance.catalogue.counters import ADDRESS_OWNER_UNREACHED
from appliance.proxy.dialogs import PAIR, TOKEN, token_to_sender
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.flow_routes import FLOW_MARK, flow_parameter, path_entry
from appliance.proxy.request_context import RequestContext
from appliance.routing.targets import Target
from appliance.security.dialog_token import TOKEN_LEN
from appliance.security.flow_token import FLOW_TOKEN_LEN_MAX
from appliance.security.keys import BRANCH_LEN
from appliance.sip.characters import digits_of, number
from appliance.sip.errors import MalformedMessage
from appliance.sip.headers import parse_name_addr
from appliance.sip.message import Message, Request
from appliance.sip.names import CONTENT_LENGTH, MAX_BREADTH, MAX_FORWARDS, PATH, RECORD_ROUTE, ROUTE
from appliance.sip.uri import Uri
from appliance.transport.asking_worker import name_asker
from appliance.transport.flow import NO_CONNECTION, TLS, Flow, is_same_connection
from appliance.transport.process_id import NO_PROCESS
from appliance.transport.transport_table import SIPS_URI_PARAMETERS, URI_PARAMETERS, is_secure
from appliance.transport.via import push_via

# RFC 5393 5.3.3: for a request that does not say, and the most that is taken.
BREADTH_MAX = 60

# What is added to a prepared request: our Via and the rest of the request line, and each Record-Route; without sent-by.
VIA_LEN = len(b"Via: SIP/2.0/UDP ;branch=\r\n") + BRANCH_LEN + len(b"  SIP/2.0\r\n\r\n")
RECORD_ROUTE_LEN = len(b"Record-Route: <sips:;lr;tk=;pair>\r\n") + max(map(len, URI_PARAMETERS)) + TOKEN_LEN
FLOW_LEN = len(FLOW_MARK) + FLOW_TOKEN_LEN_MAX
PATH_LEN = len(b"Path: <sips:;lr;ob>\r\n") + max(map(len, URI_PARAMETERS)) + FLOW_LEN


def prepare_request(context: RequestContext, target: Target, node: ProxyEnvironment) -> tuple[Request, Uri]:
    """The request for a target but for its Via and Record-Route, which depend on the hop; and where it goes."""
    # RFC 3261 16.6 step 1
    request = context.request.copy()
    # RFC 3261 16.6 step 2
    request.set_uri(target.uri)
    # RFC 3261 16.6 step 3
    _count_down(request, node.proxy_rules.max_forwards)
    # RFC 3327 5.3: the Path of a binding becomes its route set.
    for hop in reversed(target.path):
        request.prepend(ROUTE, hop)
    # RFC 3261 16.6 step 7: a strict router is the next hop, too, so it is found before step 6 rewrites the route set.
    hop_uri = next_hop_of(request)
    if target.is_secure and hop_uri.scheme == b"sip":
        # RFC 5630 5.3, RFC 3261 26.2.2: by TLS, whatever a Route or the Path says.
        hop_uri = hop_uri.with_scheme(b"sips")
    _leave_strict_route(request)
    if target.translation:
        # RFC 3261 16.6 step 5
        node.router.translations.apply(target.translation, request)
    return request, hop_uri


def _count_down(request: Request, initial: int) -> None:
    hops_left = request.read_max_forwards()
    request.replace(MAX_FORWARDS, digits_of(initial if hops_left < 0 else hops_left - 1))


def breadth_of(request: Request) -> int:
    """How many branches it may have at a time, here and behind (RFC 5393 5.3.3). Raises MalformedMessage(400)."""
    text = request.first(MAX_BREADTH)
    if text is None:
        return BREADTH_MAX
    breadth = number(text)
    if breadth < 1:
        raise MalformedMessage(400, "Malformed Max-Breadth")
    return min(breadth, BREADTH_MAX)


def _leave_strict_route(request: Request) -> None:
    """RFC 3261 16.6 step 6: a first Route without lr is a strict router; it wants to be the Request-URI."""
    route = request.first_value(ROUTE)
    if route is None:
        return
    first = parse_name_addr(route).uri
    if not first.has_lr:
        request.remove_first_value(ROUTE)
        # RFC 3261 16.6 step 6: the Request-URI goes to the end of the route set.
        request.append(ROUTE, b"<" + request.uri_text + b">")
        request.set_uri(first)


def next_hop_of(request: Request) -> Uri:
    """Where a request goes (RFC 3261 16.6 step 7): its first Route, else its Request-URI."""
    route = request.first_value(ROUTE)
    return request.read_uri() if route is None else parse_name_addr(route).uri


def connection_of(target: Target, context: RequestContext, node: ProxyEnvironment) -> Flow | None:
    """RFC 3261 18.1: the flow a phone registered over is the way to it, unless a Route is, or it was closed."""
    flow = target.flow
    if flow is None or (target.is_secure and not is_secure(flow.transport)):
        return None
    # RFC 3261 16.6 step 7: Routes come first, those of the request and those that the Path makes.
    if not target.is_flow_bound and (target.path or context.request.count(ROUTE)):
        return None
    connections = node.connections
    here = connections.carrier(flow) if target.is_flow_bound else connections.open_flow(flow)
    if here is None and not flow.is_stream:
        node.counters[ADDRESS_OWNER_UNREACHED] += 1
    return here if here is not None and node.next_hops.is_way(here) else None


def is_flow_of(target: Target, hop: Flow) -> bool:
    """Is it the flow that the phone registered over: that connection, or the only way to it, by another node?"""
    return is_same_connection(hop, target.flow) or (target.is_flow_bound and hop.process != NO_PROCESS)


def length_of(request: Request, context: RequestContext, node: ProxyEnvironment) -> int:
    """How many octets a prepared request has at most when it leaves by UDP (RFC 3261 18.1.1)."""
    names = node.names
    size = len(request.method) + len(request.uri_text) + len(request.body) + VIA_LEN + names.sent_by_len_max
    for line in request.lines:
        size += len(line)
    if context.record_routed:
        entry = RECORD_ROUTE_LEN + names.sent_by_len_max
        if context.keeps_flow:
            entry += FLOW_LEN
        # RFC 5658 3.1: it may leave by another side than it came by.
        is_one_side = not context.flow.is_stream and len(names.sent_bys) == 1
        size += entry if is_one_side else 2 * entry
    if context.path_kind:
        size += PATH_LEN + names.sent_by_len_max
    return size


def add_record_route(request: Request, context: RequestContext, hop: Flow, node: ProxyEnvironment, now: float) -> None:
    """Stay on the path of the dialog (RFC 3261 16.6 step 4, RFC 5658 when the sides differ)."""
    if not context.record_routed:
        return
    token = token_to_sender(request, context, hop, node, now)
    came_by = context.flow
    if context.keeps_flow:
        token += flow_parameter(came_by, token, node)
    is_sips = request.read_uri().scheme == b"sips"
    if hop.listener == came_by.listener and hop.transport == came_by.transport:
        request.prepend(RECORD_ROUTE, _own_route(node, came_by, token, b"", is_sips))
        return
    # RFC 5658 3.1: one entry for each side. A sender meets the entry of its own side first, and the next one is ours.
    request.prepend(RECORD_ROUTE, _own_route(node, came_by, token, b";" + PAIR, is_sips))
    request.prepend(RECORD_ROUTE, _own_route(node, hop, token, b";" + PAIR, is_sips))


def _own_route(node: ProxyEnvironment, side: Flow, token: bytes, pair: bytes, is_sips: bool) -> bytes:
    sent_by = node.names.sent_bys[side.listener]
    if is_sips and is_secure(side.transport):
        # RFC 3261 16.6 step 4, RFC 5630 5.3: sips where the Request-URI is, and then without `transport=tls`.
        below = SIPS_URI_PARAMETERS[side.transport]
        return b"".join((b"<sips:", sent_by, below, b";lr;", TOKEN, b"=", token, pair, b">"))
    return b"".join((b"<sip:", sent_by, URI_PARAMETERS[side.transport], b";lr;", TOKEN, b"=", token, pair, b">"))


def add_path(request: Request, context: RequestContext, hop: Flow, node: ProxyEnvironment) -> None:
    """Have the registrar reach the phone through here (RFC 3327 5.2, RFC 5626 5.1)."""
    if context.path_kind:
        is_sips = request.read_uri().scheme == b"sips"
        request.prepend(PATH, path_entry(context.flow, hop, context.path_kind, is_sips, node))


def address_to_hop(request: Request, context: RequestContext, hop: Flow, attempt: int, node: ProxyEnvironment) -> bytes:
    """Put the Via of one hop on a prepared request (RFC 3261 16.6 step 8); returns its branch."""
    target = b" ".join((request.uri_text, hop.host(), digits_of(hop.remote[1]), digits_of(attempt)))
    branch = node.keys.branch(context.upstream, target, context.read_loop_part(node), context.period)
    # RFC 5923 8.1: where the connection is ours, the peer that knows us may send requests by it.
    alias = hop.transport == TLS and hop.connection == NO_CONNECTION
    push_via(request, hop.transport, node.names.sent_bys[hop.listener], branch, False, alias)
    if hop.process != NO_PROCESS and node.connections.nodes.is_of_other_node(hop.process):
        name_asker(request, node.process)
    add_length(request, hop)
    return branch


def add_length(message: Message, flow: Flow) -> None:
    """RFC 3261 18.3, 20.14: over a stream a message needs its length; one that came as a datagram may lack it."""
    if flow.is_stream and not message.count(CONTENT_LENGTH):
        message.append(CONTENT_LENGTH, digits_of(len(message.body)))
