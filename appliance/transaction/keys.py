"""The names under which transactions are found (RFC 3261 17.1.3, 17.2.3, 8.2.2.2).

A name is one bytes object, so that matching is one look-up. Where the branch has the cookie it is made
of branch, sent-by and method; where it has not (RFC 2543), of everything that 17.2.3 compares. The parts
are joined by what cannot stand in them: `|` is no token character, and no unfolded value holds a line feed.
"""

from __future__ import annotations

from typing import Final

from appliance.sip.characters import digits_of
from appliance.sip.errors import MalformedMessage
from appliance.sip.message import Request
from appliance.sip.parser import UNBOUNDED, parse

COOKIE: Final = b"z9hG4bK"


def has_cookie(branch: bytes) -> bool:
    """Is the branch unique across space and time? The bare cookie is not, so it counts as RFC 2543."""
    return branch.startswith(COOKIE) and len(branch) > len(COOKIE)


def client_key(branch: bytes, method: bytes) -> bytes:
    """RFC 3261 17.1.3: branch and the method of the request, which a response has in its CSeq."""
    return b"|".join((branch, method))


def server_key(request: Request, method: bytes) -> bytes:
    """RFC 3261 17.2.3 for a request of `method` with this one's other values (INVITE for an ACK or a CANCEL)."""
    via = request.read_top_via()
    branch = via.branch
    if has_cookie(branch):
        return b"|".join((branch, via.sent_by, method))
    return rfc2543_key(request, method, request.read_to_tag())


def rfc2543_key(request: Request, method: bytes, to_tag: bytes) -> bytes:
    """RFC 3261 17.2.3 without the cookie: Request-URI, tags, Call-ID, CSeq and top Via.

    All as it came: the Request-URI may have been changed here since (16.4), and `received` and `rport` are what we
    wrote into the Via.
    """
    via = request.read_top_via()
    cseq = digits_of(request.read_cseq_number()) + b" " + method
    call_id, from_tag = request.read_call_id(), request.read_from_tag()
    return b"\n".join((via.sent_by, via.branch, request.received_uri, from_tag, to_tag, call_id, cseq))


def merged_key(request: Request) -> bytes:
    """RFC 3261 8.2.2.2: what requests that a fork made of one have in common; b"" for one within a dialog."""
    return b"" if request.read_to_tag() else sequence_key(request, request.method)


def sequence_key(request: Request, method: bytes) -> bytes:
    """RFC 3261 8.1.1.5, 13.2.2.4: what an INVITE and the ACK to its 2xx have in common, whatever their branches."""
    cseq = digits_of(request.read_cseq_number())
    return b"\n".join((request.read_call_id(), request.read_from_tag(), cseq, method))


def to_tag_of(response: bytes) -> bytes:
    """The To tag of a response that was sent; b"" when there is none to be read."""
    try:
        return parse(response, UNBOUNDED).read_to_tag()
    except MalformedMessage:
        return b""
