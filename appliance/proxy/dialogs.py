"""Which requests belong to a dialog that was let through: our Record-Route proves it (RFC 3261 12.2, 16.6 step 4).

The entry holds a token (see dialog_token.py). The two ends of a dialog get different ones:

- the entry in a request is for requests back to its sender: to the From tag and the Contact of the request, by the
  Record-Route entries that it came with. The tag of the other end is not known yet, and a forked
  request makes several dialogs.
- in the response that makes the dialog (RFC 3261 16.7 step 8) it is replaced by one for requests to the end that
  answers: between the two tags, to the Contact of the response, by the entries of the proxies behind us.

Both are for requests between the addresses that the dialog has in From and To (RFC 3261 12.2.1.1); what only ends
something, between two known tags, may have others, for some user agents write them anew. So a token leads to the other
end of that dialog, and nowhere else. A request with another target, another route, another From, invented tags, or a
token whose time is over is treated as a new one: the sender has to prove itself, and the rules for relaying hold.
Route sets are fixed when a dialog is made, so a token cannot be renewed.

A Contact is what its sender wrote. A token leads out of our domains only where the Contact (or the route before it) is
at the address that its message came from, or where a peer, or one who may relay, is an end of the dialog. And it
leads to a next hop of the route tables, or into a private network, only at that address, or where a peer or a next hop
has named it (OF_PEER; gateway_access.py): else a call to an accomplice would make the way for the next one.

The entry in a request is not replaced at the end that has it, whatever becomes of the request: that end has it for its
whole lifetime, even of a call that was refused. So what may begin something by it has to come from the address that the
request was sent to, or from a peer, and counts in limits as if it were new. What only ends something need not. Still
possible by it: for that lifetime, the address that was called reaches the caller, and only under the URI that was
called. An end behind a proxy that did not stay on the way comes from another address: its BYE passes, and what else it
sends is treated as new.
"""

from __future__ import annotations

from typing import Final

from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.flow_routes import FLOW_MARK, flow_parameter, leads_by_flow
from appliance.proxy.request_context import RequestContext
from appliance.routing.contact_policy import ROUTED, destination_of
from appliance.security.dialog_token import ADMITTED, ANSWERED, AT_SOURCE, OF_PEER, RELAYS, TO_PEER, TOKEN_LEN
from appliance.sip.address_fast_path import plain_party
from appliance.sip.characters import digits_of, lowered
from appliance.sip.errors import MalformedMessage
from appliance.sip.header_lines import end_of_value, start_of_value
from appliance.sip.headers import parse_name_addr
from appliance.sip.message import Message, Request, Response
from appliance.sip.names import CONTACT, FROM, RECORD_ROUTE, ROUTE, TO
from appliance.sip.uri import Uri, canonical_user
from appliance.transaction.transaction import ServerTransaction
from appliance.transport.flow import Flow

# Parameter of our Record-Route: the token.
TOKEN = b"tk"
# What a message has in it that carries one, perhaps.
TOKEN_MARK = b";tk="
# Parameter of our Record-Route: the next Route value is ours, too (RFC 5658 double record-routing).
PAIR = b"pair"

# RFC 3261 10.2, RFC 3903 4: whatever To tag and Route they carry, they change the state of a user, not of a call.
NEVER_IN_DIALOG = frozenset((b"REGISTER", b"PUBLISH"))
# They end or complete something, and begin nothing.
ENDING = frozenset((b"ACK", b"BYE", b"CANCEL", b"PRACK"))
# How a request is admitted: as a new one, or by a token (ADMITTED). Then the flags of the token are in it as well, of
# which AT_SOURCE and RELAYS grant the way.
NEW: Final = 0
# The dialog is proved, and the target is not the one that it had when it was made.
MOVED: Final = 32
# In a request that makes a dialog nothing says which From tag the other end will have.
_UNKNOWN = b""
_NOWHERE = b""
# So many 2xx to one INVITE are remembered for their ACKs; the ACK to a later one needs its token.
ANSWERS_MAX = 8
_SIP_PORT: Final = 5060
_SIPS_PORT: Final = 5061


def route_uri(value: bytes) -> Uri:
    """RFC 3261 20.34: the URI of a router. Raises MalformedMessage(400): no request could be sent to it later."""
    uri = parse_name_addr(value, "Route").uri
    if not uri.has_sip_scheme():
        raise MalformedMessage(400, "Route Is Not a SIP URI")
    return uri


