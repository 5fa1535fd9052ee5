"""The registrar: what a REGISTER does to the bindings of one address-of-record, and what is answered.

RFC 3261 10.3 steps 2 and 6-8; RFC 3327 (Path), RFC 5627 (GRUUs), RFC 3840 (feature parameters are kept), RFC
5626 6 (outbound). Steps 1 and 3-5 are done before: the domain is local, the user is permitted, the aor is canonical.

Nothing is changed here: the outcome carries the whole change or none (10.3: atomic), and the caller applies
it. Where the RFCs leave a choice:
- a CSeq that is not higher is answered 500, as 12.2.2 does for a dialog (10.3 says only that the request fails);
- but the very request that made a binding changes nothing and is answered 200 once more: the worker that applied it may
  have ended before it answered, or had no room for a transaction;
- more contacts than an address may have: 403, for repeating the request will not help (21.4.4); a full table: 503,
  Retry-After;
- Path from a phone that does not say `Supported: path` is taken (RFC 3327 5.3 leaves it to policy: what proxies added
  is needed);
- reg-id counts where the first hop is this registrar, or has put `ob` into a Path value, whichever it is;
- Date (a SHOULD) goes out where an address gets a new binding, and not with every refresh.
"""

from __future__ import annotations

from email.utils import formatdate
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from appliance.location.binding import Binding, BindingChange
from appliance.location.gruu import TemporaryGruuWriter, instance_from_parameter, issued_with, public_gruu
from appliance.location.registration import OwnPlaces, Registration, Rules, begin_registration
from appliance.location.registration_table import RegistrationTable
from appliance.sip.characters import digits_of
from appliance.sip.errors import MalformedMessage
from appliance.sip.header_lines import make_line
from appliance.sip.headers import Contact, parse_delta_seconds, parse_name_addr
from appliance.sip.message import Request
from appliance.sip.names import EXPIRES, REQUIRE
from appliance.sip.uri import Uri, canonical_aor, parse_uri
from appliance.transport.transport_table import is_opened_here, is_stream, transport_of_uri
from appliance.transport.via import is_same_host, is_translated

if TYPE_CHECKING:
    from appliance.transport.flow import Flow

EXTENSIONS: Final = (b"path", b"gruu", b"outbound")  # what Require may name (RFC 3261 8.2.2.3)
EXPIRES_MALFORMED_S: Final = 3600  # RFC 3261 10.2.1.1
BRIEF_S: Final = 3600  # only shorter intervals may be called too brief
INSTANCE_LEN_MAX: Final = 1024
PATH_LEN_MAX: Final = 16384  # of all values together
NOT_KEPT: Final = (b"q", b"expires", b"pub-gruu", b"temp-gruu")  # contact parameters that the registrar itself writes


class Outcome:
    """The answer to a REGISTER: status, reason phrase (b"": the registered one), header lines, the change to apply."""

    __slots__ = ("change", "headers", "reason", "status")

    def __init__(self, status: int, reason: bytes, headers: list[bytes], change: BindingChange | None = None) -> None:
        self.status = status
        self.reason = reason
        self.headers = headers
        self.change = change


class Refused(Exception):
    """The request fails as a whole, with this outcome. Raised and caught on this page."""

    def __init__(self, status: int, reason: bytes, headers: list[bytes] | None = None) -> None:
        super().__init__(status, reason)
        self.outcome = Outcome(status, reason, headers or [])


def outcome_of(
    request: Request,
    aor: bytes,
    table: RegistrationTable,
    rules: Rules,
    flow: Flow | None,
    source: tuple[str, int] | None,
    wall_time: float,
    node: int,
    own: OwnPlaces | None = None,
    address: bytes = b"",
    date_offset_s: float = 0.0,
    temporary_gruus: TemporaryGruuWriter | None = None,
) -> Outcome:
    """What a REGISTER for `aor` does. flow: the way it came by (kept where it is the way back). wall_time:
    unix time. node: the number of this one. own: which places are this appliance's own; None where contacts may name
    them. address: the address-of-record as a URI of a domain served here, where `aor` is none (it is kept by realm).
    date_offset_s: from wall_time to the date. temporary_gruus: makes those (RFC 5627 3.1.2), where they are wanted.

    The change of the outcome, if any, has to be applied before the next request for the same address is processed.
    Contacts that cannot be read make an outcome, too, with the status and reason of the fault.
    """
    entries = table.entries(aor)
    registration = begin_registration(request, aor, entries, rules, flow, source, wall_time, node, own)
    registration.address = address or aor
    registration.date_offset_s = date_offset_s
    registration.temporary_gruus = temporary_gruus
    try:
        _check_extensions(request)
        # RFC 3261 10.3 step 6
        contacts = request.contacts()
        if not contacts:
            return _accepted(registration)
        first: Contact = contacts[0]
        if first.is_star:
            _remove_all(registration, contacts)
        else:
            _update(registration, contacts, table)
    except Refused as refusal:
        return refusal.outcome
    except MalformedMessage as fault:
        return Outcome(fault.status, fault.reason.encode(), [])
    return _accepted(registration)


