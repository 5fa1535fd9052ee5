"""Via at the edge of the appliance (RFC 3261 18.1.1 to 18.2.2, RFC 3581).

A request that arrives is stamped with where it really came from, and its response goes back by
that stamp. What a sender wrote into `received` or `rport` itself is overwritten: otherwise it could
direct our responses to another host. Only the parameters concerned change; the rest of the value
stays as the bytes it came in.
"""

from __future__ import annotations

import ipaddress
import re

from appliance.sip.characters import digits_of
from appliance.sip.errors import MalformedMessage
from appliance.sip.message import Request, Response
from appliance.sip.names import VIA
from appliance.sip.via import ABSENT, Via, new_via, parse_via
from appliance.transport.flow import NO_CONNECTION, TCP, TLS, UDP, Flow, Outgoing
from appliance.transport.process_id import NO_PROCESS
from appliance.transport.transport_table import (
    UNKNOWN_TRANSPORT,
    VIA_TOKENS,
    default_port,
    is_opened_here,
    is_stream,
    transport_of_via,
)

# The first Via value of a message we wrote ourselves; a comma ends it unless it is quoted.
TOP_VIA = re.compile(rb'\r\n(?:via|v)[ \t]*:((?:"(?:[^"\\]|\\.)*"|[^",\r]|\r\n[ \t])*)', re.IGNORECASE | re.DOTALL)


def stamp_received(request: Request, flow: Flow) -> None:
    """Write into the top Via where the request came from (RFC 3261 18.2.1, RFC 3581 4)."""
    via = request.read_top_via()
    with_stamp = stamped_via(via, flow)
    if with_stamp is via:
        return
    request.replace_first_value(VIA, with_stamp.text)
    # The message forgets what it knew of a value that is replaced; this one needs no second parsing.
    request._via = with_stamp


def stamped_via(via: Via, flow: Flow) -> Via:
    """The top Via with the stamp; the same object where it needs none."""
    address = flow.host()
    asks_port = via.rport != ABSENT
    # RFC 3261 18.2.1: a name, or another address than the source's, has to be completed by `received`.
    # RFC 3581 4: where `rport` is asked for, `received` is added even to the same address.
    needs_received = asks_port or not is_same_host(via.host, address)
    if not needs_received and not via.received:
        return via
    received = address if needs_received else b""
    rport = flow.remote[1] if asks_port else 0
    return parse_via(stamped(via.text, received, rport))


def is_same_host(host: bytes, address: bytes) -> bool:
    """Is the host of a sent-by the literal of this address, however it is written?"""
    if not host.startswith(b"["):
        return host == address
    if host[1:-1] == address:
        return True
    try:
        return ipaddress.ip_address(host[1:-1].decode("ascii")) == ipaddress.ip_address(address.decode("ascii"))
    except ValueError:
        return False


def is_translated(host: bytes, address: bytes) -> bool:
    """Does a host know itself by an address that it does not have here, or by a name that leads nowhere (RFC 2606)?

    `host`: as it stands in its Contact or Via; `address`: where its messages come from.
    """
    if host.startswith(b"[") or host.rpartition(b".")[2].isdigit():
        return not is_same_host(host, address)
    return host.endswith(b".invalid")


def stamped(text: bytes, received: bytes, rport: int) -> bytes:
    """A Via value with `received` (b"" = without) and, unless 0, the value of `rport`."""
    kept = []
    for part in split_parameters(text):
        # Most parameters are neither, and their first letter says so.
        first = part[0] if part else 0
        if first == 114 or first == 82 or first == 32 or first == 9:
            name = part.partition(b"=")[0].strip().lower()
            if name == b"rport" and rport:
                kept.append(b"rport=" + digits_of(rport))
                continue
            if name == b"received":
                continue
        kept.append(part)
    if received:
        kept.append(b"received=" + received)
    return b";".join(kept)


def split_parameters(text: bytes) -> list[bytes]:
    """Cut at each `;` that is not inside a quoted string; joined by `;` again it is the same text."""
    if b'"' not in text:
        return text.split(b";")
    parts = []
    begin = 0
    is_quoted = False
    is_escaped = False
    for index in range(len(text)):
        byte = text[index]
        if is_escaped:
            is_escaped = False
        elif byte == 0x5C:
            is_escaped = is_quoted
        elif byte == 0x22:
            is_quoted = not is_quoted
        elif byte == 0x3B and not is_quoted:
            parts.append(text[begin:index])
            begin = index + 1
    parts.append(text[begin:])
    return parts


def response_destination(via: Via) -> tuple[int, bytes, int]:
    """(transport, host, port) to which a response with this top Via goes (RFC 3261 18.2.2, RFC 3581 4).

    A transport that is not supported is UNKNOWN_TRANSPORT.
    The host is an address without brackets, or a name that has to be looked up. For a stream this
    is where to open a connection when the one that the request came by is gone. `maddr` does not count: see
    response_flow.
    """
    transport = transport_of_via(via.transport)
    port = via.port or default_port(transport)
    # RFC 3581 4: between bullets two and three of RFC 3261 18.2.2.
    if via.received and via.rport > 0 and transport != UNKNOWN_TRANSPORT and not is_stream(transport):
        port = via.rport
    return transport, without_brackets(via.received or via.host), port


