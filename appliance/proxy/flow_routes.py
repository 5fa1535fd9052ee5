"""Path and Record-Route entries that name the flow of a phone, and requests that come back by them (RFC 5626 5).

A phone behind a NAT, or one that uses outbound, is reached by the flow that it opened and by nothing else. The entry
of this appliance has the flow in its parameter `fl` (security/flow_token.py):

- in the Path of a REGISTER that is forwarded (RFC 5626 5.1), with `ob` where the phone uses outbound;
- in Record-Route, beside the token of the dialog, for each end that is the first hop: where its Contact has `ob`, where
  it was reached by the flow of its registration, or where its Contact is behind a NAT (RFC 5626 5.3).

A flow that is gone is answered 430, at once where its worker or its node is gone. What was to go by it goes nowhere
else: its Contact may be the address of another host by now.
"""

from __future__ import annotations

from typing import Final

from appliance.catalogue.counters import FLOW_TOKENS_REFUSED, FLOWS_FAILED
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.request_context import RequestContext
from appliance.proxy.stage_results import CONTINUE, Reply, StageResult
from appliance.sip.errors import MalformedMessage
from appliance.sip.fnv import fnv
from appliance.sip.headers import Contact, parse_name_addr
from appliance.sip.message import Request
from appliance.sip.names import CONTACT, SUPPORTED, VIA
from appliance.sip.uri import Uri
from appliance.transport.flow import Flow
from appliance.transport.transport_table import SIPS_URI_PARAMETERS, URI_PARAMETERS, is_opened_here, is_secure
from appliance.transport.via import is_translated

# Parameter of our Path and Record-Route: the flow of the phone.
FLOW: Final = b"fl"
FLOW_MARK: Final = b";fl="
# RFC 5626 11.3: it is the flow of a phone that uses outbound.
OUTBOUND: Final = b"ob"
# What a token that stands alone is for.
_FOR_PATH: Final = b""

# What a REGISTER that is forwarded gets.
NO_PATH, PATH_BY_FLOW, OUTBOUND_PATH = range(3)


def take_flow(route: Uri, dialog: bytes | None, context: RequestContext, node: ProxyEnvironment) -> StageResult:
    """RFC 5626 5.3: note the flow that a Route of ours names; 403 where it was changed, 430 where it is gone.

    The Route is off the request, and `dialog`, the token of its dialog, has been judged.
    """
    text = route.parameters.get(FLOW)
    if text is None:
        return CONTINUE
    if dialog is not None and not context.is_in_dialog:
        # It is treated as a new request, and goes by no flow.
        return CONTINUE
    found = node.flow_tokens.read(text, _FOR_PATH if dialog is None else dialog)
    if found is None:
        node.counters[FLOW_TOKENS_REFUSED] += 1
        return Reply(403, b"Flow Token Not Valid", is_stateless=True)
    flow = _at_listener(*found, node)
    if flow is not None and _is_source(flow, context.flow):
        # RFC 5626 5.3.2: the phone itself sends it.
        return CONTINUE
    if flow is not None and dialog is None and _is_guarded(flow, context, node):
        node.counters[FLOW_TOKENS_REFUSED] += 1
        return Reply(403, b"Flow Token Not Valid", is_stateless=True)
    way = None if flow is None else usable(flow, node)
    if way is None:
        node.counters[FLOWS_FAILED] += 1
        return Reply(430, is_stateless=True)
    context.named_flow = way
    return CONTINUE


def _is_guarded(flow: Flow, context: RequestContext, node: ProxyEnvironment) -> bool:
    """Would the token of a Path lead a stranger to a gateway or a peer?

    The source of the datagram that it was made for may have been forged, and the Path gone to the forger's registrar.
    """
    if flow.is_stream or context.is_trusted:
        return False
    return node.is_peer(flow) or node.router.gateways.has_address(flow.remote[0])


def leads_by_flow(route: Uri, dialog: bytes, source: Flow, node: ProxyEnvironment) -> bool:
    """Does a Route of ours name the flow of the other end, sealed with the token of the dialog?"""
    text = route.parameters.get(FLOW)
    found = None if text is None else node.flow_tokens.read(text, dialog)
    flow = None if found is None else _at_listener(*found, node)
    return flow is not None and not _is_source(flow, source)