def _check_extensions(request: Request) -> None:
    # RFC 3261 10.3 step 2, 8.2.2.3
    unsupported = unsupported_by_us(request)
    if unsupported:
        raise Refused(420, b"Bad Extension", [unsupported])


def unsupported_by_us(request: Request) -> bytes:
    """The Unsupported line of an answer (RFC 3261 8.2.2.3); b"" where Require names nothing that is unsupported."""
    if not request.count(REQUIRE):
        return b""
    unknown = [option for option in request.values(REQUIRE) if option.lower() not in EXTENSIONS]
    return make_line(b"Unsupported", b", ".join(unknown)) if unknown else b""


def _remove_all(registration: Registration, contacts: list[Contact]) -> None:
    # RFC 3261 10.3 step 6
    if len(contacts) > 1 or _expires_of_request(registration) != 0:
        raise Refused(400, b"Contact * Requires Expires 0")
    for old in registration.entries:
        if old.expires_at > registration.wall_time:
            _remove(registration, old)


def _remove(registration: Registration, old: Binding) -> None:
    if not registration.is_in_order(old):
        raise Refused(500, b"CSeq Not Increased")
    registration.add(old, old.key, old.uri, old.parameters, old.q, 0.0, old.instance, old.reg_id, None)


def _update(registration: Registration, contacts: list[Contact], table: RegistrationTable) -> None:
    # RFC 3261 10.3 step 7
    if registration.path:
        _check_path(registration)
    if len(contacts) > 2 * registration.rules.contacts_max:  # bounds the comparisons below
        raise Refused(403, b"Too Many Contacts")
    _check_schemes(registration, contacts)
    added = kept = 0
    default_s = _expires_of_request(registration)
    for contact in contacts:
        expires_s = _granted(default_s if contact.expires is None else contact.expires, registration.rules)
        if _change_one(registration, contact, expires_s):
            added += 1
        if expires_s:
            kept += 1
    if kept > 1 and registration.uses_outbound:
        # RFC 5626 6: one flow at a time.
        raise Refused(400, b"More Than One Contact With reg-id")
    if added:
        _check_room(registration, table)


def _check_schemes(registration: Registration, contacts: list[Contact]) -> None:
    """RFC 5630 5.2: a SIPS contact with SIPS alone, or what is secure would be reached in clear."""
    if not any(contact.uri.scheme == b"sips" for contact in contacts):
        return
    hops = [parse_name_addr(value, "Path").uri for value in registration.path]
    uris = [registration.request.read_uri(), *hops, *(contact.uri for contact in contacts)]
    if any(uri.scheme == b"sip" for uri in uris):
        raise Refused(400, b"Not All URIs Are SIPS")


def _check_path(registration: Registration) -> None:
    path = registration.path
    if sum(map(len, path)) > PATH_LEN_MAX:
        raise Refused(403, b"Path Too Long")
    # RFC 3327 5.3: it becomes the route set of requests to come.
    for value in path:
        uri = parse_name_addr(value, "Path").uri
        if not uri.has_sip_scheme():
            raise Refused(400, b"Path Is Not a SIP URI")
        _check_not_here(registration, uri)


def _change_one(registration: Registration, contact: Contact, expires_s: int) -> bool:
    """Refresh, add or remove one contact. Returns whether the address gets a binding that it did not have."""
    wall_time = registration.wall_time
    instance, reg_id = _instance_and_flow(registration, contact)
    if reg_id:
        _check_first_hop(registration)
        registration.uses_outbound = True
    uri = contact.uri.text
    key = b"reg-id=%d;" % reg_id + instance if reg_id else uri
    matched = _matching(registration, contact, key, reg_id)
    if matched is not None:
        key = matched.key
    elif not reg_id:
        key = registration.unused_key(uri)
    old = registration.stored(key)
    is_live = matched is not None and matched.expires_at > wall_time
    if expires_s == 0:
        if old is not None and old.expires_at > wall_time:
            _remove(registration, old)
        else:
            registration.drop(key)
        return False
    if old is not None and registration.is_measure(old) and not registration.is_in_order(old):
        if registration.is_repetition(old, uri, _kept_parameters(contact), contact.q, expires_s):
            return False
        raise Refused(500, b"CSeq Not Increased")
    if old is None or old.expires_at <= wall_time:
        _check_no_loop(registration.address, contact, instance)
    _check_not_here(registration, contact.uri)
    parameters, flow = _kept_parameters(contact), _kept_flow(registration, contact, reg_id)
    registration.add(old, key, uri, parameters, contact.q, wall_time + expires_s, instance, reg_id, flow)
    return not is_live


