"""Values only this appliance can make: branches, To tags and route tokens.

Each is a keyed function of what arrived, so every worker makes the same one, also after a crash,
and none has to be remembered:

- a branch (RFC 3261 16.6 step 8) is `z9hG4bK` + target (8) + loop (8) + seal (16), hexadecimal. The
  seal covers the received branch, the target and the loop part: a retransmission that another
  worker handles makes the same branch, and a stray 2xx can be proved to answer a request of ours.
- the loop part (RFC 5393 4.2.1) is a checksum of the fields that decide the routing.
- the To tag of a stateless reply (RFC 3261 8.2.7) is the same for each retransmission, and the
  ACK that answers it is known by it.
- the token in our Record-Route marks a dialog that was let through once (RFC 3261 16.6 step 4).

Knows nothing of transactions.
"""

from __future__ import annotations

from hashlib import blake2s
from zlib import crc32

from appliance.sip.headers import Via
from appliance.sip.message import Request
from appliance.sip.names import ROUTE
from appliance.transport.via import response_destination

COOKIE = b"z9hG4bK"
BRANCH_LEN = 39
_TARGET = slice(7, 15)
_LOOP = slice(15, 23)


class Keys:
    """The keyed functions of one appliance; `key` is shared by all its workers."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def _seal(self, purpose: bytes, text: bytes) -> bytes:
        return blake2s(text, key=self._key, digest_size=8, person=purpose).hexdigest().encode()

    def branch(self, upstream: bytes, target: bytes, loop_part: bytes) -> bytes:
        """The branch for one target of a request whose `upstream_key` is given."""
        parts = b"%08x" % crc32(target) + loop_part
        return COOKIE + parts + self._seal(b"branch", parts + upstream)

    def is_own_branch(self, branch: bytes, upstream: bytes) -> bool:
        """Did this appliance make `branch` for the request that arrived with `upstream`?"""
        if len(branch) != BRANCH_LEN:
            return False
        return branch[23:] == self._seal(b"branch", branch[7:23] + upstream)

    def to_tag(self, request: Request) -> bytes:
        """The To tag of replies made here; the same for the request, its CANCEL and its ACK."""
        return self._seal(b"tag", upstream_key(request) + request.call_id)

    def fault_tag(self, request: Request) -> bytes:
        """The To tag for the refusal of a request whose parts cannot be relied on."""
        return self._seal(b"tag", b"".join([field.line for field in request.fields]))

    def route_token(self, call_id: bytes) -> bytes:
        """The token of a call that passed this appliance's checks when it was set up."""
        return self._seal(b"route", call_id)


def upstream_of_via(via: Via) -> bytes:
    """What names a transaction of the previous hop (RFC 3261 17.2.3), and where its responses go (18.2.2).

    For who answers knows the Via below ours, and could write another destination into it.
    """
    transport, host, port = response_destination(via)
    return b"%d %d %b|%b|%b" % (transport, port, host, via.branch, via.sent_by)


def upstream_key(request: Request) -> bytes:
    """What names the request upstream, with or without the RFC 3261 cookie (17.2.3)."""
    via = request.top_via
    if via.branch.startswith(COOKIE) and len(via.branch) > len(COOKIE):
        return upstream_of_via(via)
    parts = (upstream_of_via(via), request.call_id, request.from_tag, b"%d" % request.cseq_number)
    return b"|".join(parts)


def loop_part(request: Request) -> bytes:
    """Checksum of the fields that decide where a request goes (RFC 5393 4.2.1).

    Without To tag: the CANCEL and the ACK of a request have to make its branch again.
    """
    routes = b"".join([field.line for field in request.fields if field.id == ROUTE])
    text = b"\0".join(
        (request.uri_text, request.call_id, request.from_tag, b"%d" % request.cseq_number, routes)
    )
    return b"%08x" % crc32(text)


def loop_part_of(branch: bytes) -> bytes:
    """The loop part of a branch that this appliance made; b"" for another's."""
    return branch[_LOOP] if len(branch) == BRANCH_LEN else b""
