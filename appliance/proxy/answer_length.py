"""How long an answer may be to a sender that has not proved its address (RFC 3261 26.1.5: amplification).

The source of a datagram may be forged. Without credentials, and unless it is a trusted peer, the answer to a REGISTER
over UDP, and a redirect, list the contacts that the request itself names, and others only as far as it stays a small
multiple of the question.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from appliance.proxy.request_context import RequestContext
from appliance.sip.message import Request
from appliance.sip.names import CONTACT

# What is listed beyond the lines that an answer copies may be so many times as long as the question.
MULTIPLE: Final = 2
_CONTACT_LINE: Final = b"Contact: <"


def has_proved_address(context: RequestContext) -> bool:
    """Has the sender shown that it gets what is sent to its address?"""
    return context.flow.is_stream or bool(context.identity) or context.is_trusted


def within_measure(headers: Sequence[bytes], request: Request) -> tuple[bytes, ...]:
    """The header lines of an answer without the contacts for which there is no room."""
    room = MULTIPLE * sum(map(len, request.lines))
    room -= sum(len(line) for line in headers if not _is_foreign(line, request))
    kept = []
    for line in headers:
        if _is_foreign(line, request):
            room -= len(line)
            if room < 0:
                continue
        kept.append(line)
    return tuple(kept)


def _is_foreign(line: bytes, request: Request) -> bool:
    """Is it a contact that the request does not name?"""
    if not line.startswith(_CONTACT_LINE):
        return False
    uri = line[len(_CONTACT_LINE) : line.index(b">")]
    return not any(uri in named for named in request.lines_of(CONTACT))