def admission_of(
    own: Uri, request: Request, routes: list[bytes], flow: Flow, node: ProxyEnvironment, now: float
) -> int:
    """NEW, or what the token of our Route value `own` grants the request, whose route values after ours are `routes`.

    Raises MalformedMessage(400).
    """
    token: bytes | None = own.parameters.get(TOKEN)
    if token is None:
        return NEW
    flags = _proved_flags(token, request, node, now)
    if flags < 0 or not _may_come_from(flow, token, flags, request, node):
        return NEW
    uris = [route_uri(value) for value in routes]
    target = request.read_uri()
    way = _way_of(target, [_routing_of(uri) for uri in uris])
    # Where a flow decides, the target may differ: a registrar puts the contact in place of a GRUU (RFC 5627 3.4).
    if not node.dialog_tokens.leads(token, way) and not leads_by_flow(own, token, flow, node):
        # RFC 3261 12.2.1.2: its target may have been refreshed since, and a BYE has to arrive.
        moved = ADMITTED | MOVED | flags & (RELAYS | OF_PEER)
        return moved if flags & RELAYS and request.method == b"BYE" else NEW
    if flags & (AT_SOURCE | RELAYS) or (not uris and node.names.is_responsible_for(target)):
        return ADMITTED | flags
    return NEW


def _proved_flags(token: bytes, request: Request, node: ProxyEnvironment, now: float) -> int:
    """Those of a token of ours for the ends of this request, and in time; else -1."""
    to_tag = request.read_to_tag()
    tokens = node.dialog_tokens
    flags = tokens.flags_of(token)
    if flags < 0 or not to_tag or request.method in NEVER_IN_DIALOG:
        return -1
    from_tag = request.read_from_tag() if flags & ANSWERED else _UNKNOWN
    if not tokens.is_own(token, _ends(request.read_call_id(), to_tag, from_tag)):
        return -1
    if tokens.is_over(token, _minute(node, now)):
        return -1
    if flags & ANSWERED and request.method in ENDING:
        return flags
    return flags if tokens.is_between(token, _parties(_party(request, TO), _party(request, FROM))) else -1


def _may_come_from(flow: Flow, token: bytes, flags: int, request: Request, node: ProxyEnvironment) -> bool:
    if flags & ANSWERED or request.method in ENDING:
        return True
    return node.dialog_tokens.went_to(token, flow.host()) or node.is_peer(flow)


def begins_nothing(admission: int, method: bytes) -> bool:
    """May a request with this admission do without limits?"""
    return admission != NEW and not admission & MOVED and method in ENDING


def is_expected(request: Request, flow: Flow, node: ProxyEnvironment, now: float) -> bool:
    """Is the first route of a request, just as it came, ours, with the token of a dialog that was answered?

    What ends something needs no answered one.
    """
    try:
        values = request.values(ROUTE)
        first = route_uri(values[0]) if values else None
        if first is None or not node.names.is_own_route(first):
            return False
        own_count = 2 if PAIR in first.parameters and _is_second(values, node) else 1
        admission = admission_of(first, request, values[own_count:], flow, node, now)
        return admission & ANSWERED != 0 or begins_nothing(admission, request.method)
    except MalformedMessage:
        return False


def _is_second(values: list[bytes], node: ProxyEnvironment) -> bool:
    if len(values) < 2:
        return False
    second = route_uri(values[1])
    return PAIR in second.parameters and node.names.is_own_route(second)


def token_to_sender(request: Request, context: RequestContext, hop: Flow, node: ProxyEnvironment, now: float) -> bytes:
    """The token for the entry in a request to a hop: it admits what the other end sends back in the dialog."""
    until_min = _minute(node, now + node.proxy_rules.dialog_lifetime_s)
    flags = RELAYS if context.is_trusted or context.has_relay_rights() else 0
    if context.is_trusted:
        flags |= OF_PEER
    if node.is_peer(hop) or (context.targets and context.targets[0].origin == ROUTED):
        flags |= TO_PEER
    way = caller = callee = _NOWHERE
    try:
        caller, callee = _party(request, FROM), _party(request, TO)
        contact = _contact_of(request)
        if contact is not None:
            routes = [parse_name_addr(value).uri for value in request.values(RECORD_ROUTE)]
            way = _way_of(contact, [_routing_of(route) for route in routes])
            # By its flow it leads to where it came from.
            if context.keeps_flow or _address_of(routes[0] if routes else contact) == context.flow.host():
                flags |= AT_SOURCE
    except MalformedMessage:
        # A sender that cannot be reached by its Contact gets no requests.
        way = _NOWHERE
    ends = _ends(request.read_call_id(), request.read_from_tag(), _UNKNOWN)
    return node.dialog_tokens.write(ends, _parties(caller, callee), way, hop.host(), until_min, flags)