def without_brackets(host: bytes) -> bytes:
    """The address in an IPv6 reference; any other host as it is."""
    return host[1:-1] if host.startswith(b"[") else host


def response_flow(via: Via, flow: Flow) -> Flow:
    """The flow for responses to a stamped request that came by `flow` (RFC 3261 18.2.2, RFC 3581 4).

    A stream answers on its connection. A datagram leaves by the listener it came to (RFC 3581 4). `maddr` is for
    requests that were sent by multicast (18.1.1). No listener joins a group, so every request came by unicast and
    `maddr` does not count: otherwise any sender could have our responses sent to any address or group.
    """
    if flow.is_stream:
        return flow
    # The stamp holds the source of this flow; the flow itself still knows the scope of a link-local address.
    port = flow.remote[1] if via.rport != ABSENT else via.port or default_port(flow.transport)
    if port == flow.remote[1]:
        return flow
    return Flow(flow.transport, flow.listener, (flow.remote[0], port), NO_PROCESS, NO_CONNECTION)


def reopened(outgoing: Outgoing) -> Outgoing | None:
    """The same response for a new connection, when the one it was meant for is gone (RFC 3261 18.2.2).

    That goes to the address the request came from, at the port of the sent-by or its default. None
    for a request: the failure is reported to its transaction (18.4).
    """
    if not is_opened_here(outgoing.flow.transport):
        # RFC 7118 5.3: the response goes by that connection only.
        return None
    found = TOP_VIA.search(outgoing.data)
    if found is None or not outgoing.data.startswith(b"SIP/2.0 "):
        return None
    try:
        via = parse_via(found.group(1).strip())
    except MalformedMessage:
        return None
    flow = outgoing.flow
    port = via.port or default_port(flow.transport)
    again = Flow(flow.transport, flow.listener, (flow.remote[0], port), NO_PROCESS, NO_CONNECTION)
    return Outgoing(outgoing.data, again, outgoing.branch)


def as_datagram(outgoing: Outgoing) -> Outgoing | None:
    """RFC 3261 18.1.1: an ACK that was too long for UDP, as a datagram after all, for a peer that refuses connections.

    None for other messages, and for a connection that the peer has opened.
    """
    flow = outgoing.flow
    if flow.transport != TCP or flow.connection != NO_CONNECTION or not outgoing.data.startswith(b"ACK "):
        return None
    data = outgoing.data.replace(b"SIP/2.0/TCP ", b"SIP/2.0/UDP ", 1)
    return Outgoing(data, Flow(UDP, flow.listener, flow.remote, NO_PROCESS, NO_CONNECTION), b"")


def quoted_request(quote: bytes) -> tuple[bytes, bytes]:
    """(branch of the top Via, method) of a request of which these are the first octets, as ICMP quotes them.

    (b"", b"") where that cannot be read, and for a response.
    """
    method, _, rest = quote.partition(b" ")
    found = TOP_VIA.search(rest)
    if found is None or quote.startswith(b"SIP/2.0 "):
        return b"", b""
    try:
        return parse_via(found.group(1).strip()).branch, method
    except MalformedMessage:
        return b"", b""


def advertised_address(message: bytes) -> tuple[str, int] | None:
    """(host, port) of the top Via of a request that lets its TLS connection be reused (RFC 5923 8.2); else None."""
    found = None if message.startswith(b"SIP/2.0 ") else TOP_VIA.search(message)
    if found is None:
        return None
    text = found.group(1).strip()
    if not any(parameter.strip().lower() == b"alias" for parameter in split_parameters(text)[1:]):
        return None
    try:
        via = parse_via(text)
    except MalformedMessage:
        return None
    return without_brackets(via.host).decode("latin-1").lower().rstrip("."), via.port or default_port(TLS)


def push_via(request: Request, transport: int, sent_by: bytes, branch: bytes, rport: bool, alias: bool = False) -> None:
    """Put our own Via on top (RFC 3261 18.1.1, 8.1.1.7); `rport` asks for RFC 3581, `alias` for RFC 5923."""
    via = new_via(VIA_TOKENS[transport], sent_by, branch, rport)
    if alias:
        via.text += b";alias"
    request.prepend(VIA, via.text)
    # It needs no parsing.
    request._via = via


def pop_via(response: Response) -> bytes:
    """Take our own Via off (RFC 3261 16.7 step 3) and return its value."""
    return response.remove_first_value(VIA)


def is_last_via(response: Response) -> bool:
    """Is our own Via the only one, so that no one remains to send the response to (RFC 3261 16.7 step 3)?"""
    return response.has_one_value(VIA)