def usable(flow: Flow, node: ProxyEnvironment) -> Flow | None:
    """The flow as it is known here, if a message may still go by it. A sibling that holds its connection says if it is
    gone; a connection of another node may be of a listener that has another place there. A datagram goes by the node
    that owns the address of its listener.
    """
    here = node.connections.carrier(flow)
    return here if here is not None and node.next_hops.is_way(here) else None


def path_entry(flow: Flow, hop: Flow, kind: int, is_sips: bool, node: ProxyEnvironment) -> bytes:
    """The value of Path for a REGISTER that came by `flow` and goes to `hop` (RFC 3327 5.2, RFC 5626 5.1); SIPS where
    its URI is, for a registrar takes no other with a SIPS contact (RFC 5630 5.2).
    """
    token = node.flow_tokens.write(flow, _mark_of(flow.listener, node), _FOR_PATH)
    mark = b";ob" if kind == OUTBOUND_PATH else b""
    sent_by = node.names.sent_bys[hop.listener]
    scheme, by = b"<sip:", URI_PARAMETERS[hop.transport]
    if is_sips and is_secure(hop.transport):
        scheme, by = b"<sips:", SIPS_URI_PARAMETERS[hop.transport]
    return b"".join((scheme, sent_by, by, b";lr", mark, FLOW_MARK, token, b">"))


def flow_parameter(flow: Flow, dialog: bytes, node: ProxyEnvironment) -> bytes:
    """What a Record-Route entry with the token `dialog` has beside it, for requests to the end at that flow."""
    return FLOW_MARK + node.flow_tokens.write(flow, _mark_of(flow.listener, node), dialog)


def path_kind_of(request: Request, policy: str) -> int:
    """The Path that a REGISTER gets here: none where another proxy is between the phone and this one."""
    if policy == "never" or not is_first_hop(request):
        return NO_PATH
    if _uses_outbound(request):
        return OUTBOUND_PATH
    return PATH_BY_FLOW if policy == "always" else NO_PATH


def is_first_hop(request: Request) -> bool:
    """Has it come from the user agent itself, as far as its Vias say?"""
    return request.has_one_value(VIA)


def _uses_outbound(request: Request) -> bool:
    """RFC 5626 4.2.1, 6: a flow is registered by reg-id, instance and the option tag."""
    if not any(option.lower() == b"outbound" for option in request.values(SUPPORTED)):
        return False
    contacts: list[Contact] = request.contacts()
    return any(b"reg-id" in contact.parameters and b"+sip.instance" in contact.parameters for contact in contacts)


def needs_flow(request: Request, flow: Flow) -> bool:
    """Can the sender of a request that makes a dialog be reached by its flow only?

    Its Contact says so (RFC 5626 5.3.2), or names an address that it does not have here, as its Via does; or its
    transport knows no other way (RFC 7118 5).
    """
    value = request.first_value(CONTACT)
    if value is None or not is_first_hop(request):
        return False
    if not is_opened_here(flow.transport):
        return True
    own_host = request.read_top_via().host
    is_behind_nat = is_translated(own_host, flow.host())
    if not is_behind_nat and b";ob" not in value:
        return False
    try:
        uri = parse_name_addr(value, "Contact").uri
    except MalformedMessage:
        # A sender that cannot be reached by its Contact gets no requests (dialogs.py).
        return False
    return OUTBOUND in uri.parameters or (is_behind_nat and uri.host == own_host)


def _mark_of(listener: int, node: ProxyEnvironment) -> int:
    return fnv(node.names.listener_names.split(b"\n")[listener])


def _at_listener(flow: Flow, mark: int, node: ProxyEnvironment) -> Flow | None:
    """The flow at the listener of that mark; None where there is no such listener any more."""
    for place, name in enumerate(node.names.listener_names.split(b"\n")):
        if name and fnv(name) == mark:
            return Flow(flow.transport, place, flow.remote, flow.process, flow.connection)
    return None


def _is_source(flow: Flow, source: Flow) -> bool:
    return flow.transport == source.transport and flow.remote == source.remote and flow.listener == source.listener
