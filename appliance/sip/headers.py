"""Values of the structured header fields but Via and CSeq: name-addr, Contact, credentials.

RFC 3261 7.3.1, 20, 25.1.

Each parser takes one value (unfolded or not; white space is skipped wherever the grammar has LWS), walks it once
by index, and gives back a small slotted object. The pieces of parameters.py are part of this module's interface.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from appliance.sip.characters import (
    DISPLAY,
    end_of_quoted,
    index_of,
    is_all,
    is_token,
    number,
    part,
    skip_space,
    trimmed,
)
from appliance.sip.errors import MalformedMessage
from appliance.sip.parameters import parse_parameters
from appliance.sip.parameters import quote as quote
from appliance.sip.parameters import split_list as split_list
from appliance.sip.parameters import unquote as unquote
from appliance.sip.uri import Uri, parse_uri

_NUMBER_MAX: Final = 2**32 - 1
_EXPIRES_MALFORMED_S: Final = 3600


class NameAddr:
    """A From, To, Route, Record-Route or Path value. display: as written, quotes and all, b"" when absent.

    parameters: the header field's (not the URI's), names lower case, values as written, None without "=".
    """

    __slots__ = ("display", "parameters", "uri")

    display: bytes
    uri: Uri
    parameters: Mapping[bytes, bytes | None]

    def __init__(self, display: bytes, uri: Uri, parameters: Mapping[bytes, bytes | None]) -> None:
        self.display = display
        self.uri = uri
        self.parameters = parameters

    @property
    def tag(self) -> bytes:
        """The tag parameter; b"" when absent (RFC 3261 19.3)."""
        return self.parameters.get(b"tag") or b""


class Contact(NameAddr):
    """A Contact value. q: 0..1000, 1000 when absent. expires: seconds, None when absent. is_star: it is "*"."""

    __slots__ = ("expires", "is_star", "q")

    q: int
    expires: int | None
    is_star: bool

    def __init__(
        self,
        display: bytes,
        uri: Uri,
        parameters: Mapping[bytes, bytes | None],
        q: int = 1000,
        expires: int | None = None,
        is_star: bool = False,
    ) -> None:
        self.display = display
        self.uri = uri
        self.parameters = parameters
        self.q = q
        self.expires = expires
        self.is_star = is_star


# "Contact: *" (RFC 3261 10.2.2). Compare with `is`, or ask is_star; its URI means nothing.
STAR: Final = Contact(b"", Uri(b"", None, b"", text=b"*"), {}, 1000, None, True)


def parse_name_addr(value: bytes, where: str = "Address") -> NameAddr:
    """name-addr or addr-spec with header parameters (RFC 3261 20.10, 20.20, 20.34). Raises MalformedMessage(400)."""
    address = NameAddr.__new__(NameAddr)
    _fill_name_addr(address, value, where)
    return address


def _fill_name_addr(address: NameAddr, value: bytes, where: str) -> None:
    at = skip_space(value, 0)
    if at < len(value) and value[at] == 34:
        end = end_of_quoted(value, at)
        if end < 0:
            raise MalformedMessage(400, "Unbalanced Quotes in " + where)
        address.display = part(value, at, end)
        at = skip_space(value, end)
        if at == len(value) or value[at] != 60:
            raise MalformedMessage(400, "Display Name Without Angle Brackets in " + where)
    else:
        at = _index_display(address, value, at, where)
    if at < 0:
        _fill_addr_spec(address, value, where)
        return
    close = index_of(value, 62, at)
    if close < 0:
        raise MalformedMessage(400, "Unbalanced Angle Brackets in " + where)
    address.uri = _uri_in(part(value, at + 1, close), where)
    address.parameters = parse_parameters(value, close + 1, where)


def _index_display(address: NameAddr, value: bytes, at: int, where: str) -> int:
    """Sets the unquoted display name; gives back the index of "<", or -1 when the value is a bare addr-spec."""
    bracket = index_of(value, 60, at)
    if bracket == at:
        address.display = b""
        return bracket
    semicolon = index_of(value, 59, at)
    if bracket < 0 or 0 <= semicolon < bracket:
        address.display = b""
        return -1
    address.display = trimmed(value, at, bracket)
    if not is_all(address.display, DISPLAY):
        if b"," in address.display:
            raise MalformedMessage(400, "Unquoted Comma in Display Name of " + where)
        if b'"' in address.display:
            raise MalformedMessage(400, "Unbalanced Quotes in " + where)
        raise MalformedMessage(400, "Malformed Display Name in " + where)
    return bracket


def _fill_addr_spec(address: NameAddr, value: bytes, where: str) -> None:
    """RFC 3261 20.10: without brackets, what follows ";" is the header field's, and "," and "?" are faults."""
    semicolon = index_of(value, 59, 0)
    if semicolon < 0:
        semicolon = len(value)
    text = trimmed(value, 0, semicolon)
    if index_of(text, 63, 0) >= 0 or index_of(text, 44, 0) >= 0:
        raise MalformedMessage(400, "URI Needs Angle Brackets in " + where)
    address.uri = _uri_in(text, where)
    address.parameters = parse_parameters(value, semicolon, where)


