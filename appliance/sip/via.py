"""Via values: read in one pass, and written.

RFC 3261 20.42, 25.1; RFC 3581 (rport).
"""

from __future__ import annotations

from typing import Final

from appliance.catalogue.transports import SIP_PORT, VIA_PORTS
from appliance.sip.characters import (
    PARAMETER_VALUE,
    TOKEN,
    VISIBLE,
    digits_of,
    end_of_class,
    index_of,
    is_all,
    is_token,
    lowered,
    number,
    number_between,
    part,
    skip_space,
    spells,
    trimmed,
    uppered,
)
from appliance.sip.errors import MalformedMessage
from appliance.sip.parameters import parse_parameters
from appliance.sip.uri import canonical_host, end_of_host, port_between

ABSENT: Final = -1
_PORT_MAX: Final = 65535


class Via:
    """One Via value. transport: upper case. host: lower case. port: 0 when absent. branch, received, maddr: b"" when
    absent.

    rport: -1 when absent, 0 when present without value. ttl: -1 when absent. sent_by: b"host:port" for matching, the
    transport's default port filled in (RFC 3261 17.2.3, 18.1.2). text: the value as parsed.
    """

    __slots__ = ("branch", "host", "maddr", "port", "received", "rport", "sent_by", "text", "transport", "ttl")

    transport: bytes
    host: bytes
    port: int
    branch: bytes
    received: bytes
    rport: int
    maddr: bytes
    ttl: int
    sent_by: bytes
    text: bytes


def parse_via(value: bytes) -> Via:
    """RFC 3261 20.42, LWS allowed around every separator. Raises MalformedMessage(400)."""
    start = skip_space(value, 8 if value.startswith(b"SIP/2.0/") else _end_of_protocol(value))
    at = end_of_class(value, start, TOKEN)
    if at == start or at == skip_space(value, at):
        raise MalformedMessage(400, "Malformed Transport in Via")
    via = Via.__new__(Via)
    via.text = value
    via.transport = uppered(part(value, start, at))
    semicolon = index_of(value, 59, at)
    if semicolon < 0:
        semicolon = len(value)
    _parse_sent_by(via, trimmed(value, at, semicolon))
    _parse_parameters(via, value, semicolon)
    return via


def _end_of_protocol(value: bytes) -> int:
    """Index after the second slash: what is before them are tokens, white space around them."""
    slash = index_of(value, 47, 0)
    second = index_of(value, 47, slash + 1) if slash >= 0 else -1
    if second < 0 or not (is_token(trimmed(value, 0, slash)) and is_token(trimmed(value, slash + 1, second))):
        raise MalformedMessage(400, "Malformed Protocol in Via")
    return second + 1


def _parse_sent_by(via: Via, text: bytes) -> None:
    if not is_all(text, VISIBLE):
        # RFC 3261 25.1: COLON allows white space at both sides; nothing else in sent-by does.
        text = b"".join([piece.strip() for piece in text.rpartition(b":")])
    text = lowered(text)
    size = len(text)
    try:
        end = end_of_host(text, 0, size)
        via.port = port_between(text, end, size)
    except MalformedMessage as fault:
        raise MalformedMessage(400, fault.reason + " in Via") from None
    host = part(text, 0, end)
    via.host = canonical_host(host)
    if via.port and text[end + 1] != 48 and via.host == host:
        via.sent_by = text
    else:
        port = via.port or VIA_PORTS.get(via.transport, SIP_PORT)
        via.sent_by = b"".join((via.host, b":", digits_of(port)))


def _parse_parameters(via: Via, text: bytes, at: int) -> None:
    """The *(SEMI via-params) that starts at index `at`."""
    via.branch = via.received = via.maddr = b""
    via.rport = via.ttl = ABSENT
    if not _read_plain(via, text, at):
        _read_any(via, parse_parameters(text, at, "Via"))


def _read_plain(via: Via, text: bytes, at: int) -> bool:
    """Parameters as nearly all Vias have them: branch, rport, received, once each, no white space. False for others."""
    octets = text
    size = len(text)
    while at < size:
        name = at + 1
        end = end_of_class(text, name, TOKEN)
        at = end_of_class(text, end + 1, PARAMETER_VALUE) if end < size and octets[end] == 61 else end
        if at == end + 1 or (at < size and octets[at] != 59):
            return False
        value = part(text, end + 1, at)
        if not via.branch and value and spells(text, name, end, b"branch"):
            via.branch = value
        elif not via.received and value and spells(text, name, end, b"received"):
            via.received = value
        elif via.rport == ABSENT and spells(text, name, end, b"rport"):
            via.rport = number(value) if value else 0
            if via.rport < 0 or via.rport > _PORT_MAX:
                return False
        else:
            return False
    return True


def _read_any(via: Via, parameters: dict[bytes, bytes | None]) -> None:
    via.branch = parameters.get(b"branch") or b""
    via.received = parameters.get(b"received") or b""
    via.maddr = parameters.get(b"maddr") or b""
    if b"rport" in parameters:
        port = parameters[b"rport"]
        via.rport = 0 if port is None else number(port)
        if via.rport < 0 or via.rport > _PORT_MAX:
            raise MalformedMessage(400, "Malformed rport in Via")
    if b"ttl" in parameters:
        via.ttl = number(parameters[b"ttl"] or b"")
        if via.ttl < 0 or via.ttl > 255:
            raise MalformedMessage(400, "Malformed ttl in Via")


def new_via(transport: bytes, sent_by: bytes, branch: bytes, rport: bool = False) -> Via:
    """A Via that the appliance writes: sent_by, b"host:port", is written as given (RFC 3261 18.1.1, RFC 3581 3)."""
    via = Via.__new__(Via)
    octets = sent_by
    size = colon = len(sent_by)
    while colon > 0 and octets[colon - 1] != 58:
        colon -= 1
    via.transport = transport
    via.host = part(sent_by, 0, colon - 1)
    via.port = number_between(sent_by, colon, size)
    via.sent_by = sent_by
    via.branch = branch
    via.received = via.maddr = b""
    via.rport = 0 if rport else ABSENT
    via.ttl = ABSENT
    via.text = b"".join((b"SIP/2.0/", transport, b" ", sent_by, b";branch=", branch, b";rport" if rport else b""))
    return via