def bind_to_answer(response: Response, flow: Flow | None, node: ProxyEnvironment) -> None:
    """RFC 3261 16.7 step 8: our entries in a response are from now on for requests to the end that answers.

    `flow`: the only way to that end, where there is but one (RFC 5626 5.3.1).
    """
    if response.status >= 300 or not response.count(RECORD_ROUTE):
        return
    try:
        contact = _contact_of(response)
        if contact is None or not response.read_to_tag():
            return
        for old, new in _rebound(response, contact, flow, node):
            response.exchange(RECORD_ROUTE, old, new)
    except MalformedMessage:
        # The caller has to understand it, and cannot.
        return


class AcceptedAnswer:
    """What a 2xx to an INVITE says of where its ACK goes: unparsed, for most ACKs have a token."""

    __slots__ = ("contact", "makes_dialog", "routes", "to_tag")

    def __init__(self, to_tag: bytes, contact: bytes, routes: list[bytes], makes_dialog: bool) -> None:
        """`routes`: of a 2xx that makes a dialog its Record-Route; else the routes that the INVITE had after ours."""
        self.to_tag = to_tag
        self.contact = contact
        self.routes = routes
        self.makes_dialog = makes_dialog


def note_answer(server: ServerTransaction, request: Request, response: Response) -> bool:
    """RFC 3261 12.2.1.2: keep where the ACK to this 2xx goes, for the token covers no target that comes with it.

    False where it is known already, or nothing is kept.
    """
    contact, to_tag = response.first_value(CONTACT), response.read_to_tag()
    if contact is None or len(server.answers) >= ANSWERS_MAX:
        return False
    for known in server.answers:
        if known.to_tag == to_tag and known.contact == contact:
            return False
    makes_dialog = not request.read_to_tag()
    routes = response.values(RECORD_ROUTE) if makes_dialog else request.values(ROUTE)
    server.answers = (*server.answers, AcceptedAnswer(to_tag, contact, routes, makes_dialog))
    return True


def is_to_answer(ack: Request, node: ProxyEnvironment) -> bool:
    """RFC 3261 13.2.2.4: does an ACK, off which our routes are, go where a 2xx to its INVITE says?

    As long as that INVITE is known here (RFC 6026 Accepted, 64*T1): it was let through.
    """
    server = node.transactions.accepted_by(ack)
    try:
        return server is not None and any(_leads_to(ack, answer) for answer in server.answers)
    except MalformedMessage:
        return False


def _leads_to(ack: Request, answer: AcceptedAnswer) -> bool:
    if ack.read_to_tag() != answer.to_tag:
        return False
    routes = ack.values(ROUTE)
    known = answer.routes
    if answer.makes_dialog:
        # RFC 3261 12.1.2: the caller goes by the entries in reverse order, so those above ours come after ours.
        known = known[len(routes) - 1 :: -1] if 0 < len(routes) <= len(known) else []
    way = _way_of(ack.read_uri(), [_routing_of(route_uri(value)) for value in routes])
    target = parse_name_addr(answer.contact, "Contact").uri
    return way == _way_of(target, [_routing_of(route_uri(value)) for value in known])


