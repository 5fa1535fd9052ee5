"""Messages as octets, and responses made from requests.

RFC 3261 7, 8.2.6.

Header lines are joined as they are: nothing is formatted anew that was not edited. A response copies the lines of
the request, so it can be made for a request that was understood only in part.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from appliance.sip.characters import digits_of, is_one_line, trimmed
from appliance.sip.errors import MalformedMessage
from appliance.sip.message import Message, Request, Response
from appliance.sip.names import CALL_ID, CSEQ, FROM, TIMESTAMP, TO, VIA
from appliance.sip.status import status_line

# Sets of header ids as masks of bits (RFC 3261 8.2.6.1, 8.2.6.2).
_COPIED: Final = 1 << FROM | 1 << TO | 1 << CALL_ID | 1 << CSEQ
_COPIED_FOR_TRYING: Final = _COPIED | 1 << TIMESTAMP


def write(message: Message) -> bytes:
    """The whole message. Content-Length is what the header fields say: a caller that changes the body replaces it."""
    parts = [start_line(message)]
    parts.extend(message.lines)
    parts.append(b"\r\n")
    parts.append(message.body)
    return b"".join(parts)


def start_line(message: Message) -> bytes:
    """The request line or status line with its CRLF (RFC 3261 7.1, 7.2)."""
    if isinstance(message, Request):
        request = message
        return b"".join((request.method, b" ", request.uri_text, b" SIP/2.0\r\n"))
    assert isinstance(message, Response)
    response = message
    return _status_line(response.status, response.reason)


def _status_line(status: int, reason: bytes) -> bytes:
    return b"".join((b"SIP/2.0 ", digits_of(status), b" ", reason, b"\r\n"))


def write_response(
    request: Request,
    status: int,
    reason: bytes = b"",
    headers: Sequence[bytes] = (),
    to_tag: bytes = b"",
    body: bytes = b"",
) -> bytes:
    """RFC 3261 8.2.6: all Via, From, To, Call-ID and CSeq of the request, Timestamp for 100, then `headers`.

    headers: whole lines (see make_line). Without a reason the registered phrase is written. to_tag goes
    onto To when To has no tag. Content-Length is added. Header fields that the request lacks are left out; of those
    that must be single the first is copied.
    """
    assert is_one_line(reason), "a reason phrase of ours holds a line break"
    parts = [_status_line(status, reason) if reason else status_line(status)]
    _append_copied(parts, request, _COPIED_FOR_TRYING if status == 100 else _COPIED, to_tag)
    parts.extend(headers)
    parts.append(b"Content-Length: ")
    parts.append(digits_of(len(body)))
    parts.append(b"\r\n\r\n")
    parts.append(body)
    return b"".join(parts)


def _append_copied(parts: list[bytes], request: Request, wanted: int, to_tag: bytes) -> None:
    """Each Via line, and the lines of the header fields whose ids `wanted` has as bits, the first of each."""
    octets = request.ids
    for index in range(len(request.ids)):
        id = octets[index]
        if id == VIA:
            parts.append(request.lines[index])
        elif id < 32 and wanted >> id & 1:
            wanted ^= 1 << id
            _append_single(parts, request, index, to_tag if id == TO else b"")


def _append_single(parts: list[bytes], request: Request, index: int, to_tag: bytes) -> None:
    line = request.lines[index]
    if to_tag and not _has_tag(request):
        parts.append(trimmed(line, 0, len(line)))
        parts.append(b";tag=")
        parts.append(to_tag)
        parts.append(b"\r\n")
    else:
        parts.append(line)


def _has_tag(request: Request) -> bool:
    """Has its To a tag? One that cannot be parsed has none."""
    try:
        return request.read_to_tag() != b""
    except MalformedMessage:
        return False
