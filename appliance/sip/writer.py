"""Messages as octets, and responses made from requests.

RFC 3261 7, 8.2.6.

Header lines are joined as they are: nothing is formatted anew that was not edited. A response copies the lines of
the request, so it can be made for a request that was understood only in part.

Knows nothing of transports or of which response is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from appliance.sip.characters import digits_of
from appliance.sip.errors import MalformedMessage
from appliance.sip.fields import HeaderField, field_of, make_field, make_named_field
from appliance.sip.message import Message, Request, Response
from appliance.sip.names import CALL_ID, CONTENT_LENGTH, CSEQ, FROM, TIMESTAMP, TO, VIA, header_id

# Sets of header ids as masks of bits (RFC 3261 8.2.6.1, 8.2.6.2).
_COPIED: Final = 1 << FROM | 1 << TO | 1 << CALL_ID | 1 << CSEQ
_COPIED_FOR_TRYING: Final = _COPIED | 1 << TIMESTAMP


def write(message: Message) -> bytes:
    """The whole message. Content-Length is what the header fields say: who changes the body replaces it."""
    parts = [start_line(message)]
    for field in message.fields:
        parts.append(field.line)
    parts.append(b"\r\n")
    parts.append(message.body)
    return b"".join(parts)


def start_line(message: Message) -> bytes:
    """The request line or status line with its CRLF (RFC 3261 7.1, 7.2)."""
    if isinstance(message, Request):
        return b"".join((message.method, b" ", message.uri_text, b" SIP/2.0\r\n"))
    assert isinstance(message, Response)
    return b"".join((b"SIP/2.0 ", digits_of(message.status), b" ", message.reason, b"\r\n"))


def write_response(
    request: Request,
    status: int,
    reason: bytes,
    headers: Sequence[tuple[bytes, bytes]] = (),
    to_tag: bytes = b"",
    body: bytes = b"",
) -> bytes:
    """What `response_to` gives, as octets."""
    return write(response_to(request, status, reason, headers, to_tag, body))


def response_to(
    request: Request,
    status: int,
    reason: bytes,
    headers: Sequence[tuple[bytes, bytes]] = (),
    to_tag: bytes = b"",
    body: bytes = b"",
) -> Response:
    """RFC 3261 8.2.6: all Via, From, To, Call-ID and CSeq of the request, Timestamp for 100, then `headers`.

    to_tag goes onto To when To has no tag. Content-Length is added. Header fields that the request lacks are left
    out; of those that must be single the first is copied.
    """
    assert b"\r" not in reason and b"\n" not in reason, "a reason phrase of ours holds a line break"
    fields = _copied_fields(request, status == 100, to_tag)
    for name, value in headers:
        fields.append(make_named_field(header_id(name), name, value))
    fields.append(make_field(CONTENT_LENGTH, digits_of(len(body))))
    return Response(status, reason, fields, body)


def _copied_fields(request: Request, is_trying: bool, to_tag: bytes) -> list[HeaderField]:
    vias: list[HeaderField] = []
    singles: list[HeaderField] = []
    via, to, id_max = VIA, TO, TIMESTAMP
    wanted = _COPIED_FOR_TRYING if is_trying else _COPIED
    for field in request.fields:
        id = field.id
        if id == via:
            vias.append(field)
        elif id <= id_max and wanted >> id & 1:
            wanted ^= 1 << id
            singles.append(_tagged(request, field, to_tag) if id == to and to_tag else field)
    vias.extend(singles)
    return vias


def _tagged(request: Request, field: HeaderField, to_tag: bytes) -> HeaderField:
    """The To line with the tag; a To that cannot be parsed gets it at its end."""
    try:
        if request.read_to().parameters.get(b"tag"):
            return field
    except MalformedMessage:
        pass
    return field_of(TO, field.line.rstrip(b" \t\r\n") + b";tag=" + to_tag + b"\r\n")
