"""A quick parse of a request: what a refusal needs of it, for the cost of a few lines (RFC 3261 8.2.6.2).

Only what is written in the usual way is understood: no folds, no quotes in the top Via, each line ended by CRLF.
Nothing else is checked. A message that it does not understand is parsed as a whole by the caller.
"""

from __future__ import annotations

from collections.abc import Sequence

from appliance.sip.characters import index_of, part, skip_space, trimmed
from appliance.sip.names import CALL_ID, CSEQ, FROM, TO, VIA, header_id, known_id

_END = b" SIP/2.0\r\n"


class Glance:
    """The lines of a request that its responses repeat. `top_via`: the value on top, without those that follow it."""

    __slots__ = ("call_id", "cseq", "has_to_tag", "method", "sender", "to", "top_via", "vias")

    method: bytes
    top_via: bytes
    vias: list[bytes]
    sender: bytes
    to: bytes
    call_id: bytes
    cseq: bytes
    has_to_tag: bool


def glance_at(data: bytes) -> Glance | None:
    """The glance; None for a response, and for a request that has to be parsed to be understood."""
    octets = data
    size = len(data)
    space = index_of(data, 32, 0)
    end = index_of(data, 10, 0)
    if space <= 0 or end < space or data.startswith(b"SIP/") or not data.startswith(_END, end + 1 - len(_END)):
        return None
    glance = Glance.__new__(Glance)
    glance.method = part(data, 0, space)
    glance.vias = []
    glance.sender = glance.to = glance.call_id = glance.cseq = b""
    at = end + 1
    while at < size:
        octet = octets[at]
        if octet == 13:
            return glance if _is_whole(glance) else None
        end = index_of(data, 10, at)
        if octet == 32 or octet == 9 or end < 0 or octets[end - 1] != 13:
            return None
        octet |= 32
        # Via, From, To, Call-ID and CSeq, i of Call-ID.
        if (octet == 118 or octet == 102 or octet == 116 or octet == 99 or octet == 105) and not _keep(
            glance, part(data, at, end + 1)
        ):
            return None
        at = end + 1
    return None


def _keep(glance: Glance, line: bytes) -> bool:
    """Note a line if it is one of those; False where there may be one only."""
    colon = index_of(line, 58, 0)
    # RFC 3261 25.1: a CR stands nowhere but before the LF; what is kept is copied into an answer.
    if colon < 0 or index_of(line, 13, 0) != len(line) - 2:
        return False
    id = known_id(line, colon) or header_id(part(line, 0, colon))
    if id == VIA:
        glance.vias.append(line)
        return True
    if id == FROM:
        is_first = not glance.sender
        glance.sender = line
    elif id == TO:
        is_first = not glance.to
        glance.to = line
    elif id == CALL_ID:
        is_first = not glance.call_id
        glance.call_id = line
    elif id == CSEQ:
        is_first = not glance.cseq
        glance.cseq = line
    else:
        return True
    return is_first


def _is_whole(glance: Glance) -> bool:
    if not (glance.vias and glance.sender and glance.to and glance.call_id and glance.cseq):
        return False
    line: bytes = glance.vias[0]
    if index_of(line, 34, 0) >= 0:
        return False
    comma = index_of(line, 44, 0)
    glance.top_via = trimmed(line, index_of(line, 58, 0) + 1, comma if comma >= 0 else len(line))
    glance.has_to_tag = has_tag(glance.to)
    return True


def has_tag(line: bytes) -> bool:
    """Does a From or To line have a parameter `tag` (RFC 3261 20.39)? Also True for one that only looks like it."""
    octets = line
    size = len(line)
    at = index_of(line, 59, 0)
    while at >= 0:
        begin = skip_space(line, at + 1)
        if (
            begin + 3 < size
            and octets[begin] | 32 == 116
            and octets[begin + 1] | 32 == 97
            and octets[begin + 2] | 32 == 103
        ):
            begin = skip_space(line, begin + 3)
            if begin < size and octets[begin] == 61:
                return True
        at = index_of(line, 59, at + 1)
    return False


def refusal_of(
    glance: Glance, status_line: bytes, top_via: bytes, to_tag: bytes, headers: Sequence[bytes]
) -> bytes:
    """A response to the request, its topmost Via value replaced by `top_via`; `headers` are whole lines."""
    vias: list[bytes] = glance.vias
    first: bytes = vias[0]
    if top_via is not glance.top_via:
        comma = index_of(first, 44, 0)
        first = b"Via: " + top_via + (part(first, comma, len(first)) if comma >= 0 else b"\r\n")
    parts = [status_line, first]
    parts.extend(vias[1:])
    to: bytes = glance.to
    if not glance.has_to_tag:
        to = trimmed(to, 0, len(to)) + b";tag=" + to_tag + b"\r\n"
    parts += (glance.sender, to, glance.call_id, glance.cseq)
    parts.extend(headers)
    parts.append(b"Content-Length: 0\r\n\r\n")
    return b"".join(parts)