def _rebound(
    response: Response, contact: Uri, flow: Flow | None, node: ProxyEnvironment
) -> list[tuple[bytes, bytes]]:
    """What our tokens in the response become. On a spiral there are several; the entries of a pair have one."""
    call_id, from_tag = response.read_call_id(), response.read_from_tag()
    to_caller = _ends(call_id, from_tag, _UNKNOWN)
    to_callee = _ends(call_id, response.read_to_tag(), from_tag)
    parties = _parties(_party(response, TO), _party(response, FROM))
    tokens = node.dialog_tokens
    found: list[tuple[bytes, bytes]] = []
    values = response.values(RECORD_ROUTE)
    # Each token once: a peer could repeat its own many times, and every one costs a look at all entries above it.
    seen: set[bytes] = set()
    for index in range(len(values)):
        token = _token_in(values[index])
        flags = tokens.flags_of(token)
        if flags >= 0 and not flags & ANSWERED and token not in seen and tokens.is_own(token, to_caller):
            seen.add(token)
            # RFC 3261 12.1.2: the caller goes by the entries in reverse order, so those above come after ours.
            behind = [parse_name_addr(value).uri for value in reversed(values[:index])]
            flags = ANSWERED | (RELAYS if flags & RELAYS else 0) | (RELAYS | OF_PEER if flags & TO_PEER else 0)
            address = _address_of(behind[0] if behind else contact)
            # The flow is that of the hop that answers, which no other entry is above.
            only_way = None if behind else flow
            if only_way is not None or (address and tokens.went_to(token, address)):
                flags |= AT_SOURCE
            way = _way_of(contact, [_routing_of(uri) for uri in behind])
            new = tokens.write(to_callee, parties, way, _NOWHERE, tokens.until_of(token), flags)
            # The flow of the other direction goes.
            old = token + _flow_beside(values[index])
            found.append((old, new if only_way is None else new + flow_parameter(only_way, new, node)))
    return found


def _token_in(value: bytes) -> bytes:
    """What stands where the token would be in a Record-Route value; the token itself proves whether it is one."""
    at = value.find(TOKEN_MARK)
    return b"" if at < 0 else value[at + len(TOKEN_MARK) : at + len(TOKEN_MARK) + TOKEN_LEN]


def _flow_beside(value: bytes) -> bytes:
    """The flow that a Record-Route value of ours has beside its token, as its parameter; b"" for none."""
    at = value.find(TOKEN_MARK) + len(TOKEN_MARK) + TOKEN_LEN
    if value[at : at + len(FLOW_MARK)] != FLOW_MARK:
        return b""
    end = at + len(FLOW_MARK)
    # Up to ";" or ">".
    while end < len(value) and value[end] != 59 and value[end] != 62:
        end += 1
    return value[at:end]


def _contact_of(message: Message) -> Uri | None:
    """The remote target that a message sets (RFC 3261 12.1); None when it has none."""
    value = message.first_value(CONTACT)
    return None if value is None else parse_name_addr(value, "Contact").uri


def _way_of(target: Uri, routes: list[bytes]) -> bytes:
    """Where requests of a dialog go after us, as one text: the remote target, and the routes before it."""
    return b"\n".join([_routing_of(target), *routes])


def _routing_of(uri: Uri) -> bytes:
    """What of a URI decides where a request goes; everything else a user agent may drop or spell in another way."""
    if not uri.has_sip_scheme():
        return uri.text
    # RFC 3261 19.1.2: the defaults, of which some user agents write none, whatever the Contact says.
    port = uri.port or (_SIP_PORT if uri.scheme == b"sip" else _SIPS_PORT)
    address = b" ".join((uri.scheme, canonical_user(uri.user or b""), uri.host, digits_of(port)))
    if not uri.parameters:
        return address
    transport = lowered(uri.parameter(b"transport") or b"")
    maddr, gruu = uri.parameter(b"maddr"), uri.parameter(b"gr")
    if (not transport or transport == b"udp") and maddr is None and gruu is None:
        return address
    return b" ".join((address, transport, lowered(maddr or b""), lowered(gruu or b"")))


def _address_of(uri: Uri) -> bytes:
    """The host that requests for a URI go to, an IPv6 address without brackets; b"" where it has none."""
    host = uri.host if b"maddr" not in uri.parameters else destination_of(uri)
    return host[1:-1] if host[:1] == b"[" else host


def _ends(call_id: bytes, to_tag: bytes, from_tag: bytes) -> bytes:
    """What the requests of one direction of a dialog have in common, as one text."""
    return b"\0".join((call_id, to_tag, from_tag))


def _parties(to_party: bytes, from_party: bytes) -> bytes:
    """The addresses in To and From of the requests of one direction, as one text."""
    return b"\0".join((to_party, from_party))


def _party(message: Message, header: int) -> bytes:
    """The address in From or To, without what may be spelled in another way. Raises MalformedMessage(400)."""
    line = message.required_line(header)
    party = plain_party(line, start_of_value(line), end_of_value(line))
    if party is None:
        uri = (message.read_from() if header == FROM else message.read_to()).uri
        party = uri.text if not uri.host else canonical_user(uri.user or b"") + b"@" + uri.host
    return lowered(party)


def _minute(node: ProxyEnvironment, now: float) -> int:
    return int(node.wall_time(now)) // 60
