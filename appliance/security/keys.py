"""Values only this appliance can make: branches and To tags (the tokens of dialogs are in dialog_token.py).

Each is a keyed function of what arrived, so every worker makes the same one, also after a crash,
and none has to be remembered:

- a branch (RFC 3261 16.6 step 8) is `z9hG4bK` + target (8) + loop (8) + seal (16), hexadecimal. The
  seal covers the received branch, the target, the loop part and the half hour: a retransmission that another
  worker handles makes the same branch, and a stray 2xx can be proved to answer a request that was sent
  here. After an hour at most it proves nothing any more, so that it cannot be replayed. It is sealed as tokens are
  (messages/sealing_keys.py); as nothing in it says by which key, both that are good are tried.
- the loop part (RFC 5393 4.2.1) is a checksum of the fields that decide the routing.
- the To tag of a stateless reply (RFC 3261 8.2.7) is the same for each retransmission, and the
  ACK that answers it is known by it.
- the To tag of a refusal under overload, or of a malformed request, ends with a mark of this appliance, so that the ACK
  which answers it is known without parsing.
"""

from __future__ import annotations

from hashlib import blake2s

from appliance.messages.sealing_keys import SealingKeys, first_keys
from appliance.sip.characters import digits_of, hex_of, long_hex_of
from appliance.sip.fnv import fnv
from appliance.sip.message import Request
from appliance.sip.names import ROUTE
from appliance.sip.siphash import SipHash
from appliance.sip.via import Via
from appliance.transaction.keys import COOKIE, has_cookie
from appliance.transport.via import response_destination

BRANCH_LEN = 39
TAG_LEN = 16
PERIOD_S = 1800
_LOOP = slice(15, 23)


class Keys:
    """The keyed functions of one appliance; `key` is shared by all its workers, and never changes.

    `sealing`: what seals branches, None for `key`. A To tag grants nothing: it goes by `key`.
    """

    __slots__ = ("_branch", "_other_branch", "_tag", "refusal_mark", "servers")

    def __init__(self, key: bytes, sealing: SealingKeys | None = None) -> None:
        sealing = sealing or first_keys(key)
        self._branch = _seal_for(b"branch", sealing.in_use.key)
        self._other_branch = None if sealing.other is None else _seal_for(b"branch", sealing.other.key)
        self._tag = _seal_for(b"tag", key)
        self.refusal_mark = blake2s(key=key, digest_size=8, person=b"refuse").hexdigest().encode()
        """What the To tags of `refusal_tag` and `fault_tag` end with."""
        self.servers = _seal_for(b"servers", key)
        """Chooses among servers of equal priority, by the Call-ID (RFC 2782)."""

    def branch(self, upstream: bytes, target: bytes, loop_part: bytes, period: int) -> bytes:
        """The branch for one target of a request whose `upstream_key` is given; `period`: when it came (period_of)."""
        target_part = hex_of(fnv(target))
        seal = self._branch.of(b"".join((target_part, loop_part, hex_of(period), upstream)))
        return b"".join((COOKIE, target_part, loop_part, long_hex_of(seal)))

    def is_own_branch(self, branch: bytes, upstream: bytes, period: int) -> bool:
        """Did this appliance make `branch`, not long ago, for the request that arrived with `upstream`?"""
        if len(branch) != BRANCH_LEN:
            return False
        if _is_sealed_by(self._branch, branch, upstream, period):
            return True
        return self._other_branch is not None and _is_sealed_by(self._other_branch, branch, upstream, period)

    def to_tag(self, upstream: bytes, call_id: bytes) -> bytes:
        """The To tag of replies made here; the same for the request of that `upstream_key`, its CANCEL and its ACK."""
        return long_hex_of(self._tag.of(b"".join((upstream, call_id))))

    def is_own_tag(self, tag: bytes, upstream: bytes, call_id: bytes) -> bool:
        """Does the To tag show that this ACK answers a stateless reply of this appliance?"""
        if tag.endswith(self.refusal_mark):
            return True
        # The length excludes nearly all others, and costs nothing.
        return len(tag) == TAG_LEN and tag == self.to_tag(upstream, call_id)

    def refusal_tag(self, top_via: bytes, call_id: bytes) -> bytes:
        """The To tag of a refusal that has to be cheap; the same for each retransmission (RFC 3261 8.2.7)."""
        return hex_of(fnv(call_id, fnv(top_via))) + self.refusal_mark

    def fault_tag(self, request: Request) -> bytes:
        """The To tag for the refusal of a request whose parts cannot be relied on."""
        return long_hex_of(self._tag.of(b"".join(request.lines))) + self.refusal_mark


def period_of(wall_time: float) -> int:
    """The half hour that a seal is made in, a number of 32 bits; it holds in that one and the next."""
    return int(wall_time) // PERIOD_S & 0xFFFFFFFF


def _is_sealed_by(key: SipHash, branch: bytes, upstream: bytes, period: int) -> bool:
    """Was a branch sealed with this key in that half hour, or the one before?"""
    for when in (period, period - 1):
        if branch[23:] == long_hex_of(key.of(b"".join((branch[7:23], hex_of(when), upstream)))):
            return True
    return False


def _seal_for(purpose: bytes, key: bytes) -> SipHash:
    """A keyed function for one purpose: what it makes is of no use for another."""
    return SipHash(blake2s(key=key, digest_size=16, person=purpose).digest())


def upstream_of_via(via: Via) -> bytes:
    """What names a transaction of the previous hop (RFC 3261 17.2.3), and where its responses go (18.2.2).

    The peer that answers has seen the Via below ours, and could write another destination into it.
    """
    transport, host, port = response_destination(via)
    return b"|".join((digits_of(transport), digits_of(port), host, via.branch, via.sent_by))


def upstream_key(request: Request) -> bytes:
    """What names the request upstream, with or without the RFC 3261 cookie (17.2.3)."""
    via = request.read_top_via()
    if has_cookie(via.branch):
        return upstream_of_via(via)
    cseq = digits_of(request.read_cseq_number())
    return b"|".join((upstream_of_via(via), request.read_call_id(), request.read_from_tag(), cseq))


def loop_part_for(request: Request, destination: bytes) -> bytes:
    """Checksum of what decides where a request goes (RFC 5393 4.2.1): `destination` and the Routes that are left.

    Without To tag: the CANCEL and the ACK of a request have to make its branch again.
    """
    cseq = digits_of(request.read_cseq_number())
    parts = [destination, request.read_call_id(), request.read_from_tag(), cseq]
    parts.extend(request.lines_of(ROUTE))
    return hex_of(fnv(b"\0".join(parts)))


def loop_part_of(branch: bytes) -> bytes:
    """The loop part of a branch that this appliance made; b"" for another's."""
    return branch[_LOOP] if len(branch) == BRANCH_LEN else b""