def _uri_in(text: bytes, where: str) -> Uri:
    try:
        return parse_uri(text)
    except MalformedMessage as fault:
        raise MalformedMessage(fault.status, fault.reason + " in " + where) from None


def parse_contact(value: bytes) -> Contact:
    """RFC 3261 20.10. STAR for "*". A malformed expires counts as 3600. Raises MalformedMessage(400)."""
    if value == b"*":
        return STAR
    contact = Contact.__new__(Contact)
    _fill_name_addr(contact, value, "Contact")
    contact.is_star = False
    contact.q = parse_q(contact.parameters[b"q"] or b"") if b"q" in contact.parameters else 1000
    contact.expires = None
    if b"expires" in contact.parameters:
        seconds = parse_delta_seconds(contact.parameters[b"expires"] or b"")
        # RFC 3261 20.10: malformed values are taken for 3600.
        contact.expires = _EXPIRES_MALFORMED_S if seconds is None else seconds
    return contact


def parse_q(text: bytes) -> int:
    """qvalue in thousandths, 0..1000 (RFC 3261 25.1); further digits are cut off. Raises MalformedMessage(400)."""
    whole, _, fraction = text.partition(b".")
    if whole not in (b"0", b"1", b"") or not (whole or fraction) or (fraction and number(fraction) < 0):
        raise MalformedMessage(400, "Malformed q in Contact")
    thousandths = int(whole or b"0") * 1000 + int((fraction[:3] + b"000")[:3])
    if thousandths > 1000:
        raise MalformedMessage(400, "Malformed q in Contact")
    return thousandths


def parse_delta_seconds(text: bytes) -> int | None:
    """delta-seconds, at most 2**32 - 1 (RFC 3261 20.19); None when malformed. Comments and parameters do not count."""
    seconds = number(text)
    return None if seconds < 0 else min(seconds, _NUMBER_MAX)


def parse_auth(value: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    """(scheme, parameters) of credentials or a challenge (RFC 3261 20.7, 20.44): names lower case, values unquoted.

    The scheme is lower case. Only for Digest does bad syntax raise MalformedMessage(400): other schemes may carry
    anything, and give {} when they are no list of parameters.
    """
    # RFC 3261 25.1: LWS, which may be a tab, ends the scheme.
    words = value.split(None, 1)
    scheme = words[0].lower() if words else b""
    try:
        return scheme, _parse_auth_parameters(words[1] if len(words) > 1 else b"")
    except MalformedMessage:
        if scheme == b"digest":
            raise
        return scheme, {}


def _parse_auth_parameters(text: bytes) -> dict[bytes, bytes]:
    parameters: dict[bytes, bytes] = {}
    for element in split_list(text):
        name, equals, raw = element.partition(b"=")
        name = name.rstrip(b" \t\r\n").lower()
        raw = raw.lstrip(b" \t\r\n")
        if not element:
            continue
        if not equals or not is_token(name) or name in parameters:
            raise MalformedMessage(400, "Malformed Credentials")
        if raw[:1] == b'"' and end_of_quoted(raw, 0) != len(raw):
            raise MalformedMessage(400, "Unbalanced Quotes in Credentials")
        parameters[name] = unquote(raw)
    return parameters
