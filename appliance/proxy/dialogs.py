"""Which requests belong to a dialog that was let through: our Record-Route proves it (RFC 3261 12.2, 16.6 step 4).

The entry holds a token (see dialog_token.py). The two ends of a dialog get different ones:

- the entry in a request is for requests back to its sender: to the From tag and the Contact of the request, by the
  Record-Route entries that it came with. The tag of the other end is not known yet, and a forked
  request makes several dialogs.
- in the response that makes the dialog (RFC 3261 16.7 step 8) it is replaced by one for requests to the end that
  answers: between the two tags, to the Contact of the response, by the entries of the proxies behind us.

So a token leads to the other end of that dialog, and nowhere else. A request with another target, another route,
invented tags, or a token whose time is over is treated as a new one: the sender has to prove itself, and the rules for
relaying hold. Route sets are fixed when a dialog is made, so a token cannot be renewed.
"""

from __future__ import annotations

from appliance.proxy.environment import ProxyEnvironment
from appliance.security.dialog_token import TOKEN_LEN, UNKNOWN
from appliance.sip.characters import digits_of, lowered
from appliance.sip.errors import MalformedMessage
from appliance.sip.headers import parse_name_addr
from appliance.sip.message import Message, Request, Response
from appliance.sip.names import CONTACT, RECORD_ROUTE, ROUTE
from appliance.sip.uri import Uri, canonical_user
from appliance.transaction.transaction import ServerTransaction

# Parameter of our Record-Route: the token.
TOKEN = b"tk"
# What a message has in it that carries one, perhaps.
TOKEN_MARK = b";tk="
# Parameter of our Record-Route: the next Route value is ours, too (RFC 5658 double record-routing).
PAIR = b"pair"

# RFC 3261 10.2, RFC 3903 4: whatever To tag and Route they carry, they change the state of a user, not of a call.
NEVER_IN_DIALOG = frozenset((b"REGISTER", b"PUBLISH"))
_NOWHERE = b""
# So many 2xx to one INVITE are remembered for their ACKs; the ACK to a later one needs its token.
ANSWERS_MAX = 8


def route_uri(value: bytes) -> Uri:
    """RFC 3261 20.34: the URI of a router. Raises MalformedMessage(400): no request could be sent to it later."""
    uri = parse_name_addr(value, "Route").uri
    if not uri.has_sip_scheme():
        raise MalformedMessage(400, "Route Is Not a SIP URI")
    return uri


def is_admitted(token: bytes, request: Request, routes: list[bytes], node: ProxyEnvironment, now: float) -> bool:
    """Does the token let in the request, whose route values after ours are `routes`? Raises MalformedMessage(400)."""
    to_tag = request.read_to_tag()
    if not to_tag or request.method in NEVER_IN_DIALOG:
        return False
    way = _way_of(request.read_uri(), [_routing_of(route_uri(value)) for value in routes])
    call_id, from_tag = request.read_call_id(), request.read_from_tag()
    return node.dialog_tokens.admits(token, call_id, to_tag, from_tag, way, _minute(node, now))


def is_of_dialog(request: Request, node: ProxyEnvironment, now: float) -> bool:
    """The same for a request just as it came: is its first route ours, with a token that lets it in?"""
    try:
        values = request.values(ROUTE)
        first = route_uri(values[0]) if values else None
        token = None if first is None else first.parameters.get(TOKEN)
        if first is None or token is None or not node.names.is_own_route(first):
            return False
        own_count = 2 if PAIR in first.parameters and _is_second(values, node) else 1
        return is_admitted(token, request, values[own_count:], node, now)
    except MalformedMessage:
        return False


def _is_second(values: list[bytes], node: ProxyEnvironment) -> bool:
    if len(values) < 2:
        return False
    second = route_uri(values[1])
    return PAIR in second.parameters and node.names.is_own_route(second)


def token_to_sender(request: Request, node: ProxyEnvironment, now: float) -> bytes:
    """The token for the entry in a request: it admits what the other end sends back in the dialog."""
    until_min = _minute(node, now + node.proxy_rules.dialog_lifetime_s)
    way = _NOWHERE
    try:
        contact = _contact_of(request)
        if contact is not None:
            routes = [_routing_of(parse_name_addr(value).uri) for value in request.values(RECORD_ROUTE)]
            way = _way_of(contact, routes)
    except MalformedMessage:
        # A sender that cannot be reached by its Contact gets no requests.
        way = _NOWHERE
    return node.dialog_tokens.write(request.read_call_id(), request.read_from_tag(), UNKNOWN, way, until_min)


def bind_to_answer(response: Response, node: ProxyEnvironment) -> None:
    """RFC 3261 16.7 step 8: our entries in a response are from now on for requests to the end that answers."""
    if response.status >= 300 or not response.count(RECORD_ROUTE):
        return
    try:
        contact = _contact_of(response)
        if contact is None or not response.read_to_tag():
            return
        for old, new in _rebound(response, contact, node):
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


def note_answer(server: ServerTransaction, request: Request, response: Response) -> None:
    """RFC 3261 12.2.1.2: keep where the ACK to this 2xx goes, for the token covers no target that comes with it."""
    contact, to_tag = response.first_value(CONTACT), response.read_to_tag()
    if contact is None or len(server.answers) >= ANSWERS_MAX:
        return
    for known in server.answers:
        if known.to_tag == to_tag and known.contact == contact:
            return
    makes_dialog = not request.read_to_tag()
    routes = response.values(RECORD_ROUTE) if makes_dialog else request.values(ROUTE)
    server.answers = (*server.answers, AcceptedAnswer(to_tag, contact, routes, makes_dialog))


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


def _rebound(response: Response, contact: Uri, node: ProxyEnvironment) -> list[tuple[bytes, bytes]]:
    """What our tokens in the response become. On a spiral there are several; the entries of a pair have one."""
    call_id, caller, callee = response.read_call_id(), response.read_from_tag(), response.read_to_tag()
    tokens = node.dialog_tokens
    found: list[tuple[bytes, bytes]] = []
    values = response.values(RECORD_ROUTE)
    # Each token once: a peer could repeat its own many times, and every one costs a look at all entries above it.
    seen: set[bytes] = set()
    for index in range(len(values)):
        token = _token_in(values[index])
        if token and token not in seen and tokens.is_own(token, call_id, caller, UNKNOWN):
            seen.add(token)
            # RFC 3261 12.1.2: the caller goes by the entries in reverse order, so those above come after ours.
            behind = [_routing_of(parse_name_addr(value).uri) for value in reversed(values[:index])]
            found.append((token, tokens.rewrite(token, call_id, callee, caller, _way_of(contact, behind))))
    return found


def _token_in(value: bytes) -> bytes:
    """What stands where the token would be in a Record-Route value; the token itself proves whether it is one."""
    at = value.find(TOKEN_MARK)
    return b"" if at < 0 else value[at + len(TOKEN_MARK) : at + len(TOKEN_MARK) + TOKEN_LEN]


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
    if not uri.parameters:
        return b" ".join((uri.scheme, canonical_user(uri.user or b""), uri.host, digits_of(uri.port), b"", b"", b""))
    address = (uri.scheme, canonical_user(uri.user or b""), uri.host, digits_of(uri.port))
    transport, maddr, gruu = uri.parameter(b"transport"), uri.parameter(b"maddr"), uri.parameter(b"gr")
    return b" ".join((*address, lowered(transport or b""), lowered(maddr or b""), lowered(gruu or b"")))


def _minute(node: ProxyEnvironment, now: float) -> int:
    return int(node.wall_time(now)) // 60