def _check_first_hop(registration: Registration) -> None:
    """RFC 5626 6: a flow is of use where its first hop knows of it."""
    if registration.is_first_hop or any(_has_ob(value) for value in registration.path):
        return
    raise Refused(439, b"")


def _has_ob(path: bytes) -> bool:
    return b"ob" in parse_name_addr(path, "Path").uri.parameters


def _kept_flow(registration: Registration, contact: Contact, reg_id: int) -> Flow | None:
    """The flow that the REGISTER came by, where it is the way to the contact (RFC 3261 16.6 step 7, 18.1.1).

    That is so where the contact leads to the other end by TCP, with outbound (RFC 5626 6), by WebSocket (RFC 7118 5),
    and behind NAT: there the phone knows itself, in its Via as well, by an address that it does not have here.
    """
    flow, uri = registration.flow, contact.uri
    if flow is None or reg_id or not is_opened_here(flow.transport):
        return flow
    address, own_host = flow.host(), registration.request.read_top_via().host
    if not flow.is_stream:
        return flow if own_host == uri.host and is_translated(own_host, address) else None
    if own_host == uri.host and not is_same_host(own_host, address):
        return flow
    is_by_stream = uri.parameters.get(b"transport") is None or is_stream(transport_of_uri(uri))
    is_there = is_same_host(uri.host, address) and b"maddr" not in uri.parameters
    return flow if is_by_stream and is_there else None


def _matching(registration: Registration, contact: Contact, key: bytes, reg_id: int) -> Binding | None:
    """The binding this contact names, live or dead: by reg-id and instance (RFC 5626 6), else by its present URI.

    RFC 3261 19.1.4 is no transitive relation: what the binding was called before does not count. The same text goes
    before another spelling, and the live before the dead.
    """
    entries = registration.tentative()
    if reg_id:
        return next((entry for entry in entries if entry.key == key), None)
    entries = [entry for entry in entries if not entry.reg_id]
    dead = None
    for entry in entries:
        if entry.uri == contact.uri.text:
            if entry.expires_at > registration.wall_time:
                return entry
            dead = entry
    for entry in entries:
        is_live = entry.expires_at > registration.wall_time
        if (is_live or dead is None) and contact.uri.equals(parse_uri(entry.uri)):
            if is_live:
                return entry
            dead = entry
    return dead


def _instance_and_flow(registration: Registration, contact: Contact) -> tuple[bytes, int]:
    """The instance ID, b"" where there is none, and the reg-id, 0 where there is none or it does not count (RFC 5626
    6).
    """
    value = contact.parameters.get(b"+sip.instance")
    if not value:
        return b"", 0
    instance = instance_from_parameter(value)
    if len(instance) > INSTANCE_LEN_MAX:
        return b"", 0
    reg_id = contact.parameters.get(b"reg-id") or b""
    if not reg_id.isdigit() or len(reg_id) > 9 or b"outbound" not in registration.supported:
        return instance, 0
    return instance, int(reg_id)


def _kept_parameters(contact: Contact) -> bytes:
    """RFC 3840 5: feature parameters of a contact are kept as received."""
    text = b""
    for name, value in contact.parameters.items():
        if name not in NOT_KEPT:
            text += b";" + name if value is None else b";" + name + b"=" + value
    return text


def _check_no_loop(address: bytes, contact: Contact, instance: bytes) -> None:
    """A contact that is the address itself, or a GRUU of it, would be a loop: RFC 5627 5.1, here for every contact."""
    uri = contact.uri
    if instance and not uri.has_sip_scheme():
        raise Refused(403, b"Contact With Instance Is Not a SIP URI")
    # RFC 3261 19.1.4: one with header fields is another URI, and registered like any (RFC 4475 3.3.14).
    is_plain = not uri.port and not uri.headers and b"maddr" not in uri.parameters
    if uri.has_sip_scheme() and is_plain and canonical_aor(uri) == address:
        raise Refused(403, b"Contact Is the Address-of-Record")


def _check_not_here(registration: Registration, uri: Uri) -> None:
    """RFC 5393 3: a contact that is this appliance itself makes requests come back again and again."""
    if registration.own is not None and registration.own.leads_here(uri):
        raise Refused(403, b"Contact Points To This Server")


def _check_room(registration: Registration, table: RegistrationTable) -> None:
    if len(registration.bindings_after()) > registration.rules.contacts_max:
        raise Refused(403, b"Too Many Contacts")
    if table.is_full:
        retry_after = digits_of(registration.rules.expires_min_s)
        raise Refused(503, b"Registrar Full", [make_line(b"Retry-After", retry_after)])


def _expires_of_request(registration: Registration) -> int:
    """The Expires header field, or the default."""
    text = registration.request.first(EXPIRES)
    if text is None:
        return registration.rules.expires_default_s
    expires_s = parse_delta_seconds(text)
    return EXPIRES_MALFORMED_S if expires_s is None else expires_s


def _granted(requested_s: int, rules: Rules) -> int:
    expires_min_s = rules.expires_min_s
    if 0 < requested_s < expires_min_s and requested_s < BRIEF_S:
        raise Refused(423, b"Interval Too Brief", [make_line(b"Min-Expires", digits_of(expires_min_s))])
    return min(requested_s, rules.expires_max_s)


def _accepted(registration: Registration) -> Outcome:
    # RFC 3261 10.3 step 8
    headers = []
    wants_gruu = b"gruu" in registration.supported
    for binding in registration.bindings_after():
        headers.append(_contact_line(registration, binding, wants_gruu))
    # RFC 3327 5.3
    for value in registration.path:
        headers.append(make_line(b"Path", value))
    if registration.uses_outbound:
        _promise_outbound(registration, headers)
    if not registration.pending:
        return Outcome(200, b"", headers)
    if not registration.entries:
        headers.append(_date_line(int(registration.wall_time + registration.date_offset_s)))
    return Outcome(200, b"", headers, BindingChange(registration.aor, tuple(registration.pending)))


def _promise_outbound(registration: Registration, headers: list[bytes]) -> None:
    """RFC 5626 6; 5.4: on UDP a phone sends keep-alives more often by itself."""
    headers.append(make_line(b"Require", b"outbound"))
    flow, flow_timer_s = registration.flow, registration.rules.flow_timer_s
    if flow_timer_s and registration.is_first_hop and flow is not None and flow.is_stream:
        headers.append(make_line(b"Flow-Timer", digits_of(flow_timer_s)))


@lru_cache(maxsize=1)
def _date_line(second: int) -> bytes:
    """RFC 3261 20.17; after a restart thousands register in one second."""
    return make_line(b"Date", formatdate(second, usegmt=True).encode())


def _contact_line(registration: Registration, binding: Binding, wants_gruu: bool) -> bytes:
    expires_s = max(1, int(binding.expires_at - registration.wall_time + 0.5))
    expires_s = min(expires_s, registration.rules.expires_max_s)
    parts = [b"<", binding.uri, b">"]
    if binding.q != 1000:
        parts.append(b";q=0.%03d" % binding.q)
    parts += (b";expires=", digits_of(expires_s), binding.parameters)
    if wants_gruu and binding.instance:
        # RFC 5627 5.2, 5.4: on the domain of the To, for the realm need not be one.
        # RFC 5630 5.2.1: SIPS for a SIPS contact.
        scheme = b"sips:" if binding.uri[:5] == b"sips:" else b"sip:"
        gruu = public_gruu(registration.address, binding.instance)
        parts += (b';pub-gruu="', scheme, gruu[4:], b'"')
        if registration.temporary_gruus is not None:
            gruu = _temporary_gruu(registration, binding)
            if gruu:
                parts += (b';temp-gruu="', scheme, gruu, b'"')
    return make_line(b"Contact", b"".join(parts))


def _temporary_gruu(registration: Registration, binding: Binding) -> bytes:
    """Without its scheme; b"" for none."""
    assert registration.temporary_gruus is not None
    user, _, domain = registration.address[4:].rpartition(b"@")
    issued = issued_with(binding, user, registration.bindings_after())
    token = registration.temporary_gruus.write(issued)
    return b"".join((token, b"@", domain, b";gr")) if token else b""
